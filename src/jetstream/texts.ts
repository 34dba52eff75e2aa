import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import { checkOptions } from '../options.ts'
import {
  checkClient,
  checkRetrySeconds,
  managerOf,
  Retrying,
  type RetryOptions,
  TRANSIENT,
} from './client.ts'
import { type Place, readPlace } from './message.ts'
import { checkId, type Names, namesOf, type PrefixOptions, placeToken } from './names.ts'

/** The text of a segment. */
export interface SegmentText extends Place {
  /** the id of the recording */
  id: string
  /** the text that the worker returned */
  text: string
}

const decoder = new TextDecoder()

/**
 * The texts of a recording, in the order of their places, as far as workers have come: one for each segment.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong client, id or option
 *
 * The promise is rejected with `ERR_WAVESPOOL_JETSTREAM` where no server answers in time, or the streams are not there.
 *
 * @example
 * for (const { start, text } of await readTexts(js, 'call-1')) console.log(start / format.sampleRate, text)
 */
export async function readTexts(
  js: JetStreamClient,
  id: string,
  options: PrefixOptions & RetryOptions = {},
): Promise<SegmentText[]> {
  const caller = 'readTexts()'
  const client = checkClient(js, caller)
  checkId(id, caller)
  checkOptions(options, ['prefix', 'retrySeconds'], caller)
  const names = namesOf(options.prefix, caller)
  const texts = await new Retrying(checkRetrySeconds(options.retrySeconds, caller)).run(() =>
    collect(client, names, id),
  )
  return texts.sort((a, b) => a.start - b.start || a.end - b.end)
}

async function collect(js: JetStreamClient, names: Names, id: string): Promise<SegmentText[]> {
  const manager = await managerOf(js)
  const [stream, subject] = [names.stream('texts'), names.subject('texts', id, '*')]
  const { state } = await manager.streams.info(stream, { subjects_filter: subject })
  let missing = Object.keys(state.subjects ?? {}).length
  const texts: SegmentText[] = []
  if (missing === 0) return texts
  const consumer = await js.consumers.get(stream, { filter_subjects: subject })
  try {
    while (missing > 0) {
      const before = missing
      const messages = await consumer.fetch({ max_messages: Math.min(missing, 500), expires: 5000 })
      for await (const { data, headers, seq } of messages) {
        texts.push({ id, ...readPlace({ headers, seq }), text: decoder.decode(data) })
        missing--
      }
      // A consumer that is lost with its server brings nothing any more: another one is asked.
      if (missing === before)
        throw Object.assign(new Error('the texts cannot be read yet'), { name: TRANSIENT })
    }
  } finally {
    consumer.delete().catch(() => {})
  }
  return texts
}

/** The text of one segment; undefined where there is none. */
export async function lookUpText(
  manager: JetStreamManager,
  names: Names,
  id: string,
  place: Place,
): Promise<string | undefined> {
  const subject = names.subject('texts', id, placeToken(place))
  const found = await manager.streams.getMessage(names.stream('texts'), { last_by_subj: subject })
  return found === null ? undefined : decoder.decode(found.data)
}
