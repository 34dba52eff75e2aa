import type { ConsumerMessages, JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { clearTimeout, setTimeout } from '../realTimers.ts'
import { jetStreamError, managerOf, type Retrying } from './client.ts'
import { type Carrier, readEntry } from './message.ts'
import type { Names } from './names.ts'
import { RecordingLog } from './recordingLog.ts'

/** How a consumer is kept alive: a pull is repeated so often, and a server that is silent for so long is taken for dead. */
const PULL_MS = 10_000
const HEARTBEAT_MS = 1500
const SILENCE_MS = 5000
/** Messages on their way to a reader that is busy. */
const PREFETCH = 64

/** The state of a recording, as its messages tell it. */
export interface Known {
  log: RecordingLog
  format: PcmFormat
  /** the sequence of the last message on the subject */
  sequence: number
}

interface Reading {
  messages: ConsumerMessages
  hear(): void
  close(): void
}

/** The messages of one recording: how they are looked up and read in order. */
export class RecordingSubject {
  readonly subject: string
  readonly stream: string
  readonly #js: JetStreamClient
  readonly #retrying: Retrying
  #manager: JetStreamManager | undefined

  constructor(js: JetStreamClient, names: Names, id: string, retrying: Retrying) {
    this.#js = js
    this.#retrying = retrying
    this.stream = names.stream('recordings')
    this.subject = names.subject('recordings', id)
  }

  /** @throws {WavespoolError} `ERR_WAVESPOOL_JETSTREAM` where the stream does not exist */
  last(): Promise<Carrier | undefined> {
    return this.#lookUp({ last_by_subj: this.subject })
  }

  /** The first message that has this sequence or a higher one. */
  next(sequence: number): Promise<Carrier | undefined> {
    return this.#lookUp({ seq: sequence, next_by_subj: this.subject })
  }

  #lookUp(
    query: { last_by_subj: string } | { seq: number; next_by_subj: string },
  ): Promise<Carrier | undefined> {
    return this.#retrying.run(async () => {
      this.#manager ??= await managerOf(this.#js)
      const found = await this.#manager.streams.getMessage(this.stream, query)
      return found === null
        ? undefined
        : readEntry({ headers: found.header, data: found.data, seq: found.seq })
    })
  }

  /** Reads the state of a recording, without its audio; undefined where there is none. */
  async known(): Promise<Known | undefined> {
    const last = await this.last()
    if (last === undefined) return undefined
    let log: RecordingLog | undefined
    for await (const { entry, sequence } of this.read(1, { headersOnly: true })) {
      log ??= RecordingLog.from(entry)
      if (log.take(entry).is === 'hole') {
        log.skipTo(entry)
        log.take(entry)
      }
      if (sequence >= last.sequence) return { log, format: last.format, sequence }
    }
    return undefined
  }

  /**
   * The messages in order, from a sequence on, until the signal: those that are there, and those to come. A consumer
   * that is lost with its server is replaced behind the last message that it gave.
   */
  async *read(
    sequence: number,
    { headersOnly = false, signal }: { headersOnly?: boolean; signal?: AbortSignal } = {},
  ): AsyncGenerator<Carrier, void, void> {
    for (let next = sequence; !signal?.aborted; ) {
      const reading = await this.#consume(next, headersOnly)
      signal?.addEventListener('abort', reading.close, { once: true })
      if (signal?.aborted) reading.close()
      try {
        for await (const message of reading.messages) {
          reading.hear()
          next = message.seq + 1
          yield readEntry(message)
        }
      } catch (error) {
        throw jetStreamError(error)
      } finally {
        signal?.removeEventListener('abort', reading.close)
        reading.close()
      }
    }
  }

  #consume(sequence: number, headersOnly: boolean): Promise<Reading> {
    return this.#retrying.run(async () => {
      const consumer = await this.#js.consumers.get(this.stream, {
        filter_subjects: this.subject,
        opt_start_seq: Math.max(1, sequence),
        inactive_threshold: 60_000,
        ...(headersOnly && { headers_only: true }),
      })
      const messages = await consumer.consume({
        max_messages: PREFETCH,
        expires: PULL_MS,
        idle_heartbeat: HEARTBEAT_MS,
      })
      let isOpen = true
      let silence: NodeJS.Timeout | undefined
      // Once its connection was lost, the client waits for a heartbeat no more, and can wait without end.
      const hear = () => {
        clearTimeout(silence)
        if (isOpen) silence = setTimeout(() => messages.stop(), SILENCE_MS)
      }
      const close = () => {
        if (!isOpen) return
        isOpen = false
        clearTimeout(silence)
        messages.stop()
        consumer.delete().catch(() => {}) // it goes away by itself a minute later
      }
      hear()
      void stopWhenLost(messages, hear)
      return { messages, hear, close }
    })
  }
}

/** The client would go on asking for a consumer that died with its server: end it, and a new one is made. */
async function stopWhenLost(messages: ConsumerMessages, hear: () => void): Promise<void> {
  for await (const { type } of messages.status()) {
    hear()
    if (type === 'heartbeats_missed' || type === 'consumer_not_found' || type === 'consumer_deleted') {
      messages.stop()
      return
    }
  }
}
