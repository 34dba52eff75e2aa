import { WavespoolError } from '../../errors.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import type { Content } from '../../neighbours.ts'
import { dropBytes } from '../../storage/chunkList.ts'
import type { BuiltInStorage } from '../../storage/storage.ts'
import { Checkpoints } from './checkpoints.ts'
import { cutToFit } from './cutToFit.ts'
import { EditableRecording } from './editableRecording.ts'
import type { RecordingState } from './recordingReader.ts'
import { trackHeader } from './trackHeader.ts'

/**
 * Stands between a VirtualFile and its storage. Each call of the storage passes through its one queue; it lets in the bytes
 * that fit, keeps the WAV header right, ends the recording in good order for any reason, and notifies the readers.
 */
export class Recorder extends EditableRecording {
  state: RecordingState
  failure: Error | undefined
  rawFormat: PcmFormat | undefined
  /** settles when the storage is open; undefined where nothing must be opened */
  readonly opening: Promise<void> | undefined
  #disposedBytes = 0
  #isOpen = true
  #ending: Promise<void> | undefined
  #disposing: Promise<void> | undefined
  /** an append did not find room: what comes behind it would leave a hole */
  #isRefused = false
  readonly #checkpoints = new Checkpoints(async () => this.queue.run(() => this.#checkpoint()))

  constructor(name: string, maxBytes: number | undefined, storage: BuiltInStorage) {
    super(name, maxBytes ?? Number.POSITIVE_INFINITY, storage)
    this.state = storage.open ? 'opening' : 'recording'
    if (storage.open) {
      this.#isOpen = false
      this.opening = Promise.resolve(this.queue.run(() => this.#open()))
      this.opening.catch(() => {}) // the stream reports it
    }
  }

  /** Says what will be written, before any of it is. */
  expect(content: Content): void {
    if (content.kind === 'pcm') this.rawFormat = content.format
    if (!this.tracker.isWav) this.tracker = trackHeader(content)
  }

  get writtenBytes(): number {
    return this.state === 'disposed' ? this.#disposedBytes : this.storage.size
  }

  async #open(): Promise<void> {
    try {
      await this.storage.open!()
      this.#isOpen = true
      this.state = 'recording'
    } catch (error) {
      this.failure ??= this.storageError(error)
      throw this.failure
    }
  }

  /** Adds bytes at the end, and calls back with the reason why some of them were left out. */
  append(chunks: readonly Uint8Array[], callback: (error?: Error | null) => void): void {
    const fault = this.queue.run(() => this.#append(chunks))
    if (fault instanceof Promise) fault.then(callback)
    else callback(fault)
  }

  #append(chunks: readonly Uint8Array[]): Error | undefined | Promise<Error | undefined> {
    const { storage, tracker } = this
    if (this.state !== 'recording') return this.failure ?? this.#overError()
    try {
      if (tracker.wantsBytes) {
        const { isDecided } = tracker
        for (const chunk of chunks) tracker.offer(chunk)
        if (!isDecided && tracker.isWav)
          storage.onWavHeader?.(tracker.dataStart, (size) => tracker.headerAt(size, 0))
      }
      const fitting = cutToFit(chunks, storage.size, this.maxBytes, tracker)
      const overflow = fitting === chunks ? undefined : this.capacityError()
      this.#isRefused = overflow !== undefined
      const isFirst = tracker.isWav && storage.size === 0 && tracker.dataStart <= this.maxBytes
      const appended = storage.append(isFirst ? this.#startRight(fitting) : fitting)
      if (appended === undefined && storage.checkpoint === undefined) {
        this.#publish()
        return overflow
      }
      return this.#appended(appended, overflow)
    } catch (error) {
      return this.#refuse(error)
    }
  }

  #overError(): WavespoolError {
    if (this.state === 'disposed') return this.disposedError()
    return new WavespoolError(
      'ERR_WAVESPOOL_RECORDING',
      `the recording of ${this.name} has ended, and takes nothing more`,
    )
  }

  async #appended(appended: void | Promise<void>, overflow: Error | undefined): Promise<Error | undefined> {
    try {
      await appended
      this.#publish()
      if (this.storage.checkpoint !== undefined) await this.#checkpoints.appended(() => this.#checkpoint())
      return overflow
    } catch (error) {
      return this.#refuse(error)
    }
  }

