import { ArgumentTypeError, show, WavespoolError } from '../../errors.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import type { VoiceDetector } from './detector.ts'
import { VoiceFrames } from './frames.ts'

/** A detector that listens to a stream: fed with its frames, asked in good order, and its failures are named. */
export class VoiceListener {
  readonly #detector: VoiceDetector
  readonly #frames: VoiceFrames
  /** the latest answer that took a while */
  #answer: Promise<unknown> | undefined

  constructor(format: PcmFormat, detector: VoiceDetector) {
    this.#detector = detector
    this.#frames = new VoiceFrames(format, detector)
  }

  /** @throws {WavespoolError} `ERR_WAVESPOOL_DETECTOR` where it does not get ready, as a rejection */
  async open(): Promise<void> {
    try {
      await this.#detector.open?.()
    } catch (cause) {
      throw detectorError(cause)
    }
  }

  /** How many frames of the stream it wants to hear before it can say something. */
  get wanted(): number {
    return this.#frames.wanted
  }

  /**
   * Takes whole frames of the stream, at most as many as are wanted; yields the promises to wait for.
   *
   * @returns whether there was speech in all that it heard since it spoke last, or undefined where it wants more
   * @throws {WavespoolError} `ERR_WAVESPOOL_DETECTOR` where the detector fails
   */
  *hear(bytes: Uint8Array): Generator<Promise<unknown>, boolean | undefined, unknown> {
    const frame = this.#frames.push(bytes)
    if (frame === undefined) return undefined
    let answer: unknown
    try {
      answer = this.#detector.isSpeech(frame)
      if (typeof answer !== 'boolean') {
        this.#answer = Promise.resolve(answer)
        answer = yield this.#answer
      }
    } catch (cause) {
      throw detectorError(cause)
    }
    if (typeof answer === 'boolean') return answer
    throw new ArgumentTypeError(`a detector's isSpeech() must say true or false, got ${show(answer)}`)
  }

  /** Closes the detector, once it has answered; a later error of it is ignored. */
  close(): void {
    const close = () => this.#detector.close?.()
    Promise.resolve(this.#answer)
      .then(close, close)
      .catch(() => {})
  }
}

function detectorError(cause: unknown): WavespoolError {
  if (cause instanceof WavespoolError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new WavespoolError('ERR_WAVESPOOL_DETECTOR', `the voice detector failed: ${reason}`, { cause })
}
