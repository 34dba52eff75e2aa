import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type { WithEvents } from '../emitting.ts'
import { ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import { failOnceRead } from '../failOnceRead.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { WavReaderKernel } from '../format/wavReaderKernel.ts'
import { Port, type Ports, ports } from '../neighbours.ts'
import { checkOptions } from '../options.ts'
import { clearTimeout, now, setTimeout } from '../realTimers.ts'
import type { Source } from './source.ts'

/** The options of `replay()`. */
export interface ReplayOptions {
  /** `'realtime'` (default): as if it were being recorded, in steps of 20 ms; `'fast'`: as fast as it is read */
  pace?: 'realtime' | 'fast'
}

/** A VirtualFile, or anything else that reads like a file; asked to follow, as it may still be growing. */
export interface Replayable {
  /** Makes a stream of the file, from its first byte. */
  createReadStream(options: { follow: true }): AsyncIterable<Uint8Array>
}

/**
 * Plays a WAV as if it were being recorded: a byte-mode Readable of its samples without the header, in whole frames
 * (a partial frame at the end is dropped), read as `wavReader()` reads it.
 *
 * @param file a path, a file URL, or anything with `createReadStream()`: a VirtualFile, also one that is still growing
 * @throws {ArgumentTypeError} at once, for a wrong argument
 *
 * Fails, as a stream does, with `ERR_WAVESPOOL_WAV` for a file that is no WAV or has samples in an unknown encoding, and with
 * the error of the file itself, once everything before it has been delivered.
 */
export function replay(file: string | URL | Replayable, options: ReplayOptions = {}): ReplaySource {
  return new ReplaySource(file, options)
}

const STEPS_PER_SECOND = 50

interface ReplaySourceEvents {
  format: [format: PcmFormat]
}

/** Emits `'format'` with a PcmFormat before the first byte. */
export class ReplaySource
  extends (Readable as WithEvents<typeof Readable, ReplaySourceEvents>)
  implements Source
{
  /** undefined until `'format'` */
  format: PcmFormat | undefined
  /** Resolves with the format; rejects with the error that ended the stream before that. It need not be awaited. */
  readonly ready: Promise<{ format: PcmFormat }>
  /** @internal */
  readonly [ports]: Ports & { gives: Port } = { gives: new Port('replay()') }
  readonly #file: string | URL | Replayable
  readonly #isRealtime: boolean
  #resolveReady: (value: { format: PcmFormat }) => void = () => {}
  #rejectReady: (error: Error) => void = () => {}
  #input: (AsyncIterable<Uint8Array> & { destroy?(): void }) | undefined
  #isStopped = false
  /** ends the stream once all bytes in front of it have been read */
  #failure: Error | undefined
  /** lets the pump go on, which waits for its reader or for its time */
  #wake: (() => void) | undefined
  #isWaitingForTime = false
  /** when the first sample was due */
  #startedAt = 0
  /** bytes of samples that were put out, or wait for their time */
  #sent = 0
  #heldBack: Uint8Array = new Uint8Array(0)

  constructor(file: string | URL | Replayable, options: ReplayOptions = {}) {
    const isRealtime = checkPace(file, options) === 'realtime' // before super(): an error behind it leaves a stream open
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
    this.#playFile().then(
      () => {
        if (!this.#isStopped) this.push(null)
        this.#isStopped = true
      },
      (error) => {
        if (this.#isStopped || this.destroyed) return // the input reports that it was destroyed
        this.#failure = error
        this.#rejectReady(error)
        this.#letGo()
        failOnceRead(this, error)
      },
    )
  }

  override _read(): void {
    if (!this.#isWaitingForTime) this.#wake?.()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#isStopped = true
    this.#wake?.()
    this.#letGo()
    this.#rejectReady(error ?? endedError())
    callback(error)
  }

  async #playFile(): Promise<void> {
    const file = this.#file
    const stream =
      typeof file === 'string' || file instanceof URL
        ? createReadStream(file)
        : file.createReadStream({ follow: true })
    if (typeof stream?.[Symbol.asyncIterator] !== 'function') {
      throw new ArgumentTypeError(`replay(): createReadStream() must return a Readable, got ${show(stream)}`)
    }
    this.#input = stream
    await this.#playSamples(stream)
  }

  #letGo(): void {
    this.#input?.destroy?.()
  }

  async #playSamples(input: AsyncIterable<Uint8Array>): Promise<void> {
    const kernel = new WavReaderKernel()
    let samples: Uint8Array[] = []
    const out = { push: (bytes: Uint8Array) => samples.push(bytes) }
    const report = () => {
      if (this.format !== undefined || kernel.format === undefined || this.#isStopped) return
      this.format = kernel.format
      this.#startedAt = now()
      this.#resolveReady({ format: kernel.format })
      this[ports].gives.know({ kind: 'pcm', format: kernel.format })
      this.emit('format', kernel.format)
    }
    for await (const chunk of input) {
      kernel.push(toBuffer(chunk), out)
      report()
      if (this.format?.bytesPerFrame === 1) samples = this.#holdBack(samples)
      for (const bytes of samples) await this.#play(bytes)
      samples = []
      if (this.#isStopped) return
      if (kernel.hasAllSamples) break
    }
    kernel.flush(out)
    report()
    if (this.#heldBack.length > 0 && this.#recordedBytes(kernel.format!) > this.#sent)
      await this.#play(this.#heldBack)
    for (const bytes of samples) await this.#play(bytes)
    this.#letGo()
  }

  /** Behind an odd number of samples of one byte a pad byte may follow, which only the file itself can tell from one. */
  #holdBack(samples: Uint8Array[]): Uint8Array[] {
    const last = samples.at(-1)
    if (last === undefined) return samples
    const before = this.#heldBack
    this.#heldBack = last.subarray(last.length - 1)
    return [before, ...samples.slice(0, -1), last.subarray(0, last.length - 1)]
  }

  async #play(bytes: Uint8Array): Promise<void> {
    const { bytesPerFrame, bytesPerSecond, sampleRate } = this.format!
    const stepBytes = Math.max(1, Math.round(sampleRate / STEPS_PER_SECOND)) * bytesPerFrame
    const before = this.#sent
    this.#sent += bytes.length
    for (let at = 0; at < bytes.length && !this.#isStopped; ) {
      const remaining = bytes.length - at
      const size = this.#isRealtime ? Math.min(stepBytes - ((before + at) % stepBytes), remaining) : remaining
      if (this.#isRealtime)
        await this.#until(this.#startedAt + ((before + at + size) / bytesPerSecond) * 1000)
      if (this.#isStopped) return
      const wantsMore = this.push(bytes.subarray(at, at + size))
      at += size
      if (!wantsMore && !this.#isStopped) await this.#untilRead()
    }
  }

  /** The size of a file whose duration is known. */
  #recordedBytes({ bytesPerSecond }: PcmFormat): number {
    const { duration } = this.#file as { duration?: unknown }
    return typeof duration === 'number' ? Math.round(duration * bytesPerSecond) : Number.POSITIVE_INFINITY
  }

  /** Against the time since the start: a late step makes none of the next ones late. */
  async #until(time: number): Promise<void> {
    const ms = time - now()
    if (ms <= 0) return
    this.#isWaitingForTime = true
    let timer: ReturnType<typeof setTimeout> | undefined
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
  checkOptions(options, ['pace'], 'replay()')
  const { pace = 'realtime' } = options as ReplayOptions
  if (pace === 'realtime' || pace === 'fast') return pace
  throw new ArgumentTypeError(`replay(): pace must be 'realtime' or 'fast', got ${show(pace)}`)
}
