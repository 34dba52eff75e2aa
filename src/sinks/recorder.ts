import type { Blob } from 'node:buffer'
import { WavespoolError } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { dropBytes, takeBytes } from './chunkList.ts'
import type { CursorTarget } from './cursor.ts'
import { overwrite } from './overwrite.ts'
import type { Recording } from './recording.ts'
import { Snapshot } from './snapshot.ts'
import type { VirtualFileStorage } from './storage.ts'
import { WavTracker } from './wavTracker.ts'

type Callback = (error?: Error | null) => void

/**
 * What stands between a VirtualFile and its storage: it lets in what fits, keeps the WAV header right, ends the
 * recording in good order however it ends, and tells the readers.
 */
export class Recorder implements Recording, CursorTarget {
  readonly name: string
  tracker = new WavTracker()
  isEnded = false
  failure: Error | undefined
  readonly #maxBytes: number
  readonly #storage: VirtualFileStorage
  readonly #listeners = new Set<() => void>()
  /** an append that is on its way to an asynchronous storage */
  #inFlight: Promise<void> | undefined
  #ending: Promise<void> | undefined
  #isDisposed = false
  #lastSize = 0
  /** a cursor has changed the bytes, which are the user's since */
  #isChanged = false

  constructor(name: string, maxBytes: number | undefined, storage: VirtualFileStorage) {
    this.name = name
    this.#maxBytes = maxBytes ?? Number.POSITIVE_INFINITY
    this.#storage = storage
  }

  get size(): number {
    return this.#isDisposed ? 0 : this.#storage.size
  }

  get recorded(): number {
    return this.#isDisposed ? this.#lastSize : this.#storage.size
  }

  /** The header as readers get it: none before all of it has arrived. */
  get #header(): Uint8Array {
    const { bytes } = this.tracker
    return this.#storage.size < bytes.length ? bytes.subarray(0, 0) : bytes
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
    if (!this.#isChanged || this.#storage.readSync === undefined) return this.tracker
    const start = new Uint8Array(Math.min(this.size, 65_536))
    this.#storage.readSync(start, 0)
    const tracker = new WavTracker()
    tracker.offer(start)
    return tracker
  }

  append(chunks: readonly Uint8Array[], callback: Callback): void {
    const { tracker } = this
    const storage = this.#storage
    try {
      if (!tracker.isDecided) {
        for (const chunk of chunks) tracker.offer(chunk)
        if (tracker.isWav && storage.size === 0) storage.align?.(tracker.dataStart)
      }
      const fitting = this.#maxBytes === Number.POSITIVE_INFINITY ? chunks : this.#cutToFit(chunks)
      const overflow = fitting === chunks ? undefined : this.#fullError()
      const isFirst = tracker.isWav && storage.size === 0 && tracker.dataStart <= this.#maxBytes
      const appended = storage.append(isFirst ? this.#startRight(fitting) : fitting)
      if (appended === undefined) {
        this.#publish()
        callback(overflow)
        return
      }
      this.#inFlight = appended.then(
        () => {
          this.#publish()
          callback(overflow)
        },
        (error) => this.#failAppend(error, callback),
      )
    } catch (error) {
      this.#failAppend(error, callback)
    }
  }

