import type { JetStreamClient } from '@nats-io/jetstream'
import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { checkOptions } from '../options.ts'
import { checkClient, checkPositive, checkRetrySeconds, Retrying, type RetryOptions } from './client.ts'
import { checkId, namesOf, type PrefixOptions } from './names.ts'
import { RecordingFollower } from './recordingFollower.ts'
import { RecordingSubject } from './recordingSubject.ts'

/** The options of `followRecording()`. */
export interface FollowRecordingOptions extends PrefixOptions, RetryOptions {
  /** The byte of the recording to begin at, at the beginning of a frame (default 0); `'live'`: the newest one. */
  start?: number | 'live'
  /**
   * The last byte, inclusive as in `fs.createReadStream()`, where the recording goes on behind it (default: the end of
   * the recording).
   */
  end?: number
  /**
   * How audio is handled that no recorder has sent, because one died and another one took over later. `'report'`
   * (default): an entry in `gaps` and the event `'gap'`; `'fill'`: that, and silence of its length, so that places stay
   * true; `'error'`: that, and the stream fails there with `ERR_WAVESPOOL_GAP`.
   */
  onGap?: 'report' | 'fill' | 'error'
  /**
   * Fails with `ERR_WAVESPOOL_IDLE` when nothing has come for so many seconds: a recorder that died leaves no end mark.
   * Without it, the stream waits for another recorder to continue.
   */
  idleSeconds?: number
}

/**
 * A Readable of a recording's PCM, on any machine, while {@link publishRecording} goes on with it and after. It may
 * begin before the recorder does; the format comes with the event `'format'`, before the first audio. It ends
 * gracefully where the recording does.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong client, id or option
 *
 * Fails with a WavespoolError: `ERR_WAVESPOOL_HOLE` (audio is missing in the stream, as where the oldest of it has been
 * removed by age), `ERR_WAVESPOOL_GAP` (with `onGap: 'error'`), `ERR_WAVESPOOL_IDLE` (see `idleSeconds`),
 * `ERR_WAVESPOOL_JETSTREAM` (no server answered in time, or the streams are not there). The audio that arrived until then
 * is delivered first.
 *
 * @example
 * const call = followRecording(js, 'call-1')
 * const [format] = await once(call, 'format')
 * await pipeline(call, wavHeader(format), new VirtualFile())
 */
export function followRecording(
  js: JetStreamClient,
  id: string,
  options: FollowRecordingOptions = {},
): RecordingFollower {
  const caller = 'followRecording()'
  const client = checkClient(js, caller)
  checkId(id, caller)
  checkOptions(options, ['prefix', 'retrySeconds', 'start', 'end', 'onGap', 'idleSeconds'], caller)
  const { start = 0, end = Number.POSITIVE_INFINITY, onGap = 'report', idleSeconds } = options
  if (start !== 'live') checkByte(start, `${caller}: start`)
  if (end !== Number.POSITIVE_INFINITY) checkByte(end, `${caller}: end`)
  if (onGap !== 'report' && onGap !== 'fill' && onGap !== 'error') {
    throw new ArgumentTypeError(`${caller}: onGap must be 'report', 'fill' or 'error', got ${show(onGap)}`)
  }
  if (idleSeconds !== undefined) checkPositive(idleSeconds, `${caller}: idleSeconds`)
  const names = namesOf(options.prefix, caller)
  const retrySeconds = checkRetrySeconds(options.retrySeconds, caller)
  return new RecordingFollower(id, { start, past: end + 1, onGap, idleSeconds }, (isStopped) => {
    return new RecordingSubject(client, names, id, new Retrying(retrySeconds, isStopped))
  })
}

function checkByte(value: unknown, name: string): void {
  if (typeof value !== 'number') throw new ArgumentTypeError(`${name} must be a number, got ${show(value)}`)
  if (Number.isSafeInteger(value) && value >= 0) return
  throw new ArgumentRangeError(`${name} is a byte of the recording, 0 or more, got ${value}`)
}
