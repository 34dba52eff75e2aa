import { instantiate, PAGE } from '../wasm.ts'
import module from './fir.wat'

/**
 * Runs FIR filters over samples, all of them 32-bit floats in the memory: for each place from `output` to `outputEnd`,
 * `outputStep` apart, the sum of the products of a filter and the samples from `input` on. Then `input` moves on by
 * `inputStep` and `filter` by `filterStep`; where that comes to `filtersEnd` it goes back by `filtersBytes`, and
 * `input` on by one sample. All arguments are bytes. Filters are `filterBytes` long, a multiple of 16 from 64 on; at
 * least one place is written.
 */
type FirKernel = (
  output: number,
  outputEnd: number,
  outputStep: number,
  input: number,
  inputStep: number,
  filter: number,
  filterStep: number,
  filterBytes: number,
  filtersEnd: number,
  filtersBytes: number,
) => void

/** A kernel with the memory that it works in. */
export interface FirMachine {
  readonly run: FirKernel
  /**
   * Makes 16-bit samples of the floats from `input` to `inputEnd`, in bytes, over the place where they lie, as
   * `encodeSamples()` does; up to seven floats behind them are lost. Only where there are vectors: it is no faster without.
   */
  readonly toInt16?: (input: number, inputEnd: number) => void
  /** another one after `grow()` */
  memory: Float32Array<ArrayBuffer>
  /** Makes room for at least `length` floats; old content stays, new memory is zero. */
  grow(length: number): void
}

/** A machine with vectors where they can be had. */
export function firMachine(): FirMachine {
  try {
    return vectorMachine()
  } catch {
    return plainMachine() // there is no WebAssembly
  }
}

function vectorMachine(): FirMachine {
  const { exports, memory } = instantiate(module)
  return {
    run: exports.run as FirKernel,
    toInt16: exports.toInt16 as NonNullable<FirMachine['toInt16']>,
    memory: new Float32Array(memory.buffer),
    grow(length) {
      const missing = length * 4 - memory.buffer.byteLength
      if (missing <= 0) return
      memory.grow(Math.ceil(missing / PAGE))
      this.memory = new Float32Array(memory.buffer) // the buffer before is gone
    },
  }
}

/** The same without vectors, which takes some fifteen times as long. */
export function plainMachine(): FirMachine {
  const machine: FirMachine = {
    run: (...places) => plainKernel(machine.memory, ...places),
    memory: new Float32Array(PAGE / 4),
    grow(length) {
      if (length <= machine.memory.length) return
      const larger = new Float32Array(length)
      larger.set(machine.memory)
      machine.memory = larger
    },
  }
  return machine
}

function plainKernel(memory: Float32Array, ...places: Parameters<FirKernel>): void {
  let [
    output,
    outputEnd,
    outputStep,
    input,
    inputStep,
    filter,
    filterStep,
    filterBytes,
    filtersEnd,
    filtersBytes,
  ] = places
  const taps = filterBytes / 4
  for (; output < outputEnd; output += outputStep) {
    const [sample, tap] = [input / 4, filter / 4]
    let sum = 0
    for (let i = 0; i < taps; i++) sum += memory[sample + i]! * memory[tap + i]!
    memory[output / 4] = sum
    input += inputStep
    filter += filterStep
    if (filter >= filtersEnd) {
      filter -= filtersBytes
      input += 4
    }
  }
}
