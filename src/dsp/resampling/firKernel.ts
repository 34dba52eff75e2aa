import { firModule } from './firModule.ts'

/**
 * Runs FIR filters over samples, all of them 32-bit floats in the memory: for each place from `output` to `outputEnd`,
 * `outputStep` apart, the sum of the products of a filter and the samples from `input` on. Then `input` moves on by
 * `inputStep` and `filter` by `filterStep`; where that comes to `filtersEnd` it goes back by `filtersBytes`, and
 * `input` on by one sample. All arguments are bytes. Filters are `filterBytes` long, a multiple of 64; at least one
 * place is written.
 */
export type FirKernel = (
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

/** What is used of WebAssembly; Node's types have no more than its name. */
interface Wasm {
  Module: new (bytes: Uint8Array) => object
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer }
  Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> }
}

const PAGE = 2 ** 16
let module: object | undefined

/** A kernel with at least `length` floats of memory, which are zero: with vectors where that can be had. */
export function firKernel(length: number): { memory: Float32Array<ArrayBuffer>; run: FirKernel } {
  try {
    const { Module, Memory, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly
    module ??= new Module(firModule())
    const memory = new Memory({ initial: Math.ceil((length * 4) / PAGE) })
    const { exports } = new Instance(module, { '': { memory } })
    return { memory: new Float32Array(memory.buffer), run: exports.run as FirKernel }
  } catch {
    // No WebAssembly under --jitless, and no memory for it where `ulimit -v` leaves less than the 8 GiB of addresses
    // that V8 sets aside for each.
    const memory = new Float32Array(length)
    return { memory, run: plainKernel(memory) }
  }
}

/** The same without vectors, which takes some fifteen times as long. */
export function plainKernel(memory: Float32Array): FirKernel {
  return (
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
  ) => {
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
}
