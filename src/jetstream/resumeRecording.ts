import type { JetStreamClient } from '@nats-io/jetstream'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { checkOptions } from '../options.ts'
import { checkClient, checkRetrySeconds, Retrying, type RetryOptions } from './client.ts'
import { checkId, namesOf, type PrefixOptions } from './names.ts'
import { RecordingSubject } from './recordingSubject.ts'

/** How far a recording has come. */
export interface RecordingState {
  /** of the PCM that was published */
  format: PcmFormat
  /** bytes of the recording that are stored: where the next ones belong */
  position: number
  /** whether it has its end mark: nothing can be added then */
  isEnded: boolean
}

/**
 * How far a recording has come in its stream, so that a new recorder can continue it after the old one died: from the
 * old one's `{ path }` file, or with the audio that comes now.
 *
 * @returns a promise; of undefined where there is no such recording
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong client, id or option
 *
 * The promise is rejected with `ERR_WAVESPOOL_JETSTREAM` where no server answers in time, or the streams are not there.
 *
 * @example
 * const { position = 0 } = (await resumeRecording(js, 'call-1')) ?? {}
 * const file = await VirtualFile.from('calls/call-1.wav')   // the file of the recorder that died
 * const rest = file.createReadStream({ header: false, start: position })
 * await pipeline(rest, publishRecording(js, 'call-1', format, { position }))
 */
export async function resumeRecording(
  js: JetStreamClient,
  id: string,
  options: PrefixOptions & RetryOptions = {},
): Promise<RecordingState | undefined> {
  const caller = 'resumeRecording()'
  const client = checkClient(js, caller)
  checkId(id, caller)
  checkOptions(options, ['prefix', 'retrySeconds'], caller)
  const names = namesOf(options.prefix, caller)
  const subject = new RecordingSubject(
    client,
    names,
    id,
    new Retrying(checkRetrySeconds(options.retrySeconds, caller)),
  )
  const known = await subject.known()
  if (known === undefined) return undefined
  const { log, format } = known
  return { format, position: log.position, isEnded: log.isEnded }
}
