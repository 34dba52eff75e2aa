import type { JetStreamClient } from '@nats-io/jetstream'
import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { checkOptions } from '../options.ts'
import { checkClient, checkPositive, checkRetrySeconds, type RetryOptions } from './client.ts'
import { namesOf, type PrefixOptions } from './names.ts'
import { type QueuedSegment, SegmentWorkers } from './segmentWorkers.ts'

/** The options of `workSegments()`. */
export interface WorkSegmentsOptions extends PrefixOptions, RetryOptions {
  /** Segments at a time (default 1). */
  concurrency?: number
  /** How often a segment is tried, by all workers together, before it is put among the failed ones (default 5). */
  attempts?: number
  /** How long a segment waits after it failed, in seconds, times the number of its attempts (default 1). */
  backoffSeconds?: number
}

/**
 * Processes the jobs of {@link queueSegments}, in any number of processes: `work` gets a segment and returns its text,
 * which is published under the segment's id and place before the job is acknowledged. The server gives each segment to
 * one worker, and to another one if that one dies. One text is left of a segment, however often it is worked on.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong client, function or option
 *
 * @example
 * ```ts
 * const workers = workSegments(js, async ({ file }) => transcribe(await file.toFile()), { concurrency: 4 })
 * process.once('SIGTERM', () => workers.stop())
 * await workers.finished
 * ```
 */
export function workSegments(
  js: JetStreamClient,
  work: (segment: QueuedSegment) => Promise<string>,
  options: WorkSegmentsOptions = {},
): SegmentWorkers {
  const caller = 'workSegments()'
  const client = checkClient(js, caller)
  if (typeof work !== 'function') {
    throw new ArgumentTypeError(
      `${caller} takes an async function (segment) => text second, got ${show(work)}`,
    )
  }
  checkOptions(options, ['prefix', 'retrySeconds', 'concurrency', 'attempts', 'backoffSeconds'], caller)
  const { concurrency = 1, attempts = 5, backoffSeconds = 1 } = options
  for (const [name, count] of Object.entries({ concurrency, attempts })) {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new ArgumentRangeError(
        `${caller}: ${name} must be a whole number, at least 1, got ${show(count)}`,
      )
    }
  }
  checkPositive(backoffSeconds, `${caller}: backoffSeconds`)
  const names = namesOf(options.prefix, caller)
  const retrySeconds = checkRetrySeconds(options.retrySeconds, caller)
  return new SegmentWorkers(client, names, work, { concurrency, attempts, backoffSeconds }, retrySeconds)
}
