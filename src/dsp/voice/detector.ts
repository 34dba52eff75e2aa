import { ArgumentTypeError, show } from '../../errors.ts'

/**
 * Whatever can tell speech from everything else, frame by frame: a rule of your own, or a model such as Silero (16 kHz,
 * 512 samples, an answer that takes a while). It hears the stream as one channel at its own rate, whatever the format
 * of the stream is: several channels become one by their mean, another rate by the mean over the time of each sample,
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
  /** Gives back what it holds. Called once, however the stream ends. */
  close?(): void | Promise<void>
}

/** @throws {ArgumentTypeError} for what is no detector */
export function checkDetector(detector: unknown, caller: string): asserts detector is VoiceDetector {
  const { sampleRate, frameSamples, isSpeech } = (detector ?? {}) as Partial<VoiceDetector>
  const isWhole = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0
  if (typeof isSpeech === 'function' && isWhole(sampleRate) && isWhole(frameSamples)) return
  throw new ArgumentTypeError(
    `${caller}: a detector has sampleRate and frameSamples, both whole numbers, and isSpeech(frame), got ${show(detector)}`,
  )
}
