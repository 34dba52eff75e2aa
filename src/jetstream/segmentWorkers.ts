import { EventEmitter, once } from 'node:events'
import type { JetStreamClient, JsMsg } from '@nats-io/jetstream'
import { ArgumentTypeError, show } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { clearInterval, setInterval } from '../realTimers.ts'
import type { VirtualFile } from '../sinks/virtualFile.ts'
import { managerOf, REQUEST_TIMEOUT_MS, Retrying } from './client.ts'
import { type Job, openJob, readJob } from './job.ts'
import { JobPull } from './jobPull.ts'
import { type Place, placeHeaders } from './message.ts'
import { type Names, placeToken } from './names.ts'
import { publishOnce } from './publishOnce.ts'
import { lookUpText, type SegmentText } from './texts.ts'

/** A segment to be transcribed. */
export interface QueuedSegment extends Place {
  /** the id of its recording */
  id: string
  /** the PCM format of the segment */
  format: PcmFormat
  /** a finished WAV; it is disposed when the work is done */
  file: VirtualFile
  /** 1 for the first one */
  attempt: number
  /** aborted when the workers are told to stop at once */
  signal: AbortSignal
}

/** A segment that failed, without its audio. */
export interface FailedAttempt extends Place {
  /** of the recording */
  id: string
  /** the number of the attempt, from 1 */
  attempt: number
  /** the error of the worker */
  error: Error
}

/** How hard workers try. */
export interface Effort {
  concurrency: number
  attempts: number
  backoffSeconds: number
}

interface WorkerEvents {
  text: [text: SegmentText]
  retry: [attempt: FailedAttempt]
  failed: [attempt: FailedAttempt]
}

const encoder = new TextEncoder()

/**
 * The workers of `workSegments()`. Emits `'text'` with a {@link SegmentText} that was published here, `'retry'` with a
 * {@link FailedAttempt} after which the segment will be tried again, and `'failed'` with one after which it will not: its
 * audio is on the stream `…-failed`, with the error.
 */
export class SegmentWorkers extends EventEmitter<WorkerEvents> {
  /** Resolves when the workers have stopped; rejects when no server can be reached any more. */
  readonly finished: Promise<void>
  readonly #js: JetStreamClient
  readonly #names: Names
  readonly #work: (segment: QueuedSegment) => Promise<string>
  readonly #options: Effort
  readonly #retrying: Retrying
  readonly #aborting = new AbortController()
  readonly #pull: JobPull
  #isStopped = false

  /** @internal */
  constructor(
    js: JetStreamClient,
    names: Names,
    work: (segment: QueuedSegment) => Promise<string>,
    options: Effort,
    retrySeconds: number,
  ) {
    super()
    this.#js = js
    this.#names = names
    this.#work = work
    this.#options = options
    this.#retrying = new Retrying(retrySeconds, () => this.#aborting.signal.aborted)
    this.#pull = new JobPull(js, names, this.#retrying)
    this.finished = this.#run()
    this.finished.catch(() => {}) // it need not be awaited
  }

