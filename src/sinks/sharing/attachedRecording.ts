import { isMainThread, MessageChannel, threadId } from 'node:worker_threads'
import { WavespoolError } from '../../errors.ts'
import { StoredFile } from '../recording/storedFile.ts'
import { WavTracker } from '../recording/wavTracker.ts'
import { AttachedStorage } from './attachedStorage.ts'
import type { SharedVirtualFile } from './sharedRecording.ts'
import { type SharedMoment, SharedState } from './sharedState.ts'

/** What {@link AttachedRecording.waitSync} came back for. */
export type WaitResult = 'ready' | 'ended' | 'failed' | 'timeout'

/** The recording of another thread, as far as that has published it. */
export class AttachedRecording extends StoredFile {
  tracker = new WavTracker()
  isEnded = false
  isDisposed = false
  failure: Error | undefined
  recorded = 0
  edits = 0
  protected readonly storage: AttachedStorage
  readonly #state: SharedState
  readonly #recordingThread: number
  /** the count of changes that is taken note of */
  #seen: number | undefined
  #known: SharedMoment | undefined
  #waiting: Promise<void> | undefined
  #hold: MessageChannel | undefined

  constructor({ name, state, parts, threadId }: SharedVirtualFile) {
    super(name)
    this.#state = new SharedState(state)
    this.#recordingThread = threadId
    this.storage = new AttachedStorage(parts, this.#state)
    this.refresh()
  }

  override refresh(): void {
    const { changes, moment } = this.#state.read()
    if (changes === this.#seen || this.isDisposed) return
    this.#seen = changes
    this.storage.refresh(moment)
    this.recorded = moment.size
    this.edits = moment.edits
    this.isEnded = moment.status !== 'recording'
    this.isDisposed = moment.status === 'disposed'
    if (this.isEnded && this.#state.failure !== '') {
      this.failure ??= new WavespoolError('ERR_WAVESPOOL_RECORDING', this.#state.failure)
    }
    if (this.isDisposed) this.storage.release()
    else this.#track(moment)
  }

  #track(moment: SharedMoment): void {
    const before = this.#known
    const isSame =
      before !== undefined &&
      before.status === moment.status &&
      before.dataStart === moment.dataStart &&
      before.dataBytes === moment.dataBytes &&
      before.riffBytes === moment.riffBytes
    if (!isSame) {
      const { dataStart } = moment
      if (dataStart > moment.size) return // decided, but not there yet
      const header = new Uint8Array(Math.max(0, dataStart))
      try {
        if (dataStart > 0) this.storage.readSync(header, 0)
      } catch {
        // Gone meanwhile, or not to be read: whoever asks for the bytes is told.
        if (this.#state.changes !== this.#seen) this.refresh()
        return
      }
      this.tracker = WavTracker.restore(header, moment, this.isEnded)
      if (dataStart < 0) this.tracker.giveUp()
      this.#known = moment
    }
    this.tracker.update(moment.size)
  }

  /**
   * Blocks this thread until `position` bytes are there or none will come any more.
   *
   * @throws {WavespoolError} where it would block the thread that records
   */
  waitSync(position: number, timeout: number): WaitResult {
    const deadline = performance.now() + timeout
    for (;;) {
      this.requireNotDisposed()
      if (this.recorded >= position) return 'ready'
      if (this.isEnded) return this.failure ? 'failed' : 'ended'
      if (threadId === this.#recordingThread) {
        throw new WavespoolError(
          'ERR_WAVESPOOL_RECORDING',
          `${this.name} is recorded by this very thread, where nothing can arrive while it waits; attach it in a worker`,
        )
      }
      const left = deadline - performance.now()
      if (left <= 0) return 'timeout'
      this.#state.waitSync(this.#seen!, left)
    }
  }

  /** Whoever waits in a worker keeps it, which would end in the middle of the recording otherwise; not the main thread. */
  override onChange(listener: () => void): () => void {
    const unsubscribe = super.onChange(listener)
    if (!isMainThread) {
      this.#hold ??= new MessageChannel()
      this.#hold.port1.ref()
    }
    this.#waiting ??= this.#wait()
    return () => {
      unsubscribe()
      if (!this.hasListeners) this.#hold?.port1.unref()
    }
  }

  async #wait(): Promise<void> {
    await this.#state.wait(this.#seen!)
    this.#waiting = undefined
    this.tellListeners()
    if (this.hasListeners) this.#waiting ??= this.#wait()
  }

  overwrite(): never {
    throw this.#readOnlyError()
  }

  cutOff(): never {
    throw this.#readOnlyError()
  }

  requireSyncChange(): never {
    throw this.#readOnlyError()
  }

  #readOnlyError(): WavespoolError {
    return new WavespoolError(
      'ERR_WAVESPOOL_READ_ONLY',
      `${this.name} belongs to another thread and can only be read here; change it there`,
    )
  }

  /** The recording goes on; here it is gone. */
  detach(): void {
    this.isDisposed = true
    this.isEnded = true
    this.failure = this.disposedError()
    this.storage.release()
    this.tellListeners()
    this.#hold?.port1.close()
  }
}
