import type { File } from 'node:buffer'
import type { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { EncodeOptions } from '../codec/codecs.ts'
import type { SamplesOptions } from '../dsp/fileSamples.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import type { RequestLike, ResponseOptions } from '../http/response.ts'
import type { ReadStreamOptions } from './readStreamOptions.ts'
import type { Cursor } from './views/cursor.ts'
import type { PrivateCopy } from './views/privateCopy.ts'

/** A recording as it is read, in every way: what a VirtualFile and one that is attached have in common. */
export interface ReadableFile {
  /** the name that consumers see */
  readonly name: string
  /** the media type; of bytes that are no WAV file never `'audio/wav'`, but `'application/octet-stream'` */
  readonly type: string

  /** Bytes of the file of this moment: the length of a snapshot that is taken now. */
  readonly size: number

  /** The PCM format, where it holds a WAV whose encoding is known. */
  readonly format: PcmFormat | undefined

  /** Seconds of audio now, where it holds a WAV whose encoding is known. */
  readonly duration: number | undefined

  /**
   * Copies what is there at `position` into `target`; returns how many bytes, 0 at the end.
   *
   * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong target or position
   * @throws {WavespoolError} `ERR_WAVESPOOL_STORAGE` where the bytes cannot be read, or are no longer there;
   * `ERR_WAVESPOOL_DISPOSED` after `dispose()`
   */
  read(target: NodeJS.ArrayBufferView, position: number): Promise<number>

  /**
   * {@link ReadableFile.read}, which blocks this thread meanwhile.
   *
   * @throws as `read()` does, and with `ERR_WAVESPOOL_STORAGE` where the storage has no synchronous read
   */
  readSync(target: NodeJS.ArrayBufferView, position: number): number

  /**
   * The `size` bytes of this moment where they lie, without a copy, as `BytesIO.getbuffer()`. Later writing does not
   * move them, but keeps the header in them right.
   *
   * @throws {WavespoolError} `ERR_WAVESPOOL_STORAGE` where they do not lie in memory; `ERR_WAVESPOOL_DISPOSED` after
   * `dispose()`
   */
  view(): Uint8Array

  /** An independent position in the file, with the semantics of `io.BytesIO`. */
  cursor(): Cursor

  /**
   * The file of this moment as a stream, its end and header fixed by the call; with `follow`, all that is still to
   * come as well, behind a header with open sizes, to the end of the recording. Where the recording fails, a follower
   * gets every byte, then the error.
   *
   * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option
   * @throws {WavespoolError} `ERR_WAVESPOOL_DISPOSED` after `dispose()`
   */
  createReadStream(options?: ReadStreamOptions): Readable

  /** The same as a stream of the Web. @throws as `createReadStream()` does */
  stream(options?: ReadStreamOptions): ReadableStream<Uint8Array>

  /**
   * A copy of the file of this moment, in an ArrayBuffer of its own; with `{ codec, bitrate }` compressed as by
   * `encode()`, here and in the ways that follow.
   *
   * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option, and for a format that the codec cannot hold
   * @throws {WavespoolError} `ERR_WAVESPOOL_CODEC` where the codec's library is not installed; `ERR_WAVESPOOL_WAV` where
   * it is not known what the samples are; `ERR_WAVESPOOL_FULL` where the file is too long for one piece of memory;
   * `ERR_WAVESPOOL_STORAGE` and `ERR_WAVESPOOL_DISPOSED` as `read()`
   */
  toBuffer(options?: EncodeOptions): Promise<Buffer<ArrayBuffer>>

  /**
   * The file of this moment as a native `File`, which every `fetch` and `FormData` takes: one
   * copy of what lies in memory, none of what lies on a disk. With `{ codec: 'mp3' }`, `memo.wav` is `memo.mp3`.
   *
   * @throws as `toBuffer()` does
   */
  toFile(options?: EncodeOptions): Promise<File>

  /**
   * The samples of this moment from −1 to 1, as local recognisers take them: 16 kHz and mono unless asked otherwise,
   * mixed and resampled as `convert()` does it. Samples without a header need a `format` that says what they are.
   *
   * @throws {ArgumentTypeError | ArgumentRangeError} for wrong options, among them a `channel` that the file has not
   * @throws {WavespoolError} `ERR_WAVESPOOL_WAV` where it holds no WAV file in an encoding that is known, and no `format`
   * says what it holds; `ERR_WAVESPOOL_FORMAT` for a `format` that is known to be another one; `ERR_WAVESPOOL_FULL` where
   * the samples are too long for one piece of memory; `ERR_WAVESPOOL_STORAGE` and `ERR_WAVESPOOL_DISPOSED` as `read()`
   */
  toFloat32(options?: SamplesOptions): Promise<Float32Array<ArrayBuffer>>

  /** The same as 16-bit samples. @throws as `toFloat32()` does */
  toInt16(options?: SamplesOptions): Promise<Int16Array<ArrayBuffer>>

  /**
   * The answer of an HTTP server: to `GET` and `HEAD`, with `Range`, `ETag` and the conditions on it. Takes a standard
   * `Request`, a request of `node:http`, or none for a plain `GET`. While the recording goes on the body follows it to
   * its end, behind a header with open sizes: without a length and without ranges, unless `size` names a moment of it.
   *
   * @throws {ArgumentTypeError | ArgumentRangeError} for what is no request, for a wrong option, and for a size that the
   * file never had
   * @throws {WavespoolError} as `toBuffer()` does
   */
  toResponse(request?: RequestLike, options?: ResponseOptions): Promise<Response>

  /**
   * A private copy of the file of this moment under a real path that ends in its name. It is yours to remove.
   *
   * @throws as `toBuffer()` does, and with `ERR_WAVESPOOL_STORAGE` where the copy cannot be written
   */
  toPath(options?: EncodeOptions): Promise<PrivateCopy>

  /**
   * Calls `use` with the path of a private copy, which is removed afterwards, and returns its result.
   *
   * @throws as `toPath()` does, and with the error of `use`
   */
  withPath<T>(use: (path: string) => T | Promise<T>, options?: EncodeOptions): Promise<T>

  /** @throws {WavespoolError} always: FormData and template strings would send the text instead of the audio */
  toString(): string
}
