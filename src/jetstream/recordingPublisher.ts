import { randomUUID } from 'node:crypto'
import type { WithEvents } from '../emitting.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { WholeFrames } from '../format/wholeFrames.ts'
import { HoldingWritable } from '../holdingWritable.ts'
import { checkPipe, type Ports, pcmPort, ports } from '../neighbours.ts'
import { clearTimeout, setTimeout } from '../realTimers.ts'
import { AudioQueue } from './audioQueue.ts'
import type { RecordingAppender } from './recordingAppender.ts'

/** The most bytes of audio in a message: NATS advises to stay well below a megabyte. */
export const LARGEST_MESSAGE = 128 * 1024
/** Audio that does not fill a message is sent after the duration of this many messages. */
const MAX_WAIT_MESSAGES = 2

type Callback = (error?: Error | null) => void

interface Sizes {
  messageBytes: number
  bufferBytes: number
  position: number | undefined
}

/** `'begin'` gives, in bytes, the position where the recorder begins, and the length of the gap in front of it. */
export interface RecordingBegin {
  /** bytes of the recording in front of this recorder */
  position: number
  /** bytes that are missing in front of this recorder */
  gap: number
}

interface RecordingPublisherEvents {
  begin: [begin: RecordingBegin]
  acknowledged: [bytes: number]
}

/**
 * See `publishRecording()`. Emits `'begin'` with `{ position, gap }` once this recorder has its turn, and
 * `'acknowledged'` with the bytes of the recording that are stored, after every message.
 *
 * Audio written before destroy() is still sent, without a second attempt. The recording has no end mark then,
 * and another recorder can continue it.
 */
export class RecordingPublisher extends (HoldingWritable as WithEvents<
  typeof HoldingWritable,
  RecordingPublisherEvents
>) {
  /** of the recording */
  readonly id: string
  /** of the PCM that it takes */
  readonly format: PcmFormat
  /** @internal */
  readonly [ports]: Ports
  readonly #appender: RecordingAppender
  readonly #sizes: Sizes
  readonly #largest: number
  readonly #frames: WholeFrames
  readonly #queue = new AudioQueue()
  /** bytes that the recording has already, of those that will be written */
  #surplus = 0
  /** sends one message after another; a promise while it does */
  #sending: Promise<void> | undefined
  #failure: Error | undefined
  #releaseWrite: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #hasBegun = false

  /** @internal */
  constructor(
    id: string,
    format: PcmFormat,
    sizes: Sizes,
    makeAppender: (recorder: string, isStopped: () => boolean) => RecordingAppender,
  ) {
    super()
    this.id = id
    this.format = format
    const takes = pcmPort('publishRecording()', format)
    this[ports] = { takes }
    this.on('pipe', (source) => checkPipe(source, this, takes))
    this.#sizes = sizes
    this.#largest = LARGEST_MESSAGE - (LARGEST_MESSAGE % format.bytesPerFrame)
    this.#frames = new WholeFrames(format)
    this.#appender = makeAppender(randomUUID(), () => this.destroyed)
    // Not by 'construct': audio written before a server has answered is in our queue, and sent also after destroy().
    this.#send()
  }

  /** Bytes of the recording that the servers have acknowledged. */
  get acknowledged(): number {
    return this.#appender.position
  }

  async #begin(): Promise<void> {
    const { position = 0 } = this.#sizes
    const gap = await this.#appender.begin(this.#sizes.position)
    this.#hasBegun = true
    this.#surplus = Math.max(0, this.#appender.position - position)
    const dropped = Math.min(this.#surplus, this.#queue.bytes)
    this.#queue.drop(dropped)
    this.#surplus -= dropped
    this.emit('begin', { position: this.#appender.position, gap })
  }

  /** @internal */
  override takeChunks(chunks: readonly Uint8Array[], callback: Callback): void {
    for (const chunk of chunks) this.#frames.push(chunk, this.#intake)
    if (this.#queue.bytes >= this.#sizes.messageBytes) this.#send()
    else if (this.#queue.bytes > 0) this.#sendLater()
    if (this.#queue.bytes < this.#sizes.bufferBytes) callback()
    else this.#releaseWrite = callback
  }

  readonly #intake = {
    push: (bytes: Uint8Array): void => {
      const skipped = Math.min(this.#surplus, bytes.length)
      this.#surplus -= skipped
      if (skipped < bytes.length) this.#queue.push(bytes.subarray(skipped))
    },
  }

  /** A source that stalls must not keep its last words back. */
  #sendLater(): void {
    if (this.#timer || this.#sending) return
    const delay = (MAX_WAIT_MESSAGES * 1000 * this.#sizes.messageBytes) / this.format.bytesPerSecond
    this.#timer = setTimeout(() => this.#send(), delay)
  }

  /** Sends the queued audio in messages; less than one message stays queued, unless it is the last. */
  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sending ??= this.#sendAll().then(
      () => {
        this.#sending = undefined
        if (this.#queue.bytes > 0) this.#sendLater()
      },
      (error: Error) => {
        this.#sending = undefined
        this.#failure = error
        this.destroy(error)
      },
    )
  }

  async #sendAll(): Promise<void> {
    if (!this.#hasBegun) await this.#begin()
    else await this.#sendOne()
    while (this.#queue.bytes >= this.#sizes.messageBytes) await this.#sendOne()
    this.#release()
  }

  async #sendOne(): Promise<void> {
    await this.#appender.append(this.#queue.take(this.#largest))
    this.#release()
    this.emit('acknowledged', this.#appender.position)
  }

  #release(): void {
    if (this.#queue.bytes >= this.#sizes.bufferBytes) return
    const release = this.#releaseWrite
    this.#releaseWrite = undefined
    release?.()
  }

  override _final(callback: Callback): void {
    this.#finish().then(() => callback(), callback)
  }

  async #finish(): Promise<void> {
    await this.#sendRest()
    if (this.#failure) throw this.#failure
    this.#frames.flush()
    await this.#appender.end()
  }

  async #sendRest(): Promise<void> {
    await this.#sending
    while (this.#queue.bytes > 0 && this.#failure === undefined) {
      this.#send()
      await this.#sending
    }
    clearTimeout(this.#timer)
  }

  /** Chunks that wait in front of a full buffer were written too. @internal */
  override abandon(held: readonly Uint8Array[]): void {
    if (this.#failure !== undefined) return
    for (const chunk of held) this.#frames.push(chunk, this.#intake)
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#sendRest().finally(() => callback(error ?? this.#failure))
  }
}
