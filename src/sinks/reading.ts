import { File } from 'node:buffer'
import type { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { checkPosition } from '../arguments.ts'
import type { EncodeOptions } from '../codec/codecs.ts'
import { float32Samples, int16Samples, type SampledFile, type SamplesOptions } from '../dsp/fileSamples.ts'
import { ArgumentRangeError, WavespoolError } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import type { HttpRange } from '../http/byteRanges.ts'
import { checkResponseOptions, type RequestLike, type ResponseOptions, respond } from '../http/response.ts'
import { toWeb } from '../http/webStream.ts'
import { bytesOf } from '../storage/bytes.ts'
import type { ReadableFile } from './readableFile.ts'
import { checkReadStreamOptions, type ReadStreamOptions } from './readStreamOptions.ts'
import type { RecordingReader } from './recording/recordingReader.ts'
import { compress, type NamedSnapshot } from './views/compressed.ts'
import { Cursor } from './views/cursor.ts'
import { FollowStream } from './views/followStream.ts'
import { type PrivateCopy, privateCopy } from './views/privateCopy.ts'
import { SnapshotStream } from './views/snapshotStream.ts'

/** Under this key a {@link ReadableFile} keeps the recording that it reads. */
export const recording = Symbol('recording')

/** The member that a class needs for {@link reading}. */
interface RecordingOwner {
  readonly [recording]: RecordingReader
}

// biome-ignore lint/suspicious/noExplicitAny: a mixin's base takes any arguments, says TypeScript
type Base<T> = abstract new (...args: any[]) => T

/** The class with every way of reading added to it. */
export function reading<T extends object>(base: Base<T>): Base<T & ReadableFile> {
  abstract class Reading extends (base as Base<object>) implements ReadableFile, RecordingOwner {
    abstract readonly name: string
    abstract readonly type: string
    abstract readonly [recording]: RecordingReader
    /** the last compressed answer of toResponse() */
    #encoded: { entityTag: string; moment: Promise<NamedSnapshot> } | undefined

    get size(): number {
      return this[recording].size
    }

    get format(): PcmFormat | undefined {
      return this[recording].format
    }

    get duration(): number | undefined {
      return this[recording].duration
    }

    async read(target: NodeJS.ArrayBufferView, position: number): Promise<number> {
      const bytes = bytesOf(target, 'read()')
      checkPosition(position, 'position')
      return this[recording].snapshot().read(bytes, position)
    }

    readSync(target: NodeJS.ArrayBufferView, position: number): number {
      const bytes = bytesOf(target, 'readSync()')
      checkPosition(position, 'position')
      this[recording].requireSyncRead()
      return this[recording].snapshot().readSync(bytes, position)
    }

    view(): Uint8Array {
      return this[recording].view()
    }

    cursor(): Cursor {
      return new Cursor(this[recording])
    }

    createReadStream(options: ReadStreamOptions = {}): Readable {
      const read = this[recording]
      const { follow, ...checked } = checkReadStreamOptions(options)
      read.refresh()
      const isWhole = read.isEnded && read.failure === undefined // before the snapshot: then that has all of it
      const snapshot = read.snapshot()
      const range = { ...checked, start: startOf(read, checked.start, checked.header) }
      return follow && !isWhole
        ? new FollowStream(read, range)
        : new SnapshotStream(snapshot, range, read.contentFrom(range.start, range.header))
    }

    stream(options: ReadStreamOptions = {}): ReadableStream<Uint8Array> {
      return toWeb(this.createReadStream(options))
    }

    async toBuffer(options?: EncodeOptions): Promise<Buffer<ArrayBuffer>> {
      const { snapshot } = await this.#moment(options)
      return inOnePiece(this, () => snapshot.toBuffer())
    }

    async toFile(options?: EncodeOptions): Promise<File> {
      const { name, type, snapshot } = await this.#moment(options)
      return inOnePiece(this, async () => new File(await snapshot.blobs(), name, { type }))
    }

    /** The file of this moment, or of the one when it had `size` bytes, as it is or compressed. */
    async #moment(options: EncodeOptions | undefined, size?: number): Promise<NamedSnapshot> {
      const { name, type, [recording]: read } = this
      const snapshot = read.snapshot(size)
      if (options === undefined) return { name, type, snapshot }
      const format = read.format ?? read.rawFormat
      const { start, end } = snapshot.samples
      const { bytesPerFrame = 1 } = format ?? {}
      const whole = end - start - ((end - start) % bytesPerFrame) // of samples without a header half a frame may be there
      const range = { ...checkReadStreamOptions({ header: false }), start: 0, end: whole }
      return compress(new SnapshotStream(snapshot, range, undefined), name, format, options)
    }

    /** A player asks for many ranges: they are of one encoding, as no two of Opus are alike. */
    #encodedOnce(
      entityTag: string,
      options: EncodeOptions,
      size: number | undefined,
    ): Promise<NamedSnapshot> {
      const read = this[recording]
      read.snapshot(size) // throws after dispose()
      if (this.#encoded?.entityTag === entityTag) return this.#encoded.moment
      const encoded = { entityTag, moment: this.#moment(options, size) }
      this.#encoded = encoded
      const forget = () => {
        unsubscribe()
        if (this.#encoded === encoded) this.#encoded = undefined
      }
      const unsubscribe = read.onChange(() => {
        if (read.state === 'disposed' || this.#encoded !== encoded) forget()
      })
      encoded.moment.catch(forget)
      return encoded.moment
    }

    async toFloat32(options?: SamplesOptions): Promise<Float32Array<ArrayBuffer>> {
      return inOnePiece(this, () => float32Samples(sampled(this), options))
    }

    async toInt16(options?: SamplesOptions): Promise<Int16Array<ArrayBuffer>> {
      return inOnePiece(this, () => int16Samples(sampled(this), options))
    }

    async toResponse(request?: RequestLike, options: ResponseOptions = {}): Promise<Response> {
      checkResponseOptions(options)
      const read = this[recording]
      const { size, codec, bitrate, disposition = 'inline' } = options
      const isFixed = read.isEnded || size !== undefined || codec !== undefined
      const entityTag = read.entityTag(size ?? (read.isEnded ? undefined : read.size), codec, bitrate)
      const moment =
        codec === undefined
          ? await this.#moment(undefined, size)
          : await this.#encodedOnce(entityTag, { codec, bitrate }, size)
      const { type, snapshot } = moment
      const { name = moment.name } = options
      const finished = isFixed ? { size: snapshot.size, entityTag } : undefined
      const open = (range?: HttpRange) => {
        if (!isFixed) return this.createReadStream({ follow: true })
        const { start = 0 } = range ?? {}
        return new SnapshotStream(snapshot, { ...checkReadStreamOptions({ ...range }), start }, undefined)
      }
      return respond({ name, type, disposition, finished, open }, request)
    }

    async toPath(options?: EncodeOptions): Promise<PrivateCopy> {
      const { name, snapshot } = await this.#moment(options)
      return privateCopy(snapshot, name)
    }

    async withPath<T>(use: (path: string) => T | Promise<T>, options?: EncodeOptions): Promise<T> {
      const copy = await this.toPath(options)
      try {
        return await use(copy.path)
      } finally {
        await copy.remove()
      }
    }

    override toString(): string {
      throw new WavespoolError(
        'ERR_WAVESPOOL_NOT_A_STRING',
        'a VirtualFile is no string and no Blob; pass `await file.toFile()` instead',
      )
    }
  }
  return Reading as unknown as Base<T & ReadableFile>
}

/**
 * Where a stream begins. `'live'` is behind the newest whole frame, and so is the pad byte of this moment: the next
 * sample takes its place.
 */
function startOf(read: RecordingReader, start: number | 'live', header: boolean): number {
  read.refresh()
  const { tracker, writtenBytes, isEnded } = read // once: another thread may have recorded more by the next look
  const { dataEnd: live, end, pad } = tracker.extent(writtenBytes)
  if (start === 'live') return header ? live : live - tracker.dataStart
  return header && !isEnded && start > live && start <= end + pad ? live : start
}

function sampled({ name, [recording]: read }: RecordingOwner & { name: string }): SampledFile {
  return { name, snapshot: read.snapshot(), rawFormat: read.rawFormat }
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
