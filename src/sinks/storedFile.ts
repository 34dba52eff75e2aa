import type { Blob } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { WavespoolError } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import type { CursorTarget } from './cursor.ts'
import { overwrite } from './overwrite.ts'
import type { Recording } from './recording.ts'
import { Snapshot } from './snapshot.ts'
import type { VirtualFileStorage } from './storage.ts'
import { WavTracker } from './wavTracker.ts'

/** The bytes in a storage as readers and cursors see them: behind a WAV header that is right at every moment. */
export abstract class StoredFile implements Recording, CursorTarget {
  readonly name: string
  tracker = new WavTracker()
  isEnded = false
  failure: Error | undefined
  protected readonly maxBytes: number
  protected readonly storage: VirtualFileStorage
  protected isDisposed = false
  protected lastSize = 0
  readonly #listeners = new Set<() => void>()
  readonly #id = randomUUID()
  /** how often cursors have changed the bytes, which are the user's since the first time */
  #changes = 0

  constructor(name: string, maxBytes: number | undefined, storage: VirtualFileStorage) {
    this.name = name
    this.maxBytes = maxBytes ?? Number.POSITIVE_INFINITY
    this.storage = storage
  }

  get size(): number {
    return this.isDisposed ? 0 : this.storage.size
  }

  get recorded(): number {
    return this.isDisposed ? this.lastSize : this.storage.size
  }

  /** The header as readers get it: none before all of it has arrived. */
  protected get header(): Uint8Array {
    const { bytes } = this.tracker
    return this.storage.size < bytes.length ? bytes.subarray(0, 0) : bytes
  }

  /** For HTTP: of this file alone, different after every change by a cursor. */
  get entityTag(): string {
    return `"${this.#id}-${this.#changes}"`
  }

  get format(): PcmFormat | undefined {
    return this.#described().format
  }

  get duration(): number | undefined {
    const tracker = this.#described()
    return tracker.format && tracker.extent(this.size).dataBytes / tracker.format.bytesPerSecond
  }

  /** Bytes that a cursor has changed are looked at anew. */
  #described(): WavTracker {
    if (this.#changes === 0 || this.storage.readSync === undefined) return this.tracker
    const start = new Uint8Array(Math.min(this.size, 65_536))
    if (start.length > 0) this.storage.readSync(start, 0)
    const tracker = new WavTracker()
    tracker.offer(start)
    return tracker
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readAt(target: Uint8Array, position: number): number | Promise<number> {
    this.#requireNotDisposed()
    const fromHeader = this.#readHeader(target, position)
    const at = position + fromHeader
    if (at >= this.storage.size || fromHeader === target.length) return fromHeader
    const rest = this.storage.read(target.subarray(fromHeader), at)
    return typeof rest === 'number' ? fromHeader + rest : rest.then((count) => fromHeader + count)
  }

  readAtSync(target: Uint8Array, position: number): number {
    this.requireSync()
    const fromHeader = this.#readHeader(target, position)
    const at = position + fromHeader
    if (at >= this.storage.size || fromHeader === target.length) return fromHeader
    return fromHeader + this.storage.readSync!(target.subarray(fromHeader), at)
  }

  #readHeader(target: Uint8Array, position: number): number {
    const header = this.header.subarray(position, position + target.length)
    target.set(header)
    return header.length
  }

  view(): Uint8Array {
    this.#requireNotDisposed()
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
    return [header, ...(await this.storage.blobs(header.length, end)), new Uint8Array(size - end)]
  }

  snapshot(): Snapshot {
    this.#requireNotDisposed()
    const { tracker } = this
    const { end, pad } = tracker.extent(this.storage.size)
    const header = this.header.length > 0 ? tracker.headerAt(this.storage.size) : new Uint8Array(0)
    const described = this.#described()
    const isDecided = described.isDecided || this.isEnded // else these bytes are the beginning of a header
    const samples = { start: described.dataStart, end: isDecided ? described.dataEnd(this.storage.size) : 0 }
    return new Snapshot(header, end, pad, samples, (target, position) => this.readAt(target, position))
  }

  overwrite(bytes: Uint8Array, position: number): void | Promise<void> {
    this.#takeOver()
    if (position + bytes.length > this.maxBytes) throw this.fullError()
    return overwrite(this.storage, bytes, position)
  }

  cutOff(size: number): void | Promise<void> {
    this.#takeOver()
    if (size < this.storage.size) return this.storage.truncate(size)
  }

  requireSync(): void {
    this.#requireNotDisposed()
    if (this.storage.readSync !== undefined) return
    throw new WavespoolError(
      'ERR_WAVESPOOL_STORAGE',
      `the storage of ${this.name} is asynchronous; use the method without Sync`,
    )
  }

  /** A disk may be read at once, but is not written at once. */
  requireSyncChange(): void {
    this.#requireNotDisposed()
    if (this.storage.inMemory) return
    throw new WavespoolError(
      'ERR_WAVESPOOL_STORAGE',
      `the bytes of ${this.name} do not lie in memory; change them by the method without Sync`,
    )
  }

  /** From the first change by a cursor on the bytes are the user's, and nothing is corrected any more. */
  #takeOver(): void {
    this.#requireNotDisposed()
    if (!this.isEnded) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_RECORDING',
        `${this.name} is still being recorded; a cursor can change it once the stream has ended`,
      )
    }
    this.#changes++
    if (this.#changes > 1) return
    this.tracker = new WavTracker()
    this.tracker.giveUp()
  }

  #requireNotDisposed(): void {
    if (!this.isDisposed) return
    throw new WavespoolError('ERR_WAVESPOOL_DISPOSED', `${this.name} was disposed; its bytes are gone`)
  }

  protected fullError(): WavespoolError {
    return new WavespoolError(
      'ERR_WAVESPOOL_FULL',
      `${this.name} has reached its maxBytes of ${this.maxBytes}; what fitted stays readable. To end a recording in good order put limit() in front of it`,
    )
  }

  protected tellListeners(): void {
    if (this.#listeners.size === 0) return
    for (const listener of [...this.#listeners]) listener()
  }
}
