import { ArgumentRangeError } from '../../errors.ts'
import { reduceRates } from '../rates.ts'
import type { Samples } from '../scratch.ts'
import type { FirMachine } from './firKernel.ts'
import type { SincFilters } from './sincFilters.ts'
import { workbench } from './workbench.ts'

/** The filters grow with the ratio of the rates. */
const MAX_RATIO = 256
/** samples that are worked on at once, before or behind the filters, whichever are more */
const BLOCK = 4096

/** @throws {ArgumentRangeError} for rates that the resampler cannot convert */
export function checkRates(from: number, to: number, caller: string): void {
  if (Math.max(from / to, to / from) > MAX_RATIO) {
    throw new ArgumentRangeError(
      `${caller}: from ${from} Hz to ${to} Hz cannot be converted; the rates must be at most ${MAX_RATIO} times apart`,
    )
  }
}

/**
 * Interleaved frames at another rate, by 32-bit floats. The output is in time with the input,
 * `round(frames × to / from)` frames in all, and the same for any chunking.
 *
 * The work is done in the memory of the thread's {@link workbench}: the input of one channel after another, beginning
 * with its history, and behind it the output. Between two calls a resampler keeps nothing but its history.
 */
export class Resampler {
  /** the most frames that one `process()` takes */
  readonly blockFrames: number
  readonly #channels: number
  /** the rates without their common divisor, which keeps the sums below exact */
  readonly #from: number
  readonly #to: number
  readonly #filters: SincFilters
  /** for each channel the samples from the first on that the next output needs, `#held` of them */
  readonly #history: Float32Array[]
  #held: number
  /** where the output lies in the memory, in floats */
  readonly #outputAt: number
  /** how much of the memory is needed for one block, in floats */
  readonly #workLength: number
  /** where the next output frame lies behind the first of those that a filter covers, in parts of `to` */
  #position = 0
  #taken = 0
  #given = 0

  constructor(from: number, to: number, channels: number) {
    const reduced = reduceRates(from, to)
    this.#from = reduced.from
    this.#to = reduced.to
    this.#channels = channels
    this.#filters = workbench().filters(this.#from, this.#to)
    this.blockFrames = Math.max(1, Math.floor(BLOCK / channels / Math.max(1, to / from)))
    const { length, reach } = this.#filters
    const most = length - 1 // frames that are kept: with one more there would be another output
    this.#history = Array.from({ length: channels }, () => new Float32Array(most))
    this.#held = reach - 1 // the first output frame falls on the first input frame; before it is silence
    this.#outputAt = most + this.blockFrames
    const spare = 8 // for the pair between which is interpolated, and for what encodeInt16() writes over
    this.#workLength = this.#outputAt + Math.ceil((this.blockFrames * to) / from) * channels + spare
  }

  /** How many frames so many more will complete. */
  framesFor(count: number): number {
    const spare = this.#held + count - this.#filters.length
    return spare < 0 ? 0 : Math.ceil(((spare + 1) * this.#to - this.#position) / this.#from)
  }

  /**
   * @param samples at most `blockFrames`
   * @returns the frames that are complete, in a place that the next call of any resampler writes over
   */
  process(samples: Samples): Float32Array {
    const bench = workbench()
    const table = bench.prepare(this.#filters, this.#workLength)
    const { machine } = bench
    const { memory } = machine
    const count = samples.length / this.#channels
    const frames = this.framesFor(count)
    const passed = Math.floor((this.#position + frames * this.#from) / this.#to)
    const left = this.#held + count - passed
    for (let channel = 0; channel < this.#channels; channel++) {
      const history = this.#history[channel]!
      memory.set(history)
      this.#append(samples, channel, memory)
      if (frames > 0 && this.#filters.isExact) this.#filter(machine, table, channel, frames)
      else if (frames > 0) this.#interpolate(machine, table, channel, frames)
      for (let i = 0; i < left; i++) history[i] = memory[passed + i]!
    }
    this.#position += frames * this.#from - passed * this.#to
    this.#held = left
    this.#taken += count
    this.#given += frames
    return memory.subarray(this.#outputAt, this.#outputAt + frames * this.#channels)
  }

  /** The rest that the filters hold at the end. */
  drain(): Float32Array {
    const total = Math.round((this.#taken * this.#to) / this.#from)
    const rest = new Float32Array((total - this.#given) * this.#channels)
    const silence = new Float32Array(this.blockFrames * this.#channels)
    for (let at = 0; at < rest.length; ) {
      const more = this.process(silence).subarray(0, rest.length - at)
      rest.set(more, at)
      at += more.length
    }
    return rest
  }

  #append(samples: Samples, channel: number, memory: Float32Array): void {
    if (this.#channels === 1) memory.set(samples, this.#held)
    else {
      let at = this.#held
      for (let i = channel; i < samples.length; i += this.#channels) memory[at++] = samples[i]!
    }
  }

  #filter({ run }: FirMachine, table: number, channel: number, frames: number): void {
    const filterBytes = this.#filters.length * 4
    const output = (this.#outputAt + channel) * 4
    const outputStep = this.#channels * 4
    const filtersBytes = this.#to * filterBytes
    run(
      output,
      output + frames * outputStep,
      outputStep,
      Math.floor(this.#position / this.#to) * 4,
      Math.floor(this.#from / this.#to) * 4,
      table * 4 + (this.#position % this.#to) * filterBytes,
      (this.#from % this.#to) * filterBytes,
      filterBytes,
      table * 4 + filtersBytes,
      filtersBytes,
    )
  }

  /** For rates with so many places that no table holds them, such as 44,101 to 16,000 Hz: slower, but as good. */
  #interpolate({ run, memory }: FirMachine, table: number, channel: number, frames: number): void {
    const { length, places } = this.#filters
    const filterBytes = length * 4
    const filtersEnd = table * 4 + (places + 2) * filterBytes
    const pair = this.#workLength - 2
    for (let frame = 0, position = this.#position; frame < frames; frame++, position += this.#from) {
      const place = ((position % this.#to) / this.#to) * places
      const below = Math.floor(place)
      const input = Math.floor(position / this.#to) * 4
      const filter = table * 4 + below * filterBytes
      run(pair * 4, pair * 4 + 8, 4, input, 0, filter, filterBytes, filterBytes, filtersEnd, 0)
      const [a, b] = [memory[pair]!, memory[pair + 1]!]
      memory[this.#outputAt + frame * this.#channels + channel] = a + (b - a) * (place - below)
    }
  }
}
