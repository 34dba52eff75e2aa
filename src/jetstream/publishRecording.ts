import { randomUUID } from 'node:crypto'
import { Writable } from 'node:stream'
import type { JetStreamClient } from '@nats-io/jetstream'
import type { WithEvents } from '../emitting.ts'
import { ArgumentRangeError, show } from '../errors.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { type Span, spanBytes } from '../format/span.ts'
import { WholeFrames } from '../format/wholeFrames.ts'
import { checkPipe, type Ports, pcmPort, ports } from '../neighbours.ts'
import { checkOptions } from '../options.ts'
import { clearTimeout, setTimeout } from '../realTimers.ts'
import { AudioQueue } from './audioQueue.ts'
import { checkClient, checkRetrySeconds, Retrying, type RetryOptions } from './client.ts'
import { checkId, namesOf, type PrefixOptions } from './names.ts'
import { RecordingAppender } from './recordingAppender.ts'
import { RecordingSubject } from './recordingSubject.ts'

export interface PublishRecordingOptions extends PrefixOptions, RetryOptions {
  /** How much audio is put into one message (default 100 ms). While one is under way, the next one grows. */
  message?: Span
  /** How much audio may wait for the servers before the source has to wait (default 30 s). */
  buffer?: Span
  /**
   * Continues a recording that is there already: the byte of the recording at which the audio to come begins. What is
   * there already is left out; what is missing in between is told as a gap. Without it, the id must be new.
   */
  position?: number
}

/** Bytes of audio that a message has at most, whatever has piled up: NATS advises to stay well below a megabyte. */
const LARGEST_MESSAGE = 128 * 1024
/** Audio that is too little for a message is sent nevertheless after so many lengths of one. */
const PATIENCE = 2

/**
 * A Writable that puts PCM into a stream of NATS JetStream, where any machine can follow it: see
 * {@link followRecording}. One message is under way at a time, and the next one takes what has come meanwhile. While a
 * leader is elected or a server restarts, the audio waits.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong client, id, format or option
 *
 * Fails with a WavespoolError: `ERR_WAVESPOOL_SUPERSEDED` (another recorder has taken over this id),
 * `ERR_WAVESPOOL_RECORDING` (the id is taken, or its recording has ended), `ERR_WAVESPOOL_FULL` (so is the stream),
 * `ERR_WAVESPOOL_JETSTREAM` (no server answered in time, or the streams are not there: {@link ensureStreams}).
 *
 * @example
 * await pipeline(portAudio(format), publishRecording(js, 'call-1', format))
 */
export function publishRecording(
  js: JetStreamClient,
  id: string,
  format: PcmFormat,
  options: PublishRecordingOptions = {},
): RecordingPublisher {
  const caller = 'publishRecording()'
  const client = checkClient(js, caller)
  checkId(id, caller)
  const checked = requireFormat(format, caller, 'the PCM format third')
  checkOptions(options, ['prefix', 'retrySeconds', 'message', 'buffer', 'position'], caller)
  const { message = { milliseconds: 100 }, buffer = { seconds: 30 }, position } = options
  const messageBytes = spanBytes(checked, message, `${caller}: message`)
  const bufferBytes = spanBytes(checked, buffer, `${caller}: buffer`)
  if (messageBytes > LARGEST_MESSAGE) {
    throw new ArgumentRangeError(
      `${caller}: a message has at most ${LARGEST_MESSAGE} bytes of audio, got ${messageBytes}`,
    )
  }
  if (bufferBytes < messageBytes) {
    throw new ArgumentRangeError(`${caller}: buffer must hold at least one message, of ${messageBytes} bytes`)
  }
  if (position !== undefined) checkPosition(position, checked, `${caller}: position`)
  const names = namesOf(options.prefix, caller)
  const retrySeconds = checkRetrySeconds(options.retrySeconds, caller)
  return new RecordingPublisher(
    id,
    checked,
    { messageBytes, bufferBytes, position },
    (recorder, isStopped) => {
      const retrying = new Retrying(retrySeconds, isStopped)
      return new RecordingAppender(
        client,
        new RecordingSubject(client, names, id, retrying),
        retrying,
        id,
        recorder,
        checked,
      )
    },
  )
}

/** @throws {ArgumentRangeError} for anything but a whole number of frames, in bytes */
export function checkPosition(position: unknown, { bytesPerFrame }: PcmFormat, name: string): number {
  if (
    Number.isSafeInteger(position) &&
    (position as number) >= 0 &&
    (position as number) % bytesPerFrame === 0
  ) {
    return position as number
  }
  throw new ArgumentRangeError(
    `${name} is a number of bytes, 0 or more, in whole frames of ${bytesPerFrame}; got ${show(position)}`,
  )
}

interface Sizes {
  messageBytes: number
  bufferBytes: number
  position: number | undefined
}

/** `'begin'` gives, in bytes, the position where the recorder begins, and the length of the gap in front of it. */
export interface RecordingBegin {
  position: number
  gap: number
}

interface RecordingPublisherEvents {
  begin: [begin: RecordingBegin]
  acknowledged: [bytes: number]
}

/**
 * See {@link publishRecording}. Emits `'begin'` with `{ position, gap }` once this recorder has its turn, and
 * `'acknowledged'` with the bytes of the recording that are stored, after every message.
 *
 * What was written before it is destroyed is sent still, without a second attempt. The recording has no end mark then,
 * and another recorder can continue it.
 */
export class RecordingPublisher extends (Writable as WithEvents<typeof Writable, RecordingPublisherEvents>) {
  readonly id: string
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
    // Not by 'construct': what is written before a server has answered is in our queue, and sent also when this is
    // destroyed.
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

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#frames.push(chunk, this.#intake)
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
    const patience = (PATIENCE * 1000 * this.#sizes.messageBytes) / this.format.bytesPerSecond
    this.#timer = setTimeout(() => this.#send(), patience)
  }

  /** Sends what waits, in messages; what is too little for one stays, unless it is the rest. */
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

  override _final(callback: (error?: Error | null) => void): void {
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

  /** What waits for its turn in front of a full buffer was written too: Node would forget it. */
  override destroy(error?: Error): this {
    if (!this.destroyed && this.#failure === undefined) {
      const { writableBuffer } = this as unknown as { writableBuffer?: { chunk: Buffer }[] }
      for (const { chunk } of writableBuffer ?? []) this.#frames.push(chunk, this.#intake)
    }
    return super.destroy(error)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#sendRest().finally(() => callback(error ?? this.#failure))
  }
}
