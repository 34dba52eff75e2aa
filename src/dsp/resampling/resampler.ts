import { ArgumentRangeError } from '../../errors.ts'
import { type FirKernel, firKernel } from './firKernel.ts'
import { type SincFilters, sincFilters } from './sincFilters.ts'

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
 * Interleaved frames at another rate, by 32-bit floats. What comes out is in time with what goes in,
 * `round(frames × to / from)` frames in all, and the same whatever the pieces that it is given in.
 */
export class Resampler {
  /** the most frames that one `process()` takes */
  readonly blockFrames: number
  readonly #channels: number
  /** the rates without their common divisor, which keeps the sums below exact */
  readonly #from: number
  readonly #to: number
  readonly #filters: SincFilters
  readonly #run: FirKernel
  /** The kernel's memory: filters, then the samples of each channel that are still needed, then the output. */
  readonly #memory: Float32Array<ArrayBuffer>
  readonly #inputAt: number
  readonly #inputLength: number
  readonly #outputAt: number
  readonly #output: Float64Array
  /** frames that lie in the input */
  #held: number
  /** where the next output frame lies behind the first of those that a filter covers, in parts of `to` */
  #position = 0
  #taken = 0
  #given = 0

  constructor(from: number, to: number, channels: number) {
    const divisor = greatestCommonDivisor(from, to)
    this.#from = from / divisor
    this.#to = to / divisor
    this.#channels = channels
    this.#filters = sincFilters(this.#from, this.#to)
    this.blockFrames = Math.max(1, Math.floor(BLOCK / channels / Math.max(1, to / from)))
    const { coefficients, length, reach } = this.#filters
    this.#inputAt = coefficients.length
    this.#inputLength = length + this.blockFrames
    this.#outputAt = this.#inputAt + this.#inputLength * channels
    const outputLength = Math.ceil((this.blockFrames * to) / from) * channels
    this.#output = new Float64Array(outputLength)
    const pair = 2 // between which is interpolated
    const { memory, run } = firKernel(this.#outputAt + outputLength + pair)
    this.#memory = memory
    this.#run = run
    this.#memory.set(coefficients)
    this.#held = reach - 1 // the first output frame falls on the first input frame; before it is silence
  }

  /**
   * @param samples at most `blockFrames`
   * @returns the frames that are complete, in a place that the next call writes over
   */
  process(samples: Float64Array): Float64Array {
    this.#append(samples)
    const spare = this.#held - this.#filters.length
    const frames = spare < 0 ? 0 : Math.ceil(((spare + 1) * this.#to - this.#position) / this.#from)
    if (frames > 0) {
      for (let channel = 0; channel < this.#channels; channel++) {
        if (this.#filters.isExact) this.#filter(channel, frames)
        else this.#interpolate(channel, frames)
      }
      this.#advance(frames)
    }
    this.#given += frames
    const length = frames * this.#channels
    this.#output.set(this.#memory.subarray(this.#outputAt, this.#outputAt + length))
    return this.#output.subarray(0, length)
  }

  /** What the filters still hold at the end. */
  drain(): Float64Array {
    const total = Math.round((this.#taken * this.#to) / this.#from)
    const rest = new Float64Array((total - this.#given) * this.#channels)
    const silence = new Float64Array(this.blockFrames * this.#channels)
    for (let at = 0; at < rest.length; ) {
      const more = this.process(silence).subarray(0, rest.length - at)
      rest.set(more, at)
      at += more.length
    }
    return rest
  }

  #append(samples: Float64Array): void {
    const channels = this.#channels
    const frames = samples.length / channels
    if (channels === 1) this.#memory.set(samples, this.#inputAt + this.#held)
    else {
      for (let channel = 0; channel < channels; channel++) {
        let at = this.#inputAt + channel * this.#inputLength + this.#held
        for (let i = channel; i < samples.length; i += channels) this.#memory[at++] = samples[i]!
      }
    }
    this.#held += frames
    this.#taken += frames
  }

  #filter(channel: number, frames: number): void {
    const { length } = this.#filters
    const filterBytes = length * 4
    const output = (this.#outputAt + channel) * 4
    const outputStep = this.#channels * 4
    this.#run(
      output,
      output + frames * outputStep,
      outputStep,
      (this.#inputAt + channel * this.#inputLength + Math.floor(this.#position / this.#to)) * 4,
      Math.floor(this.#from / this.#to) * 4,
      (this.#position % this.#to) * filterBytes,
      (this.#from % this.#to) * filterBytes,
      filterBytes,
      this.#to * filterBytes,
      this.#to * filterBytes,
    )
  }

  /** For rates with so many places that no table holds them, such as 44,101 to 16,000 Hz: slower, but as good. */
  #interpolate(channel: number, frames: number): void {
    const { length, places } = this.#filters
    const filterBytes = length * 4
    const filtersEnd = (places + 2) * filterBytes
    const pair = this.#memory.length - 2
    for (let frame = 0, position = this.#position; frame < frames; frame++, position += this.#from) {
      const place = ((position % this.#to) / this.#to) * places
      const below = Math.floor(place)
      const input = (this.#inputAt + channel * this.#inputLength + Math.floor(position / this.#to)) * 4
      this.#run(
        pair * 4,
        pair * 4 + 8,
        4,
        input,
        0,
        below * filterBytes,
        filterBytes,
        filterBytes,
        filtersEnd,
        0,
      )
      const [a, b] = [this.#memory[pair]!, this.#memory[pair + 1]!]
      this.#memory[this.#outputAt + frame * this.#channels + channel] = a + (b - a) * (place - below)
    }
  }

  /** Lets go of the input that no output needs any more. */
  #advance(frames: number): void {
    this.#position += frames * this.#from
    const passed = Math.floor(this.#position / this.#to)
    this.#position -= passed * this.#to
    for (let channel = 0; channel < this.#channels; channel++) {
      const start = this.#inputAt + channel * this.#inputLength
      this.#memory.copyWithin(start, start + passed, start + this.#held)
    }
    this.#held -= passed
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
