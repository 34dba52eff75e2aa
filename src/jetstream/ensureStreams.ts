import type { ConsumerConfig, JetStreamClient, JetStreamManager, StreamConfig } from '@nats-io/jetstream'
import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { checkOptions } from '../options.ts'
import {
  checkClient,
  checkPositive,
  checkRetrySeconds,
  codeOf,
  managerOf,
  Retrying,
  type RetryOptions,
} from './client.ts'
import { type Kind, namesOf, type PrefixOptions, WORKERS } from './names.ts'

/** How much a stream keeps. */
export interface StreamLimits {
  /** Messages that are older are removed, in seconds (default: what `EnsureStreamsOptions` says of the stream). */
  maxAgeSeconds?: number
  /** Bytes that the stream may take on each server that holds it; further messages are refused (default: no limit). */
  maxBytes?: number
}

/** The options of `ensureStreams()`. */
export interface EnsureStreamsOptions extends PrefixOptions, RetryOptions {
  /** Servers that hold each stream (default 1); with 3 or 5 of a cluster, it survives the loss of 1 or 2. */
  replicas?: number
  /** Where the servers keep it (default `'file'`). */
  storage?: 'file' | 'memory'
  /** The audio of recordings (default: a day). */
  recordings?: StreamLimits
  /** Segments that wait for a worker (default: a week). */
  segments?: StreamLimits
  /** The texts of segments (default: a week). */
  texts?: StreamLimits
  /** Segments that no worker could transcribe (default: four weeks). */
  failed?: StreamLimits
  /** A segment of which its worker has said nothing for so long goes to another one (default 30 s). */
  ackWaitSeconds?: number
}

const DAY_SECONDS = 24 * 60 * 60
const ACK_WAIT_SECONDS = 30
/** For so long the server remembers the ids of messages: much longer than anything is retried. */
const DUPLICATE_WINDOW_SECONDS = 120
/** Segments that are being worked on at a time, by all workers. */
const MAX_ACK_PENDING = 10_000
/** "stream name already in use with a different configuration" */
const NAME_IN_USE = 10058

const nanoseconds = (seconds: number) => Math.round(seconds * 1e9)

/**
 * Creates or updates the streams and the consumer of the other functions: four streams (`recordings`, `segments`, `texts`,
 * `failed`) and the consumer that all workers share. Call it when a service starts; several may at a time.
 *
 * A full stream refuses messages, with `ERR_WAVESPOOL_FULL` at the recorder: no recording is removed before its time.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong client or option
 *
 * The promise is rejected with `ERR_WAVESPOOL_JETSTREAM` for a refused request, such as three replicas on one
 * server.
 *
 * @example
 * await ensureStreams(js, { replicas: 3, recordings: { maxAgeSeconds: 3600, maxBytes: 50e9 } })
 */
export async function ensureStreams(js: JetStreamClient, options: EnsureStreamsOptions = {}): Promise<void> {
  const caller = 'ensureStreams()'
  const client = checkClient(js, caller)
  const known = ['prefix', 'retrySeconds', 'replicas', 'storage', 'ackWaitSeconds', ...kinds]
  checkOptions(options, known, caller)
  const { replicas = 1, storage = 'file', ackWaitSeconds = ACK_WAIT_SECONDS } = options
  if (![1, 2, 3, 4, 5].includes(replicas)) {
    throw new ArgumentRangeError(`${caller}: replicas is a number from 1 to 5, got ${show(replicas)}`)
  }
  if (storage !== 'file' && storage !== 'memory') {
    throw new ArgumentTypeError(`${caller}: storage must be 'file' or 'memory', got ${show(storage)}`)
  }
  checkPositive(ackWaitSeconds, `${caller}: ackWaitSeconds`)
  const names = namesOf(options.prefix, caller)
  const streams = kinds.map((kind) => {
    const limits = checkLimits(options[kind] ?? {}, `${caller}: ${kind}`)
    const { maxAgeSeconds = defaultAge[kind], maxBytes = -1 } = limits
    const config: Config = {
      name: names.stream(kind),
      subjects: [names.subject(kind, kind === 'recordings' ? '*' : '*.*')],
      num_replicas: replicas,
      storage,
      discard: 'new',
      max_age: nanoseconds(maxAgeSeconds),
      max_bytes: maxBytes,
      duplicate_window: nanoseconds(Math.min(DUPLICATE_WINDOW_SECONDS, maxAgeSeconds)),
      ...special[kind],
    }
    return config
  })
  const workers: Partial<ConsumerConfig> = {
    durable_name: WORKERS,
    ack_policy: 'explicit',
    ack_wait: nanoseconds(ackWaitSeconds),
    max_ack_pending: MAX_ACK_PENDING,
  }
  const retrying = new Retrying(checkRetrySeconds(options.retrySeconds, caller))
  const manager = await retrying.run(() => managerOf(client))
  await Promise.all(streams.map((config) => retrying.run(() => ensure(manager, config))))
  await retrying.run(() => manager.consumers.add(names.stream('segments'), workers))
}

type Config = Partial<StreamConfig> & { name: string }

const kinds = ['recordings', 'segments', 'texts', 'failed'] as const satisfies readonly Kind[]

const defaultAge: Record<Kind, number> = {
  recordings: DAY_SECONDS,
  segments: 7 * DAY_SECONDS,
  texts: 7 * DAY_SECONDS,
  failed: 28 * DAY_SECONDS,
}

/** One message a place: the server itself refuses a second one, however late it comes. */
const once = { max_msgs_per_subject: 1, discard_new_per_subject: true }

const special: Record<Kind, Partial<StreamConfig>> = {
  recordings: {},
  segments: { retention: 'workqueue', ...once },
  texts: once,
  failed: once,
}

async function ensure(manager: JetStreamManager, config: Config): Promise<void> {
  try {
    await manager.streams.add(config as Parameters<JetStreamManager['streams']['add']>[0])
  } catch (error) {
    if (codeOf(error) !== NAME_IN_USE) throw error
    const { name, storage: _, retention: __, ...changes } = config // these two cannot be changed
    await manager.streams.update(name, changes)
  }
}

/** @throws {ArgumentTypeError | ArgumentRangeError} */
function checkLimits(limits: StreamLimits, name: string): StreamLimits {
  checkOptions(limits, ['maxAgeSeconds', 'maxBytes'], name)
  if (limits.maxAgeSeconds !== undefined) checkPositive(limits.maxAgeSeconds, `${name}.maxAgeSeconds`)
  if (limits.maxBytes !== undefined) checkPositive(limits.maxBytes, `${name}.maxBytes`)
  return limits
}
