import { checkDetector, type VoiceDetector } from '../../dsp/voice/detector.ts'
import { LibfvadDetector } from '../../dsp/voice/libfvad.ts'
import { ArgumentRangeError, ArgumentTypeError, show } from '../../errors.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import { type Span, spanFrames } from '../../format/span.ts'
import { makeWavHeader, type WavHeaderOptions } from '../../format/wavHeader.ts'
import { checkOptions } from '../../options.ts'
import { type Planner, SegmentPlanner, tiles } from './segmentPlanner.ts'
import { TilePlanner } from './tilePlanner.ts'

/** Segments of equal length which tile the stream: not one sample is lost or doubled. */
export interface TimeRule {
  /** length of a segment, or the most where they are cut at pauses; `{ bytes }` are those of the WAV file that comes out */
  every: Span
  /** cut each at the best pause in front of its longest end, where there is one (default: nowhere, all are equal) */
  atPause?: AtPause
  /** the detector that tells speech from noise, with `atPause` (default: WebRTC's, as libfvad) */
  detector?: VoiceDetector
}

/** Where a segment may be cut: within a pause. */
export interface AtPause {
  /** the least pause that is cut in (default 300 ms) */
  silence?: Span
  /** so far in front of its longest end a segment may be cut, less than `every` (default: a quarter of that) */
  within?: Span
}

/** Segments of speech; the silence between them is dropped. */
export interface PauseRule {
  /** a pause that ends a segment: 0.5 s parts sentences, 1 s and more parts turns of a conversation */
  silence: Span
  /** audio kept in front of the first speech (default 160 ms) */
  preRoll?: Span
  /**
   * audio kept behind the last speech, at most `silence` (default 60 ms, or `silence` where that is shorter; the built-in
   * detector itself calls about 100 ms behind the last word speech)
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
   * the detector that tells speech from noise (default: WebRTC's, as libfvad, loaded when it is used; after a sudden rise
   * of the noise it takes up to 6 s of it for speech)
   */
  detector?: VoiceDetector
}

const timeOptions = ['every', 'atPause']
const pauseOptions = ['silence', 'preRoll', 'postRoll', 'minSpeech', 'maxLength']
/** of both rules */
export const ruleOptions: readonly string[] = [...timeOptions, ...pauseOptions, 'detector']

/** A checked rule of `segment()`: its planner, and the detector that the planner needs. */
export interface Rule {
  planner: Planner
  detector: VoiceDetector | undefined
  /** frames of the longest segment */
  maxLength: number
}

/**
 * The rule that the options name.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option
 */
export function checkRule(
  format: PcmFormat,
  options: TimeRule | PauseRule,
  header: WavHeaderOptions = {},
): Rule {
  const given = (names: string[]) => names.find((name) => options[name as never] !== undefined)
  const time = given(timeOptions)
  const pause = given(pauseOptions)
  if (time !== undefined && pause !== undefined) {
    const remedy =
      pause === 'silence'
        ? '; to cut at pauses without losing a sample, say { every, atPause: { silence } }'
        : ''
    throw new ArgumentTypeError(`segment(): { every } cuts by time and takes no ${pause}${remedy}`)
  }
  if (options.detector !== undefined) checkDetector(options.detector, 'segment()')
  return time === undefined
    ? pauseRule(format, options as PauseRule)
    : timeRule(format, options as TimeRule, header)
}

function timeRule(format: PcmFormat, { every, atPause, detector }: TimeRule, header: WavHeaderOptions): Rule {
  const maxLength = everyFrames(format, every, makeWavHeader(format, header).length)
  if (atPause === undefined) {
    if (detector !== undefined)
      throw new ArgumentTypeError('segment(): { every } takes a detector with atPause alone')
    return { planner: new SegmentPlanner({ ...tiles, maxLength }), detector, maxLength }
  }
  checkOptions(atPause, ['silence', 'within'], 'segment(): atPause')
  const { silence = { milliseconds: 300 }, within } = atPause
  const spans = {
    every: maxLength,
    silence: spanFrames(format, silence, 'segment(): atPause.silence'),
    within:
      within === undefined
        ? Math.ceil(maxLength / 4)
        : spanFrames(format, within, 'segment(): atPause.within'),
  }
  if (within !== undefined && spans.within >= maxLength) {
    throw new ArgumentRangeError(
      `segment(): atPause.within must be shorter than every, as a segment would have no length; got ${spans.within} of ${maxLength} frames`,
    )
  }
  return {
    planner: new TilePlanner(spans),
    detector: detector ?? new LibfvadDetector(format.sampleRate),
    maxLength,
  }
}

/** Frames of a segment of which the file, its header and its pad byte included, has no more bytes than were asked for. */
function everyFrames(format: PcmFormat, every: Span, header: number): number {
  const frames = spanFrames(format, every, 'segment(): every')
  if (!('bytes' in every)) return frames
  const capacity = every.bytes - header
  const fit = Math.floor(capacity / format.bytesPerFrame)
  const padded =
    (fit * format.bytesPerFrame) % 2 === 1 && fit * format.bytesPerFrame + 1 > capacity ? fit - 1 : fit
  if (padded >= 1) return padded
  throw new ArgumentRangeError(
    `segment(): every: a file of ${every.bytes} bytes has no room for a frame: its header has ${header}, a frame ${format.bytesPerFrame}`,
  )
}

function pauseRule(format: PcmFormat, options: PauseRule): Rule {
  const { silence, preRoll, postRoll, minSpeech, maxLength, detector } = options
  if (silence === undefined) {
    throw new ArgumentTypeError(
      `segment() takes { every } to cut by time, or { silence } to cut at pauses, got ${show(options)}`,
    )
  }
  const frames = (name: string, span: Span) => spanFrames(format, span, `segment(): ${name}`)
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
  return {
    planner: new SegmentPlanner(spans),
    detector: detector ?? new LibfvadDetector(format.sampleRate),
    maxLength: spans.maxLength,
  }
}
