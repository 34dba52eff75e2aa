import { WavespoolError } from '../../errors.ts'
import { overwrite } from '../../storage/overwrite.ts'
import type { BuiltInStorage } from '../../storage/storage.ts'
import type { HeaderTracker } from './headerTracker.ts'
import { RecordingReader } from './recordingReader.ts'
import { SerialQueue } from './serialQueue.ts'
import { trackHeader } from './trackHeader.ts'

/** A recording on its storage, as cursors change it once it has ended. */
export abstract class EditableRecording extends RecordingReader {
  readonly storage: BuiltInStorage
  tracker: HeaderTracker = trackHeader()
  revision = 0
  /** for those who read along in other threads */
  onPublish: (() => void) | undefined
  /** every verb on the storage passes through it */
  protected readonly queue = new SerialQueue()
  protected readonly maxBytes: number

  constructor(name: string, maxBytes: number, storage: BuiltInStorage) {
    super(name)
    this.maxBytes = maxBytes
    this.storage = storage
  }

  protected get extents(): BuiltInStorage {
    return this.storage
  }

  overwrite(bytes: Uint8Array, position: number): void | Promise<void> {
    this.#requireEnded()
    if (bytes.length === 0) return
    if (position + bytes.length > this.maxBytes) throw this.capacityError()
    return this.#change(() => overwrite(this.storage, bytes, position))
  }

  truncate(size: number): void | Promise<void> {
    this.#requireEnded()
    return this.#change(() => {
      if (size < this.storage.size) return this.storage.truncate(size)
    })
  }

  #change(change: () => void | Promise<void>): void | Promise<void> {
    return this.queue.run(() => {
      this.#requireEnded()
      const before = this.storage.size
      const fail = (error: unknown): never => {
        if (this.storage.size !== before) this.#takeOver()
        throw this.storageError(error)
      }
      try {
        const changed = change()
        if (changed) return changed.then(() => this.#takeOver(), fail)
        this.#takeOver()
      } catch (error) {
        fail(error)
      }
    })
  }

  /** From the first change by a cursor on the bytes are the user's, and nothing is corrected any more. */
  #takeOver(): void {
    this.revision += 1
    if (this.revision === 1) {
      this.tracker = trackHeader()
      this.tracker.giveUp()
    }
    this.notify()
  }

  requireSyncChange(end: number): void {
    this.#requireEnded()
    if (end <= this.storage.memoryBytes && this.queue.isIdle) return
    throw new WavespoolError(
      'ERR_WAVESPOOL_STORAGE',
      `the bytes of ${this.name} cannot be changed at once, as not all of them lie in memory; use the method without Sync`,
    )
  }

  #requireEnded(): void {
    this.requireReadable()
    if (this.state === 'ended') return
    throw new WavespoolError(
      'ERR_WAVESPOOL_RECORDING',
      `${this.name} is still being recorded; a cursor can change it once the stream has ended`,
    )
  }

  protected notify(): void {
    this.onPublish?.()
    this.notifyListeners()
  }

  protected storageError(error: unknown): WavespoolError {
    if (error instanceof WavespoolError) return error
    const reason = error instanceof Error ? error.message : String(error)
    return new WavespoolError(
      'ERR_WAVESPOOL_STORAGE',
      `the storage of ${this.name} failed: ${reason}; what was written before stays readable`,
      { cause: error },
    )
  }

  protected capacityError(): WavespoolError {
    return new WavespoolError(
      'ERR_WAVESPOOL_FULL',
      `${this.name} has reached its maxBytes of ${this.maxBytes}; what fitted stays readable. To end a recording in good order put limit() in front of it`,
    )
  }
}
