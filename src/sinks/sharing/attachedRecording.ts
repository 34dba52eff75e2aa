import { isMainThread, MessageChannel, threadId } from 'node:worker_threads'
import { WavespoolError } from '../../errors.ts'
import { now } from '../../realTimers.ts'
import { readExtentsSync } from '../../storage/extents.ts'
import { RecordingReader, type RecordingState } from '../recording/recordingReader.ts'
import { restoreTracker, trackHeader } from '../recording/trackHeader.ts'
import { AttachedExtents } from './attachedExtents.ts'
import type { SharedVirtualFile } from './sharedRecording.ts'
import { type PublishedState, SharedState } from './sharedState.ts'

/** The reason for which {@link AttachedRecording.waitSync} returned. */
export type WaitResult = 'ready' | 'ended' | 'failed' | 'timeout'

/** More than is needed to tell a WAV file from anything else, and less than a header. */
const START_BYTES = 32

/** The recording of another thread, as far as that has published it. */
export class AttachedRecording extends RecordingReader {
  tracker = trackHeader()
  state: RecordingState = 'recording'
  failure: Error | undefined
  writtenBytes = 0
  revision = 0
  readonly rawFormat = undefined
  protected readonly extents: AttachedExtents
  readonly #state: SharedState
  readonly #recordingThread: number
  /** the count of changes that is taken note of */
  #seen: number | undefined
  #known: PublishedState | undefined
  #waiting: Promise<void> | undefined
  #hold: MessageChannel | undefined

  constructor({ name, state, parts, threadId }: SharedVirtualFile) {
    super(name)
    this.#state = new SharedState(state)
    this.#recordingThread = threadId
    this.extents = new AttachedExtents(parts, this.#state)
    this.refresh()
  }

  override refresh(): void {
    const { changes, published } = this.#state.read()
    if (changes === this.#seen || this.state === 'disposed') return
    this.#seen = changes
    this.extents.refresh(published)
    this.writtenBytes = published.size
    this.revision = published.revision
    this.state = published.status === 'failed' ? 'ended' : published.status
    if (this.isEnded) this.failure ??= this.#state.failure
    if (this.state === 'disposed') this.extents.release()
    else this.#track(published)
  }

  #track(published: PublishedState): void {
    const before = this.#known
    const isSame =
      before !== undefined &&
      before.status === published.status &&
      before.dataStart === published.dataStart &&
      before.dataBytes === published.dataBytes &&
      before.riffBytes === published.riffBytes
    if (isSame) return
    const { dataStart } = published
    if (dataStart > published.size) return // decided, but not there yet
    // The first bytes identify a file that is no WAV.
    const header = new Uint8Array(dataStart < 0 ? Math.min(START_BYTES, published.size) : dataStart)
    try {
      if (header.length > 0) readExtentsSync(this.extents, header, 0)
    } catch {
      // The bytes are gone, or cannot be read: a read of them fails with the reason.
      if (this.#state.changes !== this.#seen) this.refresh()
      return
    }
    this.tracker = restoreTracker(header, published, this.isEnded)
    if (dataStart < 0) this.tracker.giveUp()
    this.#known = published
  }

  /**
   * Blocks this thread until `position` bytes are there or none will come any more.
   *
   * @throws {WavespoolError} where it would block the thread that records
   */
  waitSync(position: number, timeout: number): WaitResult {
    const deadline = now() + timeout
    for (;;) {
      this.requireReadable()
      if (this.writtenBytes >= position) return 'ready'
      if (this.isEnded) return this.failure ? 'failed' : 'ended'
      if (threadId === this.#recordingThread) {
        throw new WavespoolError(
          'ERR_WAVESPOOL_RECORDING',
          `${this.name} is recorded by this very thread, where nothing can arrive while it waits; attach it in a worker`,
        )
      }
      const remaining = deadline - now()
      if (remaining <= 0) return 'timeout'
      this.#state.waitSync(this.#seen!, remaining)
    }
  }

  /** A listener keeps a worker alive, which would end in the middle of the recording otherwise; not the main thread. */
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
    this.notifyListeners()
    if (this.hasListeners) this.#waiting ??= this.#wait()
  }

  overwrite(): never {
    throw this.#readOnlyError()
  }

  truncate(): never {
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
    this.state = 'disposed'
    this.failure = this.disposedError()
    this.extents.release()
    this.notifyListeners()
    this.#hold?.port1.close()
  }
}
