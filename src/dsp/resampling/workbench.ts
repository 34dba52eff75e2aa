import { Latest } from '../../latest.ts'
import type { Samples } from '../scratch.ts'
import { type FirMachine, firMachine } from './firKernel.ts'
import { type SincFilters, sincFilters } from './sincFilters.ts'

/** floats of filters that lie in the machine's memory at most: four megabytes, eight of the largest tables */
const MOST = 2 ** 20
/** pairs of rates of which the filters are kept for the next resampler */
const KEPT = 16

/**
 * The WebAssembly instance that all resamplers of a thread share; its memory holds one piece of work in front and the
 * tables of filters behind it. Each piece is resampled in one call, so that no other resampler can interrupt it.
 */
export class Workbench {
  readonly machine: FirMachine
  /** where each table lies, in floats */
  readonly #tables = new Map<SincFilters, number>()
  readonly #kept = new Latest<string, SincFilters>(KEPT)
  #workLength = 0
  #end = 0

  constructor(machine = firMachine()) {
    this.machine = machine
  }

  /** The filters of a pair of rates without their common divisor, which resamplers that are made soon after share. */
  filters(from: number, to: number): SincFilters {
    return this.#kept.get(`${from}:${to}`, () => sincFilters(from, to))
  }

  /**
   * Makes room for `length` floats of work at the beginning of the memory, and lays the filters ready behind it.
   *
   * @returns where the filters lie, in floats; the memory may be another one than before
   */
  prepare(filters: SincFilters, length: number): number {
    const laid = this.#tables.get(filters)
    if (laid !== undefined && length <= this.#workLength) return laid
    const { coefficients } = filters
    if (length > this.#workLength || this.#end + coefficients.length > this.#workLength + MOST) {
      this.#tables.clear() // those that are still needed come back at their next turn
      this.#workLength = Math.max(this.#workLength, Math.ceil(length / 4) * 4)
      this.#end = this.#workLength
    }
    const at = this.#end
    this.#end += coefficients.length
    this.machine.grow(this.#end)
    this.machine.memory.set(coefficients, at)
    this.#tables.set(filters, at)
    return at
  }

  /**
   * Puts out samples that lie in the machine's memory as s16le, as `encodeSamples()` does; their place is lost.
   *
   * @returns false, with nothing done, where they lie somewhere else, or the machine cannot
   */
  encodeInt16(samples: Samples, out: Uint8Array): boolean {
    const { memory, toInt16 } = this.machine
    if (toInt16 === undefined || samples.buffer !== memory.buffer) return false
    const { byteOffset, byteLength, length } = samples
    if (length > 0) toInt16(byteOffset, byteOffset + byteLength)
    out.set(new Uint8Array(memory.buffer, byteOffset, length * 2))
    return true
  }
}

let shared: Workbench | undefined

/** The one of this thread, made when it is first needed. */
export function workbench(): Workbench {
  shared ??= new Workbench()
  return shared
}
