import { File } from 'node:buffer'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { ArgumentRangeError, ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { bytesOf, checkPosition } from './arguments.ts'
import { Cursor } from './cursor.ts'
import { FollowStream } from './followStream.ts'
import { makeStorage } from './makeStorage.ts'
import { openSource, type VirtualFileSource } from './openSource.ts'
import { type PrivateCopy, privateCopy } from './privateCopy.ts'
import { Recorder } from './recorder.ts'
import { type RequestLike, respond } from './response.ts'
import { float32Samples, int16Samples, type SamplesOptions } from './samples.ts'
import { SnapshotStream } from './snapshotStream.ts'
import { checkOptions, type VirtualFileOptions } from './virtualFileOptions.ts'

export interface ReadStreamOptions {
  /** first byte (default 0) */
  start?: number
  /** last byte, inclusive as in `fs.createReadStream()` (default: the end) */
  end?: number
  /** stay open and deliver what is still to come, to the end of the recording */
  follow?: boolean
  /** with `false` the samples of a WAV alone: `start` and `end` count from the first of them */
  header?: boolean
  /** the most bytes in a chunk, as in `fs.createReadStream()` (default 65,536) */
  highWaterMark?: number
}

/**
 * A file without a path: written like a stream, read like a file, at any position, by any number of readers, while
 * it grows and after. It corrects the WAV header that passes through it, whoever wrote it, and whatever ends the
 * writing, what was written stays readable until it is disposed.
 */
export class VirtualFile extends Writable {
  readonly name: string
  readonly type: string
  readonly #recorder: Recorder

  /** @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option */
  constructor(options: VirtualFileOptions = {}) {
    const { name, type, maxBytes, storage = 'spill' } = checkOptions(options)
    const bytes = makeStorage(storage, maxBytes)
    // Only what must open something waits for it: what is written into memory can be read in the same tick.
    const construct = (callback: (error?: Error | null) => void) =>
      bytes.open!().then(() => callback(), callback)
    super(bytes.open ? { construct } : {})
    this.name = name
    this.type = type
    this.#recorder = new Recorder(name, maxBytes, bytes)
  }

  /**
   * The way back: a finished VirtualFile of what is in a file, in bytes, in a Blob, or still to come from a stream.
   *
   * @returns a promise, rejected with what the file or the stream fails with
   * @throws {ArgumentTypeError} for anything else
   */
  static async from(source: VirtualFileSource, options: VirtualFileOptions = {}): Promise<VirtualFile> {
    const { stream, name, type } = openSource(source)
    const file = new VirtualFile({ ...(name && { name }), ...(type && { type }), ...options })
    await pipeline(stream, file)
    return file
  }

  /** Bytes that can be read now. */
  get size(): number {
    return this.#recorder.size
  }

  /** The PCM format, where it holds a WAV whose encoding is known. */
  get format(): PcmFormat | undefined {
    return this.#recorder.format
  }

  /** Seconds of audio now, where it holds a WAV whose encoding is known. */
  get duration(): number | undefined {
    return this.#recorder.duration
  }

  /** Copies what is there at `position` into `target`; returns how many bytes, 0 at the end. */
  async read(target: NodeJS.ArrayBufferView, position: number): Promise<number> {
    const bytes = bytesOf(target, 'read()')
    checkPosition(position, 'position')
    return this.#recorder.readAt(bytes, position)
  }

  /** The same, at once. @throws where the storage has no synchronous read */
  readSync(target: NodeJS.ArrayBufferView, position: number): number {
    const bytes = bytesOf(target, 'readSync()')
    checkPosition(position, 'position')
    return this.#recorder.readAtSync(bytes, position)
  }

  /**
   * The `size` bytes of this moment where they lie, without a copy, as `BytesIO.getbuffer()`. Later writing does not
   * move them, but keeps the header in them right.
   *
   * @throws {WavespoolError} `ERR_WAVESPOOL_STORAGE` where they do not lie in memory
   */
  view(): Uint8Array {
    return this.#recorder.view()
  }

  /** An independent position in the file, with the semantics of `io.BytesIO`. */
  cursor(): Cursor {
    return new Cursor(this.#recorder)
  }

  /**
   * The file of this moment as a stream, its end and header fixed by the call; with `follow`, all that is still to
   * come as well, behind a header with open sizes, to the end of the recording.
   */
  createReadStream(options: ReadStreamOptions = {}): Readable {
    if (typeof options !== 'object' || options === null) {
      throw new ArgumentTypeError(
        `createReadStream() takes { start, end, follow, header, highWaterMark }, got ${show(options)}`,
      )
    }
    const { start = 0, end, follow = false, header = true, highWaterMark = 65_536 } = options
    checkPosition(start, 'start')
    if (end !== undefined) checkPosition(end, 'end')
    if (end !== undefined && end < start)
      throw new ArgumentRangeError(`end (${end}) lies in front of start (${start})`)
    checkPosition(highWaterMark, 'highWaterMark')
    if (highWaterMark === 0) throw new ArgumentRangeError('highWaterMark must be more than 0')
    const past = end === undefined ? Number.POSITIVE_INFINITY : end + 1
    const stretch = { start, past, header, highWaterMark }
    if (follow && !this.#recorder.isEnded) return new FollowStream(this.#recorder, stretch)
    return new SnapshotStream(this.#recorder.snapshot(), stretch)
  }

  /** The same as a stream of the Web. */
  stream(options: ReadStreamOptions = {}): ReadableStream<Uint8Array> {
    return Readable.toWeb(this.createReadStream(options)) as ReadableStream<Uint8Array>
  }

  /** A copy of the file of this moment, in an ArrayBuffer of its own. */
  async toBuffer(): Promise<Buffer<ArrayBuffer>> {
    return this.#recorder.snapshot().toBuffer()
  }

  /**
   * The file of this moment as a native `File`, which every `fetch` and `FormData` takes: one
   * copy of what lies in memory, none of what lies on a disk.
   */
  async toFile(): Promise<File> {
    const parts = await this.#recorder.blobs()
    return new File(parts, this.name, { type: this.type })
  }

  /**
   * The samples of this moment from −1 to 1, as local recognisers take them: 16 kHz and mono unless asked otherwise.
   * Several channels become one by their mean.
   *
   * @throws {ArgumentRangeError} where the file has another rate, or other channels than were asked for
   * @throws {WavespoolError} `ERR_WAVESPOOL_WAV` where it holds no WAV file in an encoding that is known
   */
  async toFloat32(options?: SamplesOptions): Promise<Float32Array<ArrayBuffer>> {
    return float32Samples(this.#recorder.snapshot(), this.name, options)
  }

  /** The same as 16-bit samples. */
  async toInt16(options?: SamplesOptions): Promise<Int16Array<ArrayBuffer>> {
    return int16Samples(this.#recorder.snapshot(), this.name, options)
  }

  /**
   * The answer of an HTTP server: to `GET` and `HEAD`, with `Range`, `ETag` and the conditions on it. Takes a standard
   * `Request`, a request of `node:http`, or none for a plain `GET`. While the recording goes on the body follows it to
   * its end, behind a header with open sizes: without a length and without ranges.
   *
   * @throws {ArgumentTypeError} for what is no request
   */
  async toResponse(request?: RequestLike): Promise<Response> {
    const { isEnded, entityTag } = this.#recorder
    const recorded = isEnded ? { size: this.#recorder.snapshot().size, entityTag } : undefined
    const open = (range = {}) => this.stream({ ...range, follow: true })
    return respond({ name: this.name, type: this.type, recorded, open }, request)
  }

  /** A private copy of the file of this moment under a real path that ends in its name. It is yours to remove. */
  async toPath(): Promise<PrivateCopy> {
    return privateCopy(this.#recorder.snapshot(), this.name)
  }

  /** Calls `use` with the path of a private copy, which is removed afterwards, and passes on what it returns. */
  async withPath<T>(use: (path: string) => T | Promise<T>): Promise<T> {
    const copy = await this.toPath()
    try {
      return await use(copy.path)
    } finally {
      await copy.remove()
    }
  }

  /** Ends the recording if it still goes on and gives the memory back; nothing can be read afterwards. */
  async dispose(): Promise<void> {
    if (!this.writableFinished) this.destroy()
    await this.#recorder.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  /** @throws {WavespoolError} always: FormData and template strings would send the text instead of the audio */
  override toString(): string {
    throw new WavespoolError(
      'ERR_WAVESPOOL_NOT_A_STRING',
      'a VirtualFile is no string and no Blob; pass `await file.toFile()` instead',
    )
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `VirtualFile { name: ${show(this.name)}, type: ${show(this.type)}, size: ${this.size} }`
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#recorder.append([chunk], callback)
  }

  override _writev(items: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#recorder.append(
      items.map(({ chunk }) => chunk),
      callback,
    )
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#recorder.end().then(() => callback(), callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#recorder.abort(error).then(
      () => callback(error),
      (fault) => callback(error ?? fault),
    )
  }
}
