import { WavespoolError } from '../../errors.ts'
import { SharedRecording, type SharedVirtualFile } from '../sharing/sharedRecording.ts'
import type { VirtualFileStorage } from '../storage/storage.ts'
import { cutToFit, dropBytes } from './chunkList.ts'
import { overwrite } from './overwrite.ts'
import { StoredFile } from './storedFile.ts'
import { WavTracker } from './wavTracker.ts'

type Callback = (error?: Error | null) => void

/**
 * What stands between a VirtualFile and its storage: it lets in what fits, keeps the WAV header right, ends the
 * recording in good order however it ends, and tells the readers.
 */
export class Recorder extends StoredFile {
  tracker = new WavTracker()
  isEnded = false
  failure: Error | undefined
  protected readonly storage: VirtualFileStorage
  isDisposed = false
  edits = 0
  readonly #maxBytes: number
  #lastSize = 0
  /** an append that is on its way to an asynchronous storage */
  #inFlight: Promise<void> | undefined
  #ending: Promise<void> | undefined
  /** appends that were still waiting when the stream was destroyed */
  #waiting: readonly Uint8Array[] = []
  /** an append did not find room: what comes behind it would leave a hole */
  #isRefused = false
  #shared: SharedRecording | undefined

  constructor(name: string, maxBytes: number | undefined, storage: VirtualFileStorage) {
    super(name)
    this.#maxBytes = maxBytes ?? Number.POSITIVE_INFINITY
    this.storage = storage
  }

  get recorded(): number {
    return this.isDisposed ? this.#lastSize : this.storage.size
  }

  append(chunks: readonly Uint8Array[], callback: Callback): void {
    const { tracker } = this
    const storage = this.storage
    try {
      if (!tracker.isDecided) {
        for (const chunk of chunks) tracker.offer(chunk)
        if (tracker.isWav) storage.startWav?.(tracker.dataStart, (size) => tracker.headerAt(size, 0))
      }
      const fitting = cutToFit(chunks, storage.size, this.#maxBytes, tracker)
      const overflow = fitting === chunks ? undefined : this.#fullError()
      this.#isRefused = overflow !== undefined
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
    this.#isRefused = true
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
      tracker.update(this.storage.size)
      if (this.header.length > 0) this.storage.header?.(tracker.bytes)
    }
    this.#tell()
  }

  #tell(): void {
    this.#shared?.publish(this)
    this.tellListeners()
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

  /** Takes what is to be appended when the stream is destroyed, behind what is on its way. */
  keep(chunks: readonly Uint8Array[]): void {
    this.#waiting = chunks
  }

  /** Whatever ended the writing: whole frames, the pad byte, exact sizes. Happens once. */
  end(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  async #end(): Promise<void> {
    const storage = this.storage
    try {
      await this.#inFlight
      if (this.#waiting.length > 0 && !this.#isRefused) {
        await new Promise((resolve) => this.append(this.#waiting, resolve))
      }
      try {
        await this.#putRight()
      } finally {
        await storage.finish?.()
      }
    } catch (error) {
      this.tracker.seal(storage.size)
      this.tracker.update(storage.size)
      this.failure ??= this.#storageError(error)
      throw this.failure
    } finally {
      this.isEnded = true
      this.#tell()
    }
  }

  async #putRight(): Promise<void> {
    const { storage } = this
    // A header of which only a part found room is none.
    if (this.header.length === 0) this.tracker = new WavTracker()
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

  overwrite(bytes: Uint8Array, position: number): void | Promise<void> {
    this.#takeOver()
    if (position + bytes.length > this.#maxBytes) throw this.#fullError()
    return this.#changed(overwrite(this.storage, bytes, position))
  }

  cutOff(size: number): void | Promise<void> {
    this.#takeOver()
    if (size < this.storage.size) return this.#changed(this.storage.truncate(size))
  }

  #changed(change: void | Promise<void>): void | Promise<void> {
    if (change) return change.finally(() => this.#tell())
    this.#tell()
  }

  requireSyncChange(): void {
    this.requireNotDisposed()
    if (this.storage.isSynchronous) return
    throw new WavespoolError(
      'ERR_WAVESPOOL_STORAGE',
      `the storage of ${this.name} does not say that it is synchronous; use the method without Sync`,
    )
  }

  /** From the first change by a cursor on the bytes are the user's, and nothing is corrected any more. */
  #takeOver(): void {
    this.requireNotDisposed()
    if (!this.isEnded) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_RECORDING',
        `${this.name} is still being recorded; a cursor can change it once the stream has ended`,
      )
    }
    this.edits += 1
    if (this.edits > 1) return
    this.tracker = new WavTracker()
    this.tracker.giveUp()
  }

  #fullError(): WavespoolError {
    return new WavespoolError(
      'ERR_WAVESPOOL_FULL',
      `${this.name} has reached its maxBytes of ${this.#maxBytes}; what fitted stays readable. To end a recording in good order put limit() in front of it`,
    )
  }

  /** What another thread needs to read along. */
  share(type: string): SharedVirtualFile {
    this.requireNotDisposed()
    const { storage } = this
    if (storage.share === undefined) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_STORAGE',
        `${this.name} lies in a storage of its own kind, which other threads cannot see; record with 'memory', 'spill' or { path } to share it`,
      )
    }
    const { parts, layout } = storage.share(() => this.#shared?.publish(this))
    if (this.#shared === undefined) {
      this.#shared = new SharedRecording(layout)
      this.#shared.publish(this)
    }
    return this.#shared.handle(this.name, type, parts)
  }

  async dispose(): Promise<void> {
    if (this.isDisposed) return
    await this.end().catch(() => {}) // it is thrown away, whole or not
    this.#lastSize = this.storage.size
    this.isDisposed = true
    this.#tell() // before anything is gone: other threads learn of it from what they miss
    await this.storage.dispose()
  }
}
