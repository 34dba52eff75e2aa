import { threadId } from 'node:worker_threads'
import { ArgumentTypeError, show, WavespoolError } from '../../errors.ts'
import type { PartsLayout, SharedParts } from '../../storage/storage.ts'
import type { Recorder } from '../recording/recorder.ts'
import { isSharedState, SharedState } from './sharedState.ts'

/** The value that `share()` returns: post it to another thread of this process, and attach it there. */
export interface SharedVirtualFile {
  /** tells it from anything else, and says how it is laid out */
  readonly wavespool: typeof KIND
  /** the name that consumers see */
  readonly name: string
  /** the media type */
  readonly type: string
  /** the thread that records */
  readonly threadId: number
  /** how far the recording is; for `VirtualFile.attach()` alone */
  readonly state: SharedArrayBuffer
  /** where the bytes lie; for `VirtualFile.attach()` alone */
  readonly parts: SharedParts
}

const KIND = 'shared VirtualFile, 2'

/** Tells the threads that read along how the recording gets on. */
export class SharedRecording {
  readonly #recorder: Recorder
  readonly #state = new SharedState()
  readonly #parts: SharedParts
  readonly #layout: () => PartsLayout

  /** @throws {WavespoolError} `ERR_WAVESPOOL_STORAGE` for a storage of the user's own */
  constructor(recorder: Recorder) {
    const shared = recorder.storage.share?.(() => this.#publish())
    if (shared === undefined) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_STORAGE',
        `${recorder.name} lies in a storage of its own kind, which other threads cannot see; record with 'memory', 'spill' or { path } to share it`,
      )
    }
    this.#recorder = recorder
    this.#parts = shared.parts
    this.#layout = shared.layout
    this.#publish()
    recorder.onPublish = () => this.#publish()
  }

  #publish(): void {
    const { tracker, writtenBytes, isEnded, state, revision, failure } = this.#recorder
    const isFailed = isEnded && failure !== undefined
    if (isFailed) this.#state.failure = failure
    const { sealed, epoch, base, headBytes, device, inode, born } = this.#layout()
    const { dataBytes, riffBytes } = tracker.declared
    // named one by one, not spread: this happens with every append
    this.#state.publish({
      status: state === 'disposed' ? state : isFailed ? 'failed' : isEnded ? 'ended' : 'recording',
      size: writtenBytes,
      revision,
      dataStart: tracker.isWav ? tracker.dataStart : tracker.isDecided ? -1 : 0,
      dataBytes,
      riffBytes,
      sealed,
      epoch,
      base,
      headBytes,
      device,
      inode,
      born,
    })
  }

  handle(type: string): SharedVirtualFile {
    const { name } = this.#recorder
    return { wavespool: KIND, name, type, threadId, state: this.#state.buffer, parts: this.#parts }
  }
}

/** @throws {ArgumentTypeError} for anything but what `share()` returned */
export function checkHandle(handle: unknown): asserts handle is SharedVirtualFile {
  const { wavespool, state, parts } = (handle ?? {}) as Partial<SharedVirtualFile>
  if (wavespool === KIND && isSharedState(state) && typeof parts === 'object') return
  throw new ArgumentTypeError(
    `VirtualFile.attach() takes what share() returned in a thread of this process, by workerData or postMessage(), from the same version of Wavespool; got ${show(handle)}`,
  )
}