  /** A header never says more than is there, not even before the first sample has arrived on a disk. */
  #startRight(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
    this.tracker.update(this.tracker.dataStart)
    return [this.tracker.bytes.slice(), ...dropBytes(chunks, this.tracker.dataStart)]
  }

  #failAppend(error: unknown, callback: Callback): void {
    try {
      this.#publish()
    } catch {
      // the storage is broken; readers get the header from the tracker
    }
    callback(this.#storageError(error))
  }

  /** The header in memory is put right once an append, not once a chunk; elsewhere readers get it from the tracker. */
  #publish(): void {
    const { tracker } = this
    if (tracker.isWav) {
      tracker.update(this.#storage.size)
      if (this.#header.length > 0) this.#storage.header?.(tracker.bytes)
    }
    if (this.#listeners.size > 0) this.#tellListeners()
  }

  #tellListeners(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  /** What `maxBytes` leaves room for: whole frames, and the pad byte that they may need. */
  #cutToFit(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
    const size = this.#storage.size
    let total = 0
    for (const chunk of chunks) total += chunk.length
    const wanted = this.tracker.extent(size + total)
    if (size + total + wanted.pad <= this.#maxBytes) return chunks
    const { dataStart, blockAlign } = this.tracker
    let end = this.#maxBytes
    if (dataStart > 0 && dataStart <= end) {
      end -= (end - dataStart) % blockAlign
      const { pad } = this.tracker.extent(end)
      if (end + pad > this.#maxBytes) end -= blockAlign
    }
    return takeBytes(chunks, Math.max(0, end - size))
  }

  #fullError(): WavespoolError {
    return new WavespoolError(
      'ERR_WAVESPOOL_FULL',
      `${this.name} has reached its maxBytes of ${this.#maxBytes}; what fitted stays readable. To end a recording in good order put limit() in front of it`,
    )
  }

  #storageError(error: unknown): WavespoolError {
    if (error instanceof WavespoolError) return error
    const reason = error instanceof Error ? error.message : String(error)
    return new WavespoolError(
      'ERR_WAVESPOOL_STORAGE',
      `the storage of ${this.name} failed: ${reason}; what was written before stays readable`,
      { cause: error },
    )
  }

  /** Whatever ended the writing: whole frames, the pad byte, exact sizes. Happens once. */
  end(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  async #end(): Promise<void> {
    const storage = this.#storage
    try {
      await this.#inFlight
      // A header of which only a part found room is none.
      if (this.#header.length === 0) this.tracker = new WavTracker()
      const { tracker } = this
      tracker.giveUp()
      const { end, pad } = tracker.extent(storage.size)
      // Not sealed before it is cut: until then half a frame must not look like something behind the samples.
      if (end < storage.size) await storage.truncate(end)
      tracker.seal(storage.size)
      tracker.update(storage.size)
      if (pad === 1) await storage.append([new Uint8Array(1)])
      tracker.update(storage.size)
      if (tracker.isWav) await storage.write(tracker.bytes, 0)
      await storage.finish?.()
    } catch (error) {
      this.tracker.seal(storage.size)
      this.tracker.update(storage.size)
      this.failure ??= this.#storageError(error)
      throw this.failure
    } finally {
      this.isEnded = true
      this.#tellListeners()
    }
  }

  /** The stream was destroyed: unless the recording had ended already, its followers learn why. */
  abort(error: Error | null): Promise<void> {
    if (this.#ending === undefined) {
      this.failure =
        error ??
        new WavespoolError(
          'ERR_WAVESPOOL_RECORDING',
          `the recording of ${this.name} was destroyed before its end`,
        )
    }
    return this.end()
  }

  async dispose(): Promise<void> {
    if (this.#isDisposed) return
    await this.end().catch(() => {}) // it is thrown away, whole or not
    this.#lastSize = this.#storage.size
    this.#isDisposed = true
    await this.#storage.dispose()
    this.#tellListeners()
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readAt(target: Uint8Array, position: number): number | Promise<number> {
    this.#requireNotDisposed()
    const fromHeader = this.#readHeader(target, position)
    const at = position + fromHeader
    if (at >= this.#storage.size || fromHeader === target.length) return fromHeader
    const rest = this.#storage.read(target.subarray(fromHeader), at)
    return typeof rest === 'number' ? fromHeader + rest : rest.then((count) => fromHeader + count)
  }

  readAtSync(target: Uint8Array, position: number): number {
    this.requireSync()
    const fromHeader = this.#readHeader(target, position)
    const at = position + fromHeader
    if (at >= this.#storage.size || fromHeader === target.length) return fromHeader
    return fromHeader + this.#storage.readSync!(target.subarray(fromHeader), at)
  }

  #readHeader(target: Uint8Array, position: number): number {
    const header = this.#header.subarray(position, position + target.length)
    target.set(header)
    return header.length
  }

  view(): Uint8Array {
    this.#requireNotDisposed()
    if (this.#storage.inMemory) return this.#storage.view!()
    throw new WavespoolError(
      'ERR_WAVESPOOL_STORAGE',
      `the bytes of ${this.name} do not lie in memory in one piece; use read() or toBuffer(), or record with storage: 'memory'`,
    )
  }

  /** A snapshot in Blobs: nothing is read that lies on a disk. */
  async blobs(): Promise<(Blob | Uint8Array<ArrayBuffer>)[]> {
    const snapshot = this.snapshot()
    const { header, end, size } = snapshot
    if (this.#storage.blobs === undefined) return [await snapshot.toBuffer()]
    return [header, ...(await this.#storage.blobs(header.length, end)), new Uint8Array(size - end)]
  }

  snapshot(): Snapshot {
    this.#requireNotDisposed()
    const { tracker } = this
    const { end, pad } = tracker.extent(this.#storage.size)
    const header = this.#header.length > 0 ? tracker.headerAt(this.#storage.size) : new Uint8Array(0)
    return new Snapshot(header, end, pad, (target, position) => this.readAt(target, position))
  }

  overwrite(bytes: Uint8Array, position: number): void | Promise<void> {
    this.#takeOver()
    if (position + bytes.length > this.#maxBytes) throw this.#fullError()
    return overwrite(this.#storage, bytes, position)
  }

  cutOff(size: number): void | Promise<void> {
    this.#takeOver()
    if (size < this.#storage.size) return this.#storage.truncate(size)
  }

  requireSync(): void {
    this.#requireNotDisposed()
    if (this.#storage.readSync !== undefined) return
    throw new WavespoolError(
      'ERR_WAVESPOOL_STORAGE',
      `the storage of ${this.name} is asynchronous; use the method without Sync`,
    )
  }

  /** A disk may be read at once, but is not written at once. */
  requireSyncChange(): void {
    this.#requireNotDisposed()
    if (this.#storage.inMemory) return
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
    if (this.#isChanged) return
    this.#isChanged = true
    this.tracker = new WavTracker()
    this.tracker.giveUp()
  }

  #requireNotDisposed(): void {
    if (!this.#isDisposed) return
    throw new WavespoolError('ERR_WAVESPOOL_DISPOSED', `${this.name} was disposed; its bytes are gone`)
  }
}
