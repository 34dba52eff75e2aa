import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { type WavHeader, wavHeaderParser } from '../format/readWavHeader.ts'
import type { Source } from './source.ts'

export interface ReplayOptions {
  /** `'realtime'` (default): as if it were being recorded, in steps of 20 ms; `'fast'`: as fast as it is read */
  pace?: 'realtime' | 'fast'
}

/** A VirtualFile, or anything else that reads like a file; asked to follow, as it may still be growing. */
export interface Replayable {
  createReadStream(options: { follow: true }): AsyncIterable<Uint8Array>
}

/**
 * Plays a WAV as if it were being recorded: a byte-mode Readable of its samples without the header, in whole frames
 * (what is left of a frame at the end is dropped). A size that the file gets wrong, as while it is being written,
 * means "to the end".
 *
 * @param file a path, a file URL, or anything with `createReadStream()`: a VirtualFile, also one that is still growing
 * @throws {ArgumentTypeError} at once, for a wrong argument
 *
 * Fails, as a stream does, with `ERR_WAVESPOOL_WAV` for what is no WAV or has samples in an unknown encoding, and with
 * the error of the file itself, once everything before it has been delivered.
 */
export function replay(file: string | URL | Replayable, options: ReplayOptions = {}): ReplaySource {
  return new ReplaySource(file, options)
}

const STEPS_PER_SECOND = 50

/** Emits `'format'` with a PcmFormat before the first byte. */
export class ReplaySource extends Readable implements Source {
  /** undefined until `'format'` */
  format: PcmFormat | undefined
  /** Resolves with the format; rejects with what ended it before that. It need not be awaited. */
  readonly ready: Promise<{ format: PcmFormat }>
  readonly #file: string | URL | Replayable
  readonly #isRealtime: boolean
  #resolveReady: (value: { format: PcmFormat }) => void = () => {}
  #rejectReady: (error: Error) => void = () => {}
  #input: (AsyncIterable<Uint8Array> & { destroy?(): void }) | undefined
  #isStopped = false
  /** what ends the stream once all in front of it has been read */
  #failure: Error | undefined
  /** lets the pump go on, which waits for its reader or for its time */
  #wake: (() => void) | undefined
  #isWaitingForTime = false

