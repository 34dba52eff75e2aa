import { threadId } from 'node:worker_threads'
import { ArgumentTypeError, show } from '../../errors.ts'
import type { WavTracker } from '../recording/wavTracker.ts'
import type { PartsLayout, SharedParts } from '../storage/sharedParts.ts'
import { isSharedState, SharedState } from './sharedState.ts'

/** What `share()` returns: to be posted to another thread of this process, and attached there. */
export interface SharedVirtualFile {
  /** tells it from anything else, and says how it is laid out */
  readonly wavespool: typeof KIND
  readonly name: string
  readonly type: string
  /** the thread that records */
  readonly threadId: number
  readonly state: SharedArrayBuffer
  readonly parts: SharedParts
}

const KIND = 'shared VirtualFile, 1'

/** How a recording is, as its own thread knows it. */
interface Published {
  readonly tracker: WavTracker
  /** bytes, also of one that was disposed */
  readonly recorded: number
  readonly isEnded: boolean
  readonly isDisposed: boolean
  readonly edits: number
  readonly failure: Error | undefined
}

/** Tells the threads that read along how the recording gets on. */
export class SharedRecording {
  readonly #state = new SharedState()
  readonly #layout: () => PartsLayout

  constructor(layout: () => PartsLayout) {
    this.#layout = layout
  }

  publish({ tracker, recorded, isEnded, isDisposed, edits, failure }: Published): void {
    const isFailed = isEnded && failure !== undefined
    if (isFailed) this.#state.failure = failure.message || String(failure)
    const { sealed, epoch, base, headBytes } = this.#layout()
    const { dataBytes, riffBytes } = tracker.declared
    // named one by one, not spread: this happens with every append
    this.#state.publish({
      status: isDisposed ? 'disposed' : isFailed ? 'failed' : isEnded ? 'ended' : 'recording',
      size: recorded,
      edits,
      dataStart: tracker.isWav ? tracker.dataStart : tracker.isDecided ? -1 : 0,
      dataBytes,
      riffBytes,
      sealed,
      epoch,
      base,
      headBytes,
    })
  }

  handle(name: string, type: string, parts: SharedParts): SharedVirtualFile {
    return { wavespool: KIND, name, type, threadId, state: this.#state.buffer, parts }
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