  /**
   * Takes no more segments, and resolves when those under way are done. `{ now: true }` aborts their `signal` and does
   * not wait for `work`: the server gives them to another worker.
   *
   * @returns a promise, rejected with `ERR_WAVESPOOL_JETSTREAM` where the servers refused a request, or none
   * could be reached any more
   */
  async stop({ now = false } = {}): Promise<void> {
    this.#isStopped = true
    if (now) this.#aborting.abort()
    this.#pull.stop()
    await this.finished
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #run(): Promise<void> {
    const lanes = Array.from({ length: this.#options.concurrency }, () => this.#workOnOneAtATime())
    try {
      await Promise.all(lanes)
    } finally {
      this.#isStopped = true
      this.#pull.stop()
      await Promise.allSettled(lanes)
    }
  }

  async #workOnOneAtATime(): Promise<void> {
    while (!this.#isStopped) {
      const message = await this.#pull.next()
      if (message) await this.#take(message)
    }
  }

  async #take(message: JsMsg): Promise<void> {
    // While work goes on, the server is told so: it waits again as long as it waits for an answer.
    const beat = setInterval(() => message.working(), this.#pull.beatMilliseconds)
    try {
      await this.#settle(message, readJob(message))
    } finally {
      clearInterval(beat)
    }
  }

  async #settle(message: JsMsg, job: Job): Promise<void> {
    const { id, start, end } = job
    const attempt = message.info.deliveryCount
    // A worker may have died between publishing the text and acknowledging the job.
    if (attempt > 1 && (await this.#hasText(job))) return this.#acknowledge(message)
    // Those that bring their workers down never get as far as failing.
    if (attempt > this.#options.attempts) {
      const error = new Error(`no worker came to an end with it in ${this.#options.attempts} attempts`)
      return this.#giveUp(message, { id, start, end, attempt: attempt - 1, error })
    }
    let text: string
    try {
      text = await this.#transcribe(message, job, attempt)
    } catch (reason) {
      if (this.#aborting.signal.aborted) return
      const error = reason instanceof Error ? reason : new Error(String(reason))
      const failed = { id, start, end, attempt, error }
      if (attempt >= this.#options.attempts) return this.#giveUp(message, failed)
      message.nak(1000 * this.#options.backoffSeconds * attempt)
      this.emit('retry', failed)
      return
    }
    const isNew = await this.#publish('texts', job, encoder.encode(text))
    await this.#acknowledge(message)
    if (isNew) this.emit('text', { id, start, end, text })
  }

  async #transcribe(message: JsMsg, job: Job, attempt: number): Promise<string> {
    const { signal } = this.#aborting
    const file = await openJob(this.#js, this.#names, job, message.data)
    const leaving = new AbortController()
    const aborted = once(signal, 'abort', { signal: leaving.signal })
    aborted.catch(() => {})
    try {
      const text = await Promise.race([this.#work({ ...job, file, attempt, signal }), aborted])
      if (typeof text === 'string') return text
      throw new ArgumentTypeError(
        `the function given to workSegments() must return a promise of a string, got ${show(text)}`,
      )
    } finally {
      leaving.abort()
      await file.dispose()
    }
  }

  async #giveUp(message: JsMsg, failed: FailedAttempt): Promise<void> {
    const { error, attempt } = failed
    await this.#publish('failed', failed, message.data, {
      'Wavespool-Error': error.message.replace(/[\r\n]+/g, ' ').slice(0, 1000),
      'Wavespool-Attempts': `${attempt}`,
    })
    await this.#acknowledge(message)
    this.emit('failed', failed)
  }

  async #hasText(job: Job): Promise<boolean> {
    const manager = await managerOf(this.#js)
    const text = await this.#retrying.run(() => lookUpText(manager, this.#names, job.id, job))
    return text !== undefined
  }

  #publish(
    kind: 'texts' | 'failed',
    { id, start, end }: Place & { id: string },
    bytes: Uint8Array,
    more: Record<string, string> = {},
  ): Promise<boolean> {
    const token = placeToken({ start, end })
    const headers = placeHeaders({ start, end })
    for (const [name, value] of Object.entries(more)) headers.set(name, value)
    return this.#retrying.run(() =>
      publishOnce(this.#js, this.#names.subject(kind, id, token), bytes, {
        msgID: `${id}:${token}`,
        timeout: REQUEST_TIMEOUT_MS,
        headers,
        expect: { streamName: this.#names.stream(kind) },
      }),
    )
  }

  /** Where the server does not answer, it gives the job to another worker, which finds the text there. */
  async #acknowledge(message: JsMsg): Promise<void> {
    await message.ackAck({ timeout: REQUEST_TIMEOUT_MS }).catch(() => false)
  }
}
