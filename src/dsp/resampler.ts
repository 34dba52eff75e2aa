import { ArgumentRangeError } from '../errors.ts'
import { loadSpeex, type Speex, SpeexFilter } from './speex.ts'

/** The filter grows with the ratio of the rates. */
const MAX_RATIO = 256
/** Speex counts sixteenths of a sample in 32 bits, and halving may double what it counts. */
const MAX_RATE = 2 ** 27 - 1
/** samples that are worked on at once, before or behind the filter, whichever are more */
const BLOCK = 8192
/** Speex keeps a table for each place between two samples up to so many; for more it interpolates, at a quarter of the speed. */
const MAX_TABLES = 8

/** @throws {ArgumentRangeError} for rates that the resampler cannot convert */
export function checkRates(from: number, to: number, caller: string): void {
  if (Math.max(from, to) > MAX_RATE || Math.max(from / to, to / from) > MAX_RATIO) {
    throw new ArgumentRangeError(
      `${caller}: from ${from} Hz to ${to} Hz cannot be converted; the rates must be at most ${MAX_RATIO} times apart, and at most ${MAX_RATE} Hz`,
    )
  }
}

/**
 * Interleaved frames at another rate: speex's windowed sinc, in 32-bit floats. What comes out is in time with what goes
 * in, `round(frames × to / from)` frames in all, and the same whatever the pieces that it is given in.
 */
export class Resampler {
  /** the most frames that one `process()` takes */
  readonly blockFrames: number
  readonly #channels: number
  /** the rates without their common divisor, which keeps the sums below exact */
  readonly #from: number
  readonly #to: number
  readonly #filters: SpeexFilter[] = []
  #taken = 0
  #given = 0

  private constructor(speex: Speex, from: number, to: number, channels: number) {
    const divisor = greatestCommonDivisor(from, to)
    this.#from = from / divisor
    this.#to = to / divisor
    this.#channels = channels
    this.blockFrames = Math.max(1, Math.floor(BLOCK / channels / Math.max(1, to / from)))
    try {
      let frames = this.blockFrames
      for (const step of steps(this.#from, this.#to)) {
        const filter = new SpeexFilter(speex, step.from, step.to, channels, frames)
        this.#filters.push(filter)
        frames = filter.outputFrames
      }
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** @throws {WavespoolError} `ERR_WAVESPOOL_RESAMPLER` where it cannot be loaded, or has not enough memory */
  static async open(from: number, to: number, channels: number): Promise<Resampler> {
    return new Resampler(await loadSpeex(), from, to, channels)
  }

  /**
   * @param samples at most `blockFrames`
   * @returns the frames that are complete, in a place that the next call writes over
   */
  process(samples: Float64Array | Float32Array): Float32Array {
    let out = samples
    for (const filter of this.#filters) out = filter.process(out)
    this.#taken += samples.length / this.#channels
    this.#given += out.length / this.#channels
    return out as Float32Array
  }

  /** What the filters still hold at the end. */
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

  /** Gives the memory back. */
  close(): void {
    for (const filter of this.#filters.splice(0)) filter.close()
  }
}

/**
 * The filters between two rates, without a common divisor: one, unless that would interpolate and most of what it
 * takes is too high for what it gives. Then the rate is halved first, which is cheap: 44.1 to 16 kHz takes two thirds
 * of the time.
 */
function steps(from: number, to: number): { from: number; to: number }[] {
  if (to <= MAX_TABLES || from <= 2 * to) return [{ from, to }]
  const half = from % 2 === 0 ? { from: from / 2, to } : { from, to: to * 2 }
  return [{ from: 2, to: 1 }, ...steps(half.from, half.to)]
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
