import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { type Span, spanFrames } from '../format/span.ts'
import { checkOptions } from '../options.ts'
import { type Clock, clockOf } from './clock.ts'
import { TimelineKernel } from './timeline/kernel.ts'
import { Timeline } from './timeline/timelineStage.ts'

/** The options of `timeline()`. */
export interface TimelineOptions {
  /** the names of the tracks; they become channels in this order */
  tracks: readonly string[]
  /** `'channels'` (default): one channel a track; `'mix'`: their sum in one channel, cut off where it is too loud */
  output?: 'channels' | 'mix'
  /** how far behind the newest end audio may still come, as packets overtake each other (default 200 ms); bounds the memory */
  window?: Span
  /** the farthest that an item may jump ahead of the newest end (default 5 minutes) */
  maxGap?: Span
  /**
   * `'fast'` (default): only audio moves the timeline on; `'realtime'`, or a clock: silence flows while no audio comes,
   * from the first item or the first `track()` on
   */
  pace?: 'fast' | 'realtime' | Clock
}

/**
 * A Transform that puts several voices in step: items `{ track, at, data }` in, `at` in frames, PCM out, one channel a
 * track, or their sum. Only `at` says where something belongs, never when or in which order it came.
 *
 * `'gap'` tells a {@link TimelineGap} of silence that stands for audio that never came, once it is over; `'late'` a
 * {@link TimelineLate} of audio that was left out, as its place had gone out or was taken.
 *
 * @param format of the items: mono
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format or option
 *
 * Fails with `ERR_WAVESPOOL_TIMELINE`, after all that had come, for a chunk that is no item of one of its tracks, and for one that
 * lies more than `maxGap` ahead.
 *
 * @example
 * const voices = timeline(format, { tracks: ['caller', 'agent'] })
 * voices.write({ track: 'caller', at: 0, data: Buffer.alloc(640) })
 * voices.end({ track: 'agent', at: 320, data: Buffer.alloc(640) })
 * await pipeline(voices, wavHeader(voices.format), memo)
 */
export function timeline(format: PcmFormat, options: TimelineOptions): Timeline {
  const checked = requireFormat(format, 'timeline()')
  if (checked.channels !== 1) {
    throw new ArgumentRangeError(
      `timeline() takes the format of one voice, which is mono; got ${checked.channels} channels`,
    )
  }
  checkOptions(options, ['tracks', 'output', 'window', 'maxGap', 'pace'], 'timeline()')
  const { tracks, output = 'channels', pace = 'fast' } = options
  if (!Array.isArray(tracks) || tracks.length === 0 || !tracks.every((name) => typeof name === 'string')) {
    throw new ArgumentTypeError(`timeline(): tracks must be the names of the tracks, got ${show(tracks)}`)
  }
  if (new Set(tracks).size < tracks.length) {
    throw new ArgumentRangeError(`timeline(): each track needs a name of its own, got ${tracks.join(', ')}`)
  }
  if (output !== 'channels' && output !== 'mix') {
    throw new ArgumentTypeError(`timeline(): output must be 'channels' or 'mix', got ${show(output)}`)
  }
  const { window = { milliseconds: 200 }, maxGap = { seconds: 300 } } = options
  const spans = {
    window: spanFrames(checked, window, 'timeline(): window'),
    maxGap: spanFrames(checked, maxGap, 'timeline(): maxGap'),
  }
  const clock = clockOf(pace, 'timeline()')
  const kernel = new TimelineKernel(checked, tracks, output, spans)
  return new Timeline(kernel, checked, tracks, spans.window, clock)
}
