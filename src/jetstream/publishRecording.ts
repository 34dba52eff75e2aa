import type { JetStreamClient } from '@nats-io/jetstream'
import { ArgumentRangeError, show } from '../errors.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { type Span, spanBytes } from '../format/span.ts'
import { checkOptions } from '../options.ts'
import { checkClient, checkRetrySeconds, Retrying, type RetryOptions } from './client.ts'
import { checkId, namesOf, type PrefixOptions } from './names.ts'
import { RecordingAppender } from './recordingAppender.ts'
import { LARGEST_MESSAGE, RecordingPublisher } from './recordingPublisher.ts'
import { RecordingSubject } from './recordingSubject.ts'

/** The options of `publishRecording()`. */
export interface PublishRecordingOptions extends PrefixOptions, RetryOptions {
  /** How much audio is put into one message (default 100 ms). While one is under way, the next one grows. */
  message?: Span
  /** How much audio may wait for the servers before the source has to wait (default 30 s). */
  buffer?: Span
  /**
   * Continues an existing recording: the byte of the recording at which the audio to come begins. Bytes that are there
   * already are left out; missing bytes are reported as a gap. Without it, the id must be new.
   */
  position?: number
}

/**
 * A Writable that puts PCM into a stream of NATS JetStream, where any machine can follow it: see
 * {@link followRecording}. One message is under way at a time; the next one carries the audio written meanwhile. While a
 * leader is elected or a server restarts, the audio waits.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong client, id, format or option
 *
 * Fails with a WavespoolError: `ERR_WAVESPOOL_SUPERSEDED` (another recorder has taken over this id),
 * `ERR_WAVESPOOL_RECORDING` (the id is taken, or its recording has ended), `ERR_WAVESPOOL_FULL` (so is the stream),
 * `ERR_WAVESPOOL_JETSTREAM` (no server answered in time, or the streams are not there: {@link ensureStreams}).
 *
 * @example
 * await pipeline(portAudio(format), publishRecording(js, 'call-1', format))
 */
export function publishRecording(
  js: JetStreamClient,
  id: string,
  format: PcmFormat,
  options: PublishRecordingOptions = {},
): RecordingPublisher {
  const caller = 'publishRecording()'
  const client = checkClient(js, caller)
  checkId(id, caller)
  const checked = requireFormat(format, caller, 'the PCM format third')
  checkOptions(options, ['prefix', 'retrySeconds', 'message', 'buffer', 'position'], caller)
  const { message = { milliseconds: 100 }, buffer = { seconds: 30 }, position } = options
  const messageBytes = spanBytes(checked, message, `${caller}: message`)
  const bufferBytes = spanBytes(checked, buffer, `${caller}: buffer`)
  if (messageBytes > LARGEST_MESSAGE) {
    throw new ArgumentRangeError(
      `${caller}: a message has at most ${LARGEST_MESSAGE} bytes of audio, got ${messageBytes}`,
    )
  }
  if (bufferBytes < messageBytes) {
    throw new ArgumentRangeError(`${caller}: buffer must hold at least one message, of ${messageBytes} bytes`)
  }
  if (position !== undefined) checkPosition(position, checked, `${caller}: position`)
  const names = namesOf(options.prefix, caller)
  const retrySeconds = checkRetrySeconds(options.retrySeconds, caller)
  return new RecordingPublisher(
    id,
    checked,
    { messageBytes, bufferBytes, position },
    (recorder, isStopped) => {
      const retrying = new Retrying(retrySeconds, isStopped)
      return new RecordingAppender(
        client,
        new RecordingSubject(client, names, id, retrying),
        retrying,
        id,
        recorder,
        checked,
      )
    },
  )
}

/** @throws {ArgumentRangeError} for anything but a whole number of frames, in bytes */
function checkPosition(position: unknown, { bytesPerFrame }: PcmFormat, name: string): number {
  if (
    Number.isSafeInteger(position) &&
    (position as number) >= 0 &&
    (position as number) % bytesPerFrame === 0
  ) {
    return position as number
  }
  throw new ArgumentRangeError(
    `${name} is a number of bytes, 0 or more, in whole frames of ${bytesPerFrame}; got ${show(position)}`,
  )
}
