import type { Blob } from 'node:buffer'
import {
  type CloneSource,
  type ExtentMap,
  extentBlobs,
  readExtents,
  readExtentsSync,
} from '../../storage/extents.ts'

/** A range of bytes; the end is exclusive. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** The state of a file at one moment. */
interface Moment {
  /** takes the place of the bytes at the start */
  header: Uint8Array<ArrayBuffer>
  /** where the bytes end that lie in the storage */
  end: number
  /** the zero byte behind them, where it is not there yet */
  pad: 0 | 1
  /** where the samples of a WAV lie; all of it where it holds none */
  samples: ByteRange
}

/**
 * The file of one moment: its header and its end are fixed, its samples stay where they are. Every way of reading goes
 * through it, and it puts the header in front. A read that cannot bring what the snapshot promised fails.
 */
export class Snapshot {
  /** bytes, the pad byte included */
  readonly size: number
  readonly samples: ByteRange
  readonly #header: Uint8Array<ArrayBuffer>
  readonly #end: number
  readonly #map: ExtentMap
  readonly #toError: (error: unknown) => unknown

  /** @param toError what a reader gets to see instead of an error of the storage */
  constructor(map: ExtentMap, { header, end, pad, samples }: Moment, toError: (error: unknown) => unknown) {
    this.#map = map
    this.#header = header
    this.#end = end
    this.size = end + pad
    this.samples = samples
    this.#toError = toError
  }

  /** Fills the target from `position` as far as the snapshot goes; returns how many bytes. */
  read(target: Uint8Array, position: number): number | Promise<number> {
    const { count, stored, from } = this.#splice(target, position)
    if (stored.length === 0) return count
    try {
      return readExtents(this.#map, stored, from)?.then(() => count, this.#fail) ?? count
    } catch (error) {
      return this.#fail(error)
    }
  }

  /** {@link read}, at once. */
  readSync(target: Uint8Array, position: number): number {
    const { count, stored, from } = this.#splice(target, position)
    try {
      if (stored.length > 0) readExtentsSync(this.#map, stored, from)
      return count
    } catch (error) {
      return this.#fail(error)
    }
  }

  readonly #fail = (error: unknown): never => {
    throw this.#toError(error)
  }

  /** Puts the header and the pad byte into the target: what is left of it is filled from the storage. */
  #splice(target: Uint8Array, position: number): { count: number; stored: Uint8Array; from: number } {
    const count = Math.max(0, Math.min(target.length, this.size - position))
    const isStored = position >= this.#header.length && position + target.length <= this.#end
    if (isStored) return { count, stored: target, from: position } // nearly always, and views cost time
    const header = this.#header.subarray(position, position + count)
    if (header.length > 0) target.set(header)
    const end = Math.max(header.length, Math.min(count, this.#end - position))
    if (end < count) target.fill(0, end, count)
    return { count, stored: target.subarray(header.length, end), from: position + header.length }
  }

  /** One copy of everything, in an ArrayBuffer of its own. */
  async toBuffer(): Promise<Buffer<ArrayBuffer>> {
    const buffer = Buffer.allocUnsafeSlow(this.size)
    await this.read(buffer, 0)
    return buffer
  }

  /** The same in Blobs: nothing is read that lies in a file which no longer changes. */
  async blobs(): Promise<(Blob | Uint8Array<ArrayBuffer>)[]> {
    const start = this.#header.length
    try {
      const blobs = await extentBlobs(this.#map, start, this.#end)
      return [this.#header, ...blobs, new Uint8Array(this.size - this.#end)]
    } catch (error) {
      return this.#fail(error)
    }
  }

  /** A file that holds a part of it, behind the header. */
  get cloneSource(): CloneSource | undefined {
    const source = this.#map.cloneSource
    if (source === undefined) return undefined
    const { path, check } = source
    const start = Math.max(source.start, this.#header.length)
    return { path, check, start, end: Math.min(source.end, this.#end) }
  }
}
