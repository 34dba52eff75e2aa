import { checkDetector, type VoiceDetector } from '../../dsp/voice/detector.ts'
import { LibfvadDetector } from '../../dsp/voice/libfvad.ts'
import { ArgumentRangeError, ArgumentTypeError, show } from '../../errors.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import { type Span, spanFrames } from '../../format/span.ts'
import { type PlanSpans, tiles } from './plan.ts'

/** Segments of equal length which tile the stream: not one sample is lost or doubled. */
export interface TimeRule {
  /** length of a segment */
  every: Span
}

/** Segments of speech; the silence between them is dropped. */
export interface PauseRule {
  /** a pause that ends a segment: 0.5 s parts sentences, 1 s and more parts turns of a conversation */
  silence: Span
  /** what is kept in front of the first speech (default 160 ms) */
  preRoll?: Span
  /**
   * what is kept behind the last speech, at most `silence` (default 60 ms, or as much as `silence`; the detector that
   * is built in itself holds on for about 100 ms)
   */
  postRoll?: Span
  /**
   * a segment opens when so much speech was heard within twice that time, and begins where it was heard first: a door
   * or a cough is shorter (default 160 ms)
   */
  minSpeech?: Span
  /** speech that goes on longer is cut, without a gap (default: any length) */
  maxLength?: Span
  /**
   * what tells speech from noise (default: WebRTC's, as libfvad, loaded when it is used; after a sudden rise of the
   * noise it takes up to 6 s of it for speech)
   */
  detector?: VoiceDetector
}

const timeOptions = ['every']
const pauseOptions = ['silence', 'preRoll', 'postRoll', 'minSpeech', 'maxLength', 'detector']
/** of both rules */
export const ruleOptions: readonly string[] = [...timeOptions, ...pauseOptions]

/**
 * The rule in frames, and the detector that it needs.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option
 */
export function checkRule(
  format: PcmFormat,
  options: TimeRule | PauseRule,
): { spans: PlanSpans; detector: VoiceDetector | undefined } {
  const given = (names: string[]) => names.find((name) => options[name as never] !== undefined)
  const time = given(timeOptions)
  const pause = given(pauseOptions)
  if (time !== undefined && pause !== undefined) {
    throw new ArgumentTypeError(`segment(): { every } cuts by time and takes no ${pause}`)
  }
  const frames = (name: string, span: Span) => spanFrames(format, span, `segment(): ${name}`)
  if ('every' in options && time !== undefined) {
    return { spans: { ...tiles, maxLength: frames('every', options.every) }, detector: undefined }
  }
  const { silence, preRoll, postRoll, minSpeech, maxLength, detector } = options as PauseRule
  if (silence === undefined) {
    throw new ArgumentTypeError(
      `segment() takes { every } to cut by time, or { silence } to cut at pauses, got ${show(options)}`,
    )
  }
  if (detector !== undefined) checkDetector(detector, 'segment()')
  const ofTime = (milliseconds: number) => Math.floor((format.sampleRate * milliseconds) / 1000)
  const spans = {
    silence: frames('silence', silence),
    preRoll: preRoll === undefined ? ofTime(160) : frames('preRoll', preRoll),
    postRoll: 0,
    minSpeech: minSpeech === undefined ? ofTime(160) : frames('minSpeech', minSpeech),
    maxLength: maxLength === undefined ? Number.POSITIVE_INFINITY : frames('maxLength', maxLength),
  }
  spans.postRoll = postRoll === undefined ? Math.min(ofTime(60), spans.silence) : frames('postRoll', postRoll)
  if (spans.postRoll > spans.silence) {
    throw new ArgumentRangeError(
      `segment(): postRoll must not be longer than silence, which ends the segment; got ${spans.postRoll} frames after ${spans.silence}`,
    )
  }
  return { spans, detector: detector ?? new LibfvadDetector(format.sampleRate) }
}
