import type { JetStreamClient } from '@nats-io/jetstream'
import { checkOptions } from '../options.ts'
import { checkClient, checkRetrySeconds, managerOf, Retrying, type RetryOptions } from './client.ts'
import { checkId, namesOf, type PrefixOptions } from './names.ts'

/**
 * How far a recording has been cut into segments: the frame behind the last segment that was queued; 0 where
 * there is none. Another process continues the cutting from there:
 *
 * - `followRecording(js, id, { start: frame * format.bytesPerFrame })` into `segment()`
 * - into `queueSegments(js, id, { offset: frame })`
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong client, id or option
 *
 * The promise is rejected with `ERR_WAVESPOOL_JETSTREAM` where no server answers in time, or the streams are not there.
 */
export async function resumeSegments(
  js: JetStreamClient,
  id: string,
  options: PrefixOptions & RetryOptions = {},
): Promise<number> {
  const caller = 'resumeSegments()'
  const client = checkClient(js, caller)
  checkId(id, caller)
  checkOptions(options, ['prefix', 'retrySeconds'], caller)
  const names = namesOf(options.prefix, caller)
  const retrying = new Retrying(checkRetrySeconds(options.retrySeconds, caller))
  // A job leaves the first stream for one of the others: it is looked for in this order.
  let last = 0
  for (const kind of ['segments', 'texts', 'failed'] as const) {
    const { state } = await retrying.run(async () => {
      const manager = await managerOf(client)
      return manager.streams.info(names.stream(kind), { subjects_filter: names.subject(kind, id, '*') })
    })
    for (const subject of Object.keys(state.subjects ?? {})) {
      last = Math.max(last, Number(/-(\d+)$/.exec(subject)?.[1] ?? 0))
    }
  }
  return last
}
