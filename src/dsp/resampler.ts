import { ArgumentRangeError, WavespoolError } from '../errors.ts'
import { loadSpeex, type Speex } from './speex.ts'

/** Of speex's 0 to 10: the least that is flat within 0.1 dB to 85 % of the band and 100 dB down where it folds. */
const QUALITY = 6
/** The filter grows with the ratio of the rates. */
const MAX_RATIO = 256
/** Speex counts sixteenths of a sample in 32 bits. */
const MAX_RATE = 2 ** 28 - 1
/** floats in either buffer */
const BUFFER = 8192

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
  readonly #speex: Speex
  readonly #channels: number
  /** the rates without their common divisor, which keeps the sums below exact */
  readonly #from: number
  readonly #to: number
  readonly #outputFrames: number
  /** pointers, 0 when closed: the state; the input buffer with the output buffer and two lengths behind it */
  #state: number
  #input: number
  readonly #output: number
  readonly #lengths: number
  #taken = 0
  #given = 0

  private constructor(speex: Speex, from: number, to: number, channels: number) {
    const divisor = greatestCommonDivisor(from, to)
    this.#speex = speex
    this.#channels = channels
    this.#from = from / divisor
    this.#to = to / divisor
    this.blockFrames = Math.max(1, Math.floor(BUFFER / channels / Math.max(1, to / from)))
    this.#outputFrames = Math.ceil((this.blockFrames * to) / from) + 1
    const inputBytes = this.blockFrames * channels * 4
    const outputBytes = this.#outputFrames * channels * 4
    this.#input = speex._malloc(inputBytes + outputBytes + 8)
    this.#output = this.#input + inputBytes
    this.#lengths = this.#output + outputBytes
    this.#state =
      this.#input && speex._speex_resampler_init(channels, this.#from, this.#to, QUALITY, this.#lengths)
    if (this.#state === 0) {
      this.close()
      throw new WavespoolError(
        'ERR_WAVESPOOL_RESAMPLER',
        `there is not enough memory to convert ${channels} channels from ${from} Hz to ${to} Hz`,
      )
    }
    speex._speex_resampler_skip_zeros(this.#state)
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
    const frames = samples.length / this.#channels
    // Read again each time: whatever else allocated may have let the memory grow, and that detaches the views.
    const { HEAPF32, HEAPU32 } = this.#speex
    HEAPF32.set(samples, this.#input / 4)
    HEAPU32[this.#lengths / 4] = frames
    HEAPU32[this.#lengths / 4 + 1] = this.#outputFrames
    this.#speex._speex_resampler_process_interleaved_float(
      this.#state,
      this.#input,
      this.#lengths,
      this.#output,
      this.#lengths + 4,
    )
    const given = HEAPU32[this.#lengths / 4 + 1]!
    this.#taken += frames
    this.#given += given
    return HEAPF32.subarray(this.#output / 4, this.#output / 4 + given * this.#channels)
  }

  /** What the filter still holds at the end. */
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
    if (this.#state !== 0) this.#speex._speex_resampler_destroy(this.#state)
    this.#speex._free(this.#input)
    this.#state = this.#input = 0
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
