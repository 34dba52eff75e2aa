import { File } from 'node:buffer'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { ArgumentRangeError, ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { bytesOf, checkPosition } from './arguments.ts'
import type { StoredFile } from './recording/storedFile.ts'
import { Cursor } from './views/cursor.ts'
import { FollowStream } from './views/followStream.ts'
import { type PrivateCopy, privateCopy } from './views/privateCopy.ts'
import { type RequestLike, respond } from './views/response.ts'
import { float32Samples, int16Samples, type SamplesOptions } from './views/samples.ts'
import { SnapshotStream } from './views/snapshotStream.ts'

/** Under which a {@link ReadableFile} keeps what it reads. */
export const stored = Symbol('stored')

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

/** A recording as it is read, in every way: what a VirtualFile and one that is attached have in common. */
export abstract class ReadableFile {
  abstract readonly name: string
  abstract readonly type: string
  /** @internal */
  abstract readonly [stored]: StoredFile

  /** Bytes that can be read now. */
  get size(): number {
    return this[stored].size
  }

  /** The PCM format, where it holds a WAV whose encoding is known. */
  get format(): PcmFormat | undefined {
    return this[stored].format
  }

  /** Seconds of audio now, where it holds a WAV whose encoding is known. */
  get duration(): number | undefined {
    return this[stored].duration
  }

  /** Copies what is there at `position` into `target`; returns how many bytes, 0 at the end. */
  async read(target: NodeJS.ArrayBufferView, position: number): Promise<number> {
    const bytes = bytesOf(target, 'read()')
    checkPosition(position, 'position')
    return this[stored].readAt(bytes, position)
  }

  /** The same, at once. @throws where the storage has no synchronous read */
  readSync(target: NodeJS.ArrayBufferView, position: number): number {
    const bytes = bytesOf(target, 'readSync()')
    checkPosition(position, 'position')
    return this[stored].readAtSync(bytes, position)
  }

  /**
   * The `size` bytes of this moment where they lie, without a copy, as `BytesIO.getbuffer()`. Later writing does not
   * move them, but keeps the header in them right.
   *
   * @throws {WavespoolError} `ERR_WAVESPOOL_STORAGE` where they do not lie in memory
   */
  view(): Uint8Array {
    return this[stored].view()
  }

  /** An independent position in the file, with the semantics of `io.BytesIO`. */
  cursor(): Cursor {
    return new Cursor(this[stored])
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
    if (follow && !this[stored].isEnded) return new FollowStream(this[stored], stretch)
    return new SnapshotStream(this[stored].snapshot(), stretch)
  }

  /** The same as a stream of the Web. */
  stream(options: ReadStreamOptions = {}): ReadableStream<Uint8Array> {
    return Readable.toWeb(this.createReadStream(options)) as ReadableStream<Uint8Array>
  }

  /** A copy of the file of this moment, in an ArrayBuffer of its own. */
  async toBuffer(): Promise<Buffer<ArrayBuffer>> {
    return inOnePiece(this, () => this[stored].snapshot().toBuffer())
  }

  /**
   * The file of this moment as a native `File`, which every `fetch` and `FormData` takes: one
   * copy of what lies in memory, none of what lies on a disk.
   */
  async toFile(): Promise<File> {
    return inOnePiece(this, async () => new File(await this[stored].blobs(), this.name, { type: this.type }))
  }

  /**
   * The samples of this moment from −1 to 1, as local recognisers take them: 16 kHz and mono unless asked otherwise,
   * mixed and resampled as `convert()` does it.
   *
   * @throws {ArgumentTypeError | ArgumentRangeError} for wrong options, among them a `channel` that the file has not
   * @throws {WavespoolError} `ERR_WAVESPOOL_WAV` where it holds no WAV file in an encoding that is known
   */
  async toFloat32(options?: SamplesOptions): Promise<Float32Array<ArrayBuffer>> {
    return inOnePiece(this, () => float32Samples(this[stored].snapshot(), this.name, options))
  }

  /** The same as 16-bit samples. */
  async toInt16(options?: SamplesOptions): Promise<Int16Array<ArrayBuffer>> {
    return inOnePiece(this, () => int16Samples(this[stored].snapshot(), this.name, options))
  }

  /**
   * The answer of an HTTP server: to `GET` and `HEAD`, with `Range`, `ETag` and the conditions on it. Takes a standard
   * `Request`, a request of `node:http`, or none for a plain `GET`. While the recording goes on the body follows it to
   * its end, behind a header with open sizes: without a length and without ranges.
   *
   * @throws {ArgumentTypeError} for what is no request
   */
  async toResponse(request?: RequestLike): Promise<Response> {
    this[stored].refresh()
    const { isEnded, entityTag } = this[stored]
    const recorded = isEnded ? { size: this[stored].snapshot().size, entityTag } : undefined
    const open = (range = {}) => this.stream({ ...range, follow: true })
    return respond({ name: this.name, type: this.type, recorded, open }, request)
  }

  /** A private copy of the file of this moment under a real path that ends in its name. It is yours to remove. */
  async toPath(): Promise<PrivateCopy> {
    return privateCopy(this[stored].snapshot(), this.name)
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

  /** @throws {WavespoolError} always: FormData and template strings would send the text instead of the audio */
  toString(): string {
    throw new WavespoolError(
      'ERR_WAVESPOOL_NOT_A_STRING',
      'a VirtualFile is no string and no Blob; pass `await file.toFile()` instead',
    )
  }
}

/** A Buffer, and on Node 20 a File too, ends at 4 GiB, or where memory does. */
async function inOnePiece<T>(file: ReadableFile, make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (cause) {
    if (!(cause instanceof RangeError) || cause instanceof ArgumentRangeError) throw cause
    throw new WavespoolError(
      'ERR_WAVESPOOL_FULL',
      `${file.name} is too long for one piece of memory (${file.size} bytes: ${cause.message}); use createReadStream(), toResponse() or toPath()`,
      { cause },
    )
  }
}
