import type { Consumer, ConsumerMessages, JetStreamClient, JsMsg } from '@nats-io/jetstream'
import { clearTimeout, setTimeout } from '../realTimers.ts'
import { REQUEST_TIMEOUT_MS, type Retrying } from './client.ts'
import { type Names, WORKERS } from './names.ts'

/** How long a request for the next job waits at the server. */
const PULL_MS = 5000
/** The client gives a request up, with an error that passes, when two of these are missing. */
const HEARTBEAT_MS = 1500
/** How often a worker says that it is still at it, while the server waits for its answer. */
const BEATS = 3

/** Asks the server for jobs, one at a time for each caller, and asks again while servers restart or elect a leader. */
export class JobPull {
  readonly #js: JetStreamClient
  readonly #stream: string
  readonly #retrying: Retrying
  readonly #pulls = new Set<ConsumerMessages>()
  #consumer: Consumer | undefined
  #beatMilliseconds = 0
  #isStopped = false

  constructor(js: JetStreamClient, names: Names, retrying: Retrying) {
    this.#js = js
    this.#stream = names.stream('segments')
    this.#retrying = retrying
  }

  /** The interval of progress reports within which the server keeps a job with this worker; known once there is one. */
  get beatMilliseconds(): number {
    return this.#beatMilliseconds
  }

  /** The next job; undefined where there was none for a while, or after `stop()`. */
  next(): Promise<JsMsg | undefined> {
    return this.#retrying.run(async () => {
      if (this.#isStopped) return undefined
      this.#consumer ??= await this.#js.consumers.get(this.#stream, WORKERS)
      const { config } = await this.#consumer.info(true)
      this.#beatMilliseconds = (config.ack_wait ?? 0) / 1e6 / BEATS
      const pull = await this.#consumer.fetch({
        max_messages: 1,
        expires: PULL_MS,
        idle_heartbeat: HEARTBEAT_MS,
      })
      this.#pulls.add(pull)
      if (this.#isStopped) pull.stop()
      // A pull whose request was lost with the connection gets neither an answer nor a missing heartbeat.
      const overdue = setTimeout(() => pull.stop(), PULL_MS + REQUEST_TIMEOUT_MS)
      try {
        for await (const message of pull) return message
        return undefined
      } finally {
        clearTimeout(overdue)
        this.#pulls.delete(pull)
      }
    })
  }

  /** Ends the requests under way, and makes no more. */
  stop(): void {
    this.#isStopped = true
    for (const pull of this.#pulls) pull.stop()
  }
}