  /** A header never says more than is there, not even before the first sample has arrived on a disk. */
  #startRight(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
    const { dataStart } = this.tracker
    return [this.tracker.headerAt(dataStart, 0), ...dropBytes(chunks, dataStart)]
  }

  #refuse(error: unknown): WavespoolError {
    this.#isRefused = true
    try {
      this.#publish()
    } catch {
      // the storage is broken; readers get the header from the tracker
    }
    return this.storageError(error)
  }

  /** A storage that wants the header gets it once an append, not once a chunk; readers get it from the tracker. */
  #publish(): void {
    const { tracker, storage } = this
    if (storage.refreshHeader && tracker.isWav && storage.size >= tracker.dataStart) {
      storage.refreshHeader(tracker.headerAt(storage.size, 0))
    }
    // The header where the bytes lie: other threads see it, and those who hold a view.
    if (this.onPublish || this.isViewed) storage.view?.(storage.size, this.header)
    this.notify()
  }

  async #checkpoint(): Promise<void> {
    const { tracker, storage, state } = this
    this.#checkpoints.written()
    if (state !== 'recording' || storage.checkpoint === undefined) return
    const hasHeader = tracker.isWav && storage.size >= tracker.dataStart
    await storage.checkpoint(hasHeader ? tracker.headerAt(storage.size, 0) : undefined)
  }

  /** Ends the file in good order, once: whole frames, the pad byte, exact sizes. */
  end(): Promise<void> {
    this.#ending ??= Promise.resolve(this.queue.run(() => this.#end()))
    return this.#ending
  }

  /**
   * The stream was destroyed. The chunks that it held are appended; unless the recording was ending already, its followers
   * get the error.
   */
  abort(error: Error | null | undefined, pending: readonly Uint8Array[]): void {
    if (this.#ending === undefined) {
      this.failure ??=
        error ??
        new WavespoolError(
          'ERR_WAVESPOOL_RECORDING',
          `the recording of ${this.name} was destroyed before its end`,
        )
    }
    if (pending.length > 0) this.queue.run(() => (this.#isRefused ? undefined : this.#append(pending)))
    this.end().catch(() => {}) // the stream reports it
  }

  async #end(): Promise<void> {
    const { storage } = this
    this.#checkpoints.clear()
    try {
      if (!this.#isOpen) throw this.failure
      try {
        await this.#putRight()
      } finally {
        await storage.finish?.(this.failure)
      }
    } catch (error) {
      // Half a frame that could not be cut off must not look like something behind the samples.
      if (this.tracker.extent(storage.size).end === storage.size) this.tracker.seal(storage.size)
      this.failure ??= this.storageError(error)
      throw this.failure
    } finally {
      this.state = 'ended'
      this.notify()
    }
  }

  async #putRight(): Promise<void> {
    const { storage } = this
    // A header of which only a part found room is none.
    if (storage.size < this.tracker.dataStart) this.tracker = trackHeader()
    const { tracker } = this
    tracker.giveUp(storage.size)
    const { end, pad } = tracker.extent(storage.size)
    // Not sealed before it is cut: until then half a frame must not look like something behind the samples.
    if (end < storage.size) await storage.truncate(end)
    tracker.seal(storage.size)
    let refused: unknown
    if (pad === 1) {
      try {
        await storage.append([new Uint8Array(1)])
      } catch (error) {
        refused = error // the header needs no room, and is put right in any case
        tracker.endUnpadded(storage.size)
      }
    }
    const isComplete = this.failure === undefined && !this.#isRefused
    const header = tracker.finalHeader(storage.size, isComplete)
    if (header !== undefined) await storage.write(header, 0)
    if (refused !== undefined) throw refused
  }

  /** Ends the recording if it still goes on, waits for what is under way, and gives everything back. */
  dispose(): Promise<void> {
    this.#disposing ??= this.#dispose()
    return this.#disposing
  }

  async #dispose(): Promise<void> {
    await this.end().catch(() => {}) // it is thrown away, whole or not
    await this.queue.run(async () => {
      this.#disposedBytes = this.storage.size
      this.state = 'disposed'
      this.notify() // before anything is gone: other threads learn of it from what they miss
      try {
        await this.storage.dispose()
      } catch (error) {
        throw this.storageError(error)
      }
    })
  }
}
