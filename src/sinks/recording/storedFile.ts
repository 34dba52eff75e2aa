import type { Blob } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { WavespoolError } from '../../errors.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import type { ReadableStorage } from '../storage/storage.ts'
import type { CursorTarget } from '../views/cursor.ts'
import { Snapshot } from '../views/snapshot.ts'
import type { Recording } from './recording.ts'
import { WavTracker } from './wavTracker.ts'

/** The bytes in a storage as readers and cursors see them: behind a WAV header that is right at every moment. */
export abstract class StoredFile implements Recording, CursorTarget {
  readonly name: string
  abstract readonly tracker: WavTracker
  abstract readonly isEnded: boolean
  abstract readonly isDisposed: boolean
  abstract readonly failure: Error | undefined
  abstract readonly recorded: number
  protected abstract readonly storage: ReadableStorage
  /** how often cursors have changed the bytes, which are the user's since the first time */
  abstract readonly edits: number
  readonly #id = randomUUID()
  readonly #listeners = new Set<() => void>()

  constructor(name: string) {
    this.name = name
  }

  abstract overwrite(bytes: Uint8Array, position: number): void | Promise<void>
  abstract cutOff(size: number): void | Promise<void>
  abstract requireSyncChange(): void

  /** Takes note of what another thread has recorded meanwhile; until the next call nothing changes. */
  refresh(): void {}

  get size(): number {
    this.refresh()
    return this.isDisposed ? 0 : this.storage.size
  }

  /** The header as readers get it: none before all of it has arrived. */
  protected get header(): Uint8Array {
    const { bytes } = this.tracker
    return this.storage.size < bytes.length ? bytes.subarray(0, 0) : bytes
  }

  /** For HTTP: of this file alone, different after every change by a cursor. */
  get entityTag(): string {
    this.refresh()
    return `"${this.#id}-${this.edits}"`
  }

  get format(): PcmFormat | undefined {
    this.refresh()
    return this.#described().format
  }

  get duration(): number | undefined {
    this.refresh()
    const tracker = this.#described()
    return tracker.format && tracker.extent(this.size).dataBytes / tracker.format.bytesPerSecond
  }

  /** Bytes that a cursor has changed are looked at anew. */
  #described(): WavTracker {
    if (this.edits === 0 || this.isDisposed || this.storage.readSync === undefined) return this.tracker
    const start = new Uint8Array(Math.min(this.storage.size, 65_536))
    if (start.length > 0) this.storage.readSync(start, 0)
    const tracker = new WavTracker()
    tracker.offer(start)
    return tracker
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  protected get hasListeners(): boolean {
    return this.#listeners.size > 0
  }

  protected tellListeners(): void {
    if (!this.hasListeners) return
    for (const listener of [...this.#listeners]) listener()
  }

  readAt(target: Uint8Array, position: number): number | Promise<number> {
    this.requireNotDisposed()
    const fromHeader = this.#readHeader(target, position)
    const at = position + fromHeader
    if (at >= this.storage.size || fromHeader === target.length) return fromHeader
    try {
      const rest = this.storage.read(target.subarray(fromHeader), at)
      if (typeof rest === 'number') return fromHeader + rest
      return rest.then(
        (count) => fromHeader + count,
        (error) => {
          throw this.#readError(error)
        },
      )
    } catch (error) {
      throw this.#readError(error)
    }
  }

  readAtSync(target: Uint8Array, position: number): number {
    this.requireSync()
    const fromHeader = this.#readHeader(target, position)
    const at = position + fromHeader
    if (at >= this.storage.size || fromHeader === target.length) return fromHeader
    try {
      return fromHeader + this.storage.readSync!(target.subarray(fromHeader), at)
    } catch (error) {
      throw this.#readError(error)
    }
  }

  #readHeader(target: Uint8Array, position: number): number {
    if (position >= this.tracker.dataStart) return 0
    const header = this.header.subarray(position, position + target.length)
    target.set(header)
    return header.length
  }

  /** What was disposed meanwhile fails in whatever way its storage does. */
  #readError(error: unknown): unknown {
    this.requireNotDisposed()
    if (error instanceof WavespoolError || !(error instanceof Error)) return error
    return new WavespoolError('ERR_WAVESPOOL_STORAGE', `${this.name} cannot be read: ${error.message}`, {
      cause: error,
    })
  }

  view(): Uint8Array {
    this.requireNotDisposed()
    if (this.storage.inMemory) return this.storage.view!()
    throw new WavespoolError(
      'ERR_WAVESPOOL_STORAGE',
      `the bytes of ${this.name} do not lie in memory in one piece; use read() or toBuffer(), or record with storage: 'memory'`,
    )
  }

  /** A snapshot in Blobs: nothing is read that lies on a disk. */
  async blobs(): Promise<(Blob | Uint8Array<ArrayBuffer>)[]> {
    const snapshot = this.snapshot()
    const { header, end, size } = snapshot
    if (this.storage.blobs === undefined) return [await snapshot.toBuffer()]
    try {
      return [header, ...(await this.storage.blobs(header.length, end)), new Uint8Array(size - end)]
    } catch (error) {
      throw this.#readError(error)
    }
  }

  snapshot(): Snapshot {
    this.requireNotDisposed()
    const { tracker, storage } = this
    const { size } = storage
    const { end, pad } = tracker.extent(size)
    const header = this.header.length > 0 ? tracker.headerAt(size) : new Uint8Array(0)
    const described = this.#described()
    const isDecided = described.isDecided || this.isEnded // else these bytes are the beginning of a header
    const samples = { start: described.dataStart, end: isDecided ? described.dataEnd(size) : 0 }
    const read = (target: Uint8Array, position: number) => this.readAt(target, position)
    return new Snapshot({ header, end, pad, samples, read, file: storage.file })
  }

  requireSync(): void {
    this.requireNotDisposed()
    if (this.storage.readSync !== undefined) return
    throw new WavespoolError(
      'ERR_WAVESPOOL_STORAGE',
      `the storage of ${this.name} is asynchronous; use the method without Sync`,
    )
  }

  protected requireNotDisposed(): void {
    this.refresh()
    if (this.isDisposed) throw this.disposedError()
  }

  protected disposedError(): WavespoolError {
    return new WavespoolError('ERR_WAVESPOOL_DISPOSED', `${this.name} was disposed; its bytes are gone`)
  }
}
