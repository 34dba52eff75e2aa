import type { PcmFormat } from '../../format/pcmFormat.ts'
import { decodeSamples } from '../decode.ts'
import { reduceRates } from '../rates.ts'
import type { VoiceDetector } from './detector.ts'

/**
 * The stream as a detector hears it: one channel, at the detector's rate, in its frames. They begin and end at the same
 * places of the stream for any chunking.
 */
export class VoiceFrames {
  readonly #format: PcmFormat
  readonly #frame: Float32Array
  #filled = 0
  /** Both rates without their common divisor. A sample of the stream lasts `#to` units, one of the detector `#from`. */
  readonly #from: number
  readonly #to: number
  /** the sample of the stream at hand, and how much of it has not been used */
  #sample = 0
  #remaining = 0
  /** the sample of the detector that is being made, and how much of it is missing */
  #sum = 0
  #missing: number

  constructor(format: PcmFormat, detector: Pick<VoiceDetector, 'sampleRate' | 'frameSamples'>) {
    const { from, to } = reduceRates(format.sampleRate, detector.sampleRate)
    this.#format = format
    this.#frame = new Float32Array(detector.frameSamples)
    this.#from = from
    this.#to = to
    this.#missing = this.#from
  }

  /** How many frames of the stream the next frame of the detector still wants. */
  get wanted(): number {
    const missing = (this.#frame.length - this.#filled - 1) * this.#from + this.#missing - this.#remaining
    return Math.max(0, Math.ceil(missing / this.#to))
  }

  /** Takes whole frames, at most as many as are wanted; returns a complete frame, in the same array each time. */
  push(bytes: Uint8Array): Float32Array | undefined {
    if (this.#from === this.#to && this.#format.channels === 1) {
      decodeSamples(bytes, this.#format, this.#frame.subarray(this.#filled))
      this.#filled += bytes.length / this.#format.bytesPerFrame
    } else {
      this.#average(decodeSamples(bytes, this.#format))
    }
    if (this.#filled < this.#frame.length) return undefined
    this.#filled = 0
    return this.#frame
  }

  /** The mean over all channels, and over the time that a sample of the detector lasts. */
  #average(samples: Float32Array): void {
    const { channels } = this.#format
    let at = 0
    while (this.#filled < this.#frame.length) {
      if (this.#remaining === 0) {
        if (at === samples.length) return
        let sum = 0
        for (const end = at + channels; at < end; at++) sum += samples[at]!
        this.#sample = sum / channels
        this.#remaining = this.#to
      }
      const part = Math.min(this.#remaining, this.#missing)
      this.#sum += this.#sample * part
      this.#remaining -= part
      this.#missing -= part
      if (this.#missing > 0) continue
      this.#frame[this.#filled++] = this.#sum / this.#from
      this.#sum = 0
      this.#missing = this.#from
    }
  }
}
