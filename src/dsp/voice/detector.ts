import { ArgumentTypeError, show } from '../../errors.ts'

/**
 * Tells speech from other sound, frame by frame: a rule of your own, or a model such as Silero (16 kHz,
 * 512 samples, an answer that takes a while). It hears the stream as one channel at its own rate, from a stream
 * of any format: several channels become one by their mean, another rate by the mean over the time of each sample,
 * which is good enough to listen to, and no more.
 */
export interface VoiceDetector {
  /** Hz at which it hears */
  readonly sampleRate: number
  /** samples of a frame: it is asked once a frame */
  readonly frameSamples: number
  /** Gets ready, where that takes time: loads a model. */
  open?(): Promise<void>
  /**
   * Whether there is speech in the next frame. The samples lie from −1 to 1; the array is used again once it has
   * answered. It is asked for one frame at a time, in their order.
   */
  isSpeech(frame: Float32Array): boolean | Promise<boolean>
  /** Frees its resources. Called once, however the stream ends. */
  close?(): void | Promise<void>
}

/** @throws {ArgumentTypeError} for an invalid detector */
export function checkDetector(detector: unknown, caller: string): asserts detector is VoiceDetector {
  const { sampleRate, frameSamples, isSpeech } = (detector ?? {}) as Partial<VoiceDetector>
  const isWhole = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0
  if (typeof isSpeech === 'function' && isWhole(sampleRate) && isWhole(frameSamples)) return
  throw new ArgumentTypeError(
    `${caller}: a detector has sampleRate and frameSamples, both whole numbers, and isSpeech(frame), got ${show(detector)}`,
  )
}