  constructor(file: string | URL | Replayable, options: ReplayOptions = {}) {
    const isRealtime = checkPace(file, options) === 'realtime' // first: what fails behind super() is constructed all the same
    super()
    this.#file = file
    this.#isRealtime = isRealtime
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve
      this.#rejectReady = reject
    })
    this.ready.catch(() => {}) // 'error' tells it too
  }

  stop(): void {
    if (this.#isStopped || this.destroyed) return
    this.#isStopped = true
    this.#wake?.()
    this.#letGo()
    this.#rejectReady(endedError())
    if (this.#failure === undefined && !this.readableEnded) this.push(null)
  }

  override _construct(callback: (error?: Error | null) => void): void {
    callback()
    if (this.#isStopped) return
    this.#play().then(
      () => {
        if (!this.#isStopped) this.push(null)
        this.#isStopped = true
      },
      (error) => {
        if (this.#isStopped || this.destroyed) return // it was let go of: what its input says of that is no news
        this.#failure = error
        this.#rejectReady(error)
        this.#letGo()
        this.#failIfDrained()
      },
    )
  }

  override _read(): void {
    if (!this.#isWaitingForTime) this.#wake?.()
  }

  /** Every way of consuming a Readable comes by here, which is how an error can wait for the last byte. */
  override read(size?: number): Buffer | null {
    const chunk = super.read(size) as Buffer | null
    this.#failIfDrained()
    return chunk
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#isStopped = true
    this.#wake?.()
    this.#letGo()
    this.#rejectReady(error ?? endedError())
    callback(error)
  }

  async #play(): Promise<void> {
    const file = this.#file
    const stream =
      typeof file === 'string' || file instanceof URL
        ? createReadStream(file)
        : file.createReadStream({ follow: true })
    if (typeof stream?.[Symbol.asyncIterator] !== 'function') {
      throw new ArgumentTypeError(`replay(): createReadStream() must return a Readable, got ${show(stream)}`)
    }
    this.#input = stream
    const chunks = stream[Symbol.asyncIterator]()
    const { header, rest } = await this.#readHeader(chunks)
    const { format } = header
    if (format === undefined) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_WAV',
        `the samples of this WAV file are in an encoding that Wavespool does not know (format tag ${header.formatTag}); convert it first (sox in.wav -e signed -b 16 out.wav)`,
      )
    }
    if (this.#isStopped) return
    this.format = format
    this.#resolveReady({ format })
    this.emit('format', format)
    await this.#playSamples(chunks, header, format, rest)
  }

  #letGo(): void {
    this.#input?.destroy?.()
  }

  async #readHeader(input: AsyncIterator<Uint8Array>): Promise<{ header: WavHeader; rest: Buffer }> {
    const parser = wavHeaderParser()
    for (;;) {
      const { value, done } = await input.next()
      if (done) throw new WavespoolError('ERR_WAVESPOOL_WAV', 'this WAV file ends before its samples begin')
      const used = parser.push(value)
      const { header, fault } = parser.result ?? {}
      if (header) return { header, rest: toBuffer(value).subarray(used) }
      if (fault !== undefined) throw new WavespoolError('ERR_WAVESPOOL_WAV', fault)
    }
  }

  async #playSamples(
    input: AsyncIterator<Uint8Array>,
    header: WavHeader,
    format: PcmFormat,
    first: Buffer,
  ): Promise<void> {
    const { bytesPerFrame, sampleRate } = format
    const stepBytes = Math.max(1, Math.round(sampleRate / STEPS_PER_SECOND)) * bytesPerFrame
    const startedAt = performance.now()
    let total = header.dataBytes === 0 ? Number.POSITIVE_INFINITY : header.dataBytes
    // Behind an odd number of bytes a pad byte may follow, which only the file itself can tell from a sample.
    const heldBack = bytesPerFrame % 2 === 1 ? 1 : 0
    let sent = 0
    let left = first
    for (let isLast = false; !this.#isStopped; ) {
      const most = Math.min(left.length - (isLast ? 0 : heldBack), total - sent)
      const usable = most - (most % bytesPerFrame)
      for (let at = 0; at < usable && !this.#isStopped; ) {
        const size = this.#isRealtime ? Math.min(stepBytes - (sent % stepBytes), usable - at) : usable
        if (this.#isRealtime) await this.#until(startedAt + ((sent + size) / format.bytesPerSecond) * 1000)
        if (this.#isStopped) return
        sent += size
        const wantsMore = this.push(left.subarray(at, at + size))
        at += size
        if (!wantsMore && !this.#isStopped) await this.#untilRead()
      }
      if (isLast || sent >= total) break
      left = left.subarray(Math.max(0, usable))
      const { value, done } = await input.next()
      isLast = done === true
      if (isLast) total = Math.min(total, this.#recordedBytes(format))
      else left = left.length === 0 ? toBuffer(value) : Buffer.concat([left, value])
    }
    this.#letGo()
  }

  /** What a file that knows its duration says of its end. */
  #recordedBytes({ bytesPerSecond }: PcmFormat): number {
    const { duration } = this.#file as { duration?: unknown }
    return typeof duration === 'number' ? Math.round(duration * bytesPerSecond) : Number.POSITIVE_INFINITY
  }

  /** Against the time since the start: a late step makes none of the next ones late. */
  async #until(time: number): Promise<void> {
    const ms = time - performance.now()
    if (ms <= 0) return
    this.#isWaitingForTime = true
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      timer = setTimeout(resolve, ms)
    })
    clearTimeout(timer)
    this.#isWaitingForTime = false
    this.#wake = undefined
  }

  async #untilRead(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
  }

  #failIfDrained(): void {
    const failure = this.#failure
    // Not at once: the chunk that was read last is only now on its way through what stands behind.
    if (failure && this.readableLength === 0) setImmediate(() => this.destroy(failure))
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function endedError(): WavespoolError {
  return new WavespoolError('ERR_WAVESPOOL_RECORDING', 'the replay was ended before the format was known')
}

function checkPace(file: unknown, options: unknown): 'realtime' | 'fast' {
  const isFile = typeof (file as Partial<Replayable> | null)?.createReadStream === 'function'
  if (!(typeof file === 'string' || file instanceof URL || isFile) || file === '') {
    throw new ArgumentTypeError(
      `replay() takes a path or anything with createReadStream(), got ${show(file)}`,
    )
  }
  if (typeof options !== 'object' || options === null) {
    throw new ArgumentTypeError(`replay() takes { pace } as options, got ${show(options)}`)
  }
  const { pace = 'realtime' } = options as ReplayOptions
  if (pace === 'realtime' || pace === 'fast') return pace
  throw new ArgumentTypeError(`replay(): pace must be 'realtime' or 'fast', got ${show(pace)}`)
}
