import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import { ArgumentRangeError, ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import { now, setTimeout } from '../realTimers.ts'

/** The option of how long a server is waited for. */
export interface RetryOptions {
  /**
   * How long a server may be away, in seconds, before the stream fails with `ERR_WAVESPOOL_JETSTREAM` (default 60).
   * Until then everything is tried again: an election of a leader takes up to ten seconds.
   */
  retrySeconds?: number
}

const RETRY_SECONDS = 60
/** A leader that was killed answers no more: the sooner a request is given up, the sooner its successor is asked. */
export const REQUEST_TIMEOUT_MS = 2000
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1000

/** @throws {ArgumentTypeError} for anything but a client made by `jetstream()` */
export function checkClient(js: unknown, caller: string): JetStreamClient {
  const client = js as Partial<JetStreamClient> | null | undefined
  if (typeof client?.publish === 'function' && typeof client.jetstreamManager === 'function') {
    return js as JetStreamClient
  }
  throw new ArgumentTypeError(
    `${caller} takes a JetStream client first, as made by jetstream(connection) of @nats-io/jetstream, got ${show(js)}`,
  )
}

/** @throws {ArgumentTypeError | ArgumentRangeError} for anything but a number above 0 */
export function checkPositive(value: unknown, name: string): number {
  if (typeof value !== 'number') throw new ArgumentTypeError(`${name} must be a number, got ${show(value)}`)
  if (!(value > 0)) throw new ArgumentRangeError(`${name} must be more than 0, got ${value}`)
  return value
}

/** @throws {ArgumentTypeError | ArgumentRangeError} for anything but a number above 0 */
export const checkRetrySeconds = (seconds: unknown = RETRY_SECONDS, caller: string): number =>
  checkPositive(seconds, `${caller}: retrySeconds`)

/** Repeats requests while the servers elect a leader, restart or are out of reach. */
export class Retrying {
  readonly #milliseconds: number
  readonly #isStopped: () => boolean

  constructor(retrySeconds: number, isStopped = () => false) {
    this.#milliseconds = retrySeconds * 1000
    this.#isStopped = isStopped
  }

  /**
   * The first answer of `request` that is one. Errors that a retry cannot mend are passed on at once.
   *
   * @throws {WavespoolError} `ERR_WAVESPOOL_JETSTREAM` when none came in time
   */
  async run<T>(request: () => Promise<T>): Promise<T> {
    const giveUpAt = now() + this.#milliseconds
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return await request()
      } catch (error) {
        if (error instanceof WavespoolError) throw error
        if (!isTransient(error) || this.#isStopped()) throw jetStreamError(error)
        if (now() > giveUpAt) {
          const seconds = this.#milliseconds / 1000
          throw jetStreamError(error, `no JetStream server answered for ${seconds} s`)
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
}

/**
 * Transient errors: those of a client while a server is away and while a leader is elected. Told by their names,
 * since a program may hold several copies of the client.
 */
function isTransient(error: unknown): boolean {
  const { name, status, code, message } = error as Partial<Error> & { status?: number; code?: number }
  if (name === TRANSIENT || code === WRONG_LAST_SEQUENCE || code === NO_PEERS) return true
  if (name === 'TimeoutError' || name === 'JetStreamNotEnabled' || name === 'RequestError') return true
  // The client ends a pull so when its server falls silent; another one can be made at once.
  if (name === 'JetStreamError') return MISSED.test(message ?? '')
  if (name === 'JetStreamStatusError') return code === 503 || (code === 409 && PASSES.test(message ?? ''))
  // 503 is "unavailable", but for a stream that is full, which stays so
  return name === 'JetStreamApiError' && status === 503 && code !== FULL
}

/** Messages of the client, and of a server (409), that end a pull. Those that pass have no codes of their own. */
const MISSED = /heartbeats missed/
const PASSES = /leadership change|server shutdown|deleted|heartbeats missed|exceeded maxwaiting/

/** The name of an error of ours that passes. */
export const TRANSIENT = 'Transient'

/** Codes of the server's errors (`err_code`); the client names but a few. */
export const WRONG_LAST_SEQUENCE = 10071
/** "no suitable peers for placement": the error of a cluster whose servers do not know each other yet */
const NO_PEERS = 10005
/** "JSStreamStoreFailedF": maximum messages, bytes or messages per subject exceeded */
export const FULL = 10077

export const codeOf = (error: unknown): number | undefined => (error as { code?: number }).code

/** Wraps the error of a request in a WavespoolError that names the remedy. */
export function jetStreamError(error: unknown, summary?: string): WavespoolError {
  if (error instanceof WavespoolError) return error
  const { name, message } = error as Error
  const advice = remedies[name] ?? (codeOf(error) === FULL ? FULL_REMEDY : '')
  return new WavespoolError(
    codeOf(error) === FULL ? 'ERR_WAVESPOOL_FULL' : 'ERR_WAVESPOOL_JETSTREAM',
    `${summary ?? 'JetStream refused a request'}: ${message}${advice}`,
    { cause: error },
  )
}

const FULL_REMEDY = '; give the stream more room by ensureStreams(js, { … maxBytes })'
const remedies: Record<string, string> = {
  StreamNotFoundError: '; create the streams first, by ensureStreams(js)',
  ConsumerNotFoundError: '; create the consumer first, by ensureStreams(js)',
  ClosedConnectionError: '; the connection was closed before the stream had ended',
}

/** The manager behind a client, without a request of its own. */
export const managerOf = (js: JetStreamClient): Promise<JetStreamManager> => js.jetstreamManager(false)
