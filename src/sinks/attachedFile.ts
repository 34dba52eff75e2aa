import { checkPosition } from '../arguments.ts'
import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { reading, recording } from './reading.ts'
import { AttachedRecording, type WaitResult } from './sharing/attachedRecording.ts'
import { checkHandle, type SharedVirtualFile } from './sharing/sharedRecording.ts'

/**
 * A VirtualFile that another thread records: the same bytes, live, to be read in every way, and not to be changed. A
 * follower that waits keeps a worker running, as anything in Node does that one can wait for, but never the main
 * thread.
 */
export class AttachedFile extends reading(Object) {
  override readonly name: string
  readonly #type: string
  readonly #recording: AttachedRecording

  /** @throws {ArgumentTypeError} for anything but what `share()` returned */
  constructor(handle: SharedVirtualFile) {
    super()
    checkHandle(handle)
    this.name = handle.name
    this.#type = handle.type
    this.#recording = new AttachedRecording(handle)
  }

  override get type(): string {
    return this.#recording.mediaType(this.#type)
  }

  /** @internal */
  get [recording](): AttachedRecording {
    return this.#recording
  }

  /** Whether the recording has ended, for any reason. */
  get isEnded(): boolean {
    this.#recording.refresh()
    return this.#recording.isEnded
  }

  /** Why the recording did not end in good order, where it did not. */
  get failure(): Error | undefined {
    this.#recording.refresh()
    return this.#recording.failure
  }

  /**
   * Blocks this thread until the file has `position` bytes, or no more will come, or `timeout` milliseconds have
   * passed: for recognisers that want a blocking read.
   *
   * @returns `'ready'` when that many bytes are there; else `'ended'`, `'failed'` (see {@link failure}) or `'timeout'`,
   * and what there is can be read
   * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong position or timeout
   * @throws {WavespoolError} `ERR_WAVESPOOL_DISPOSED`, or `ERR_WAVESPOOL_RECORDING` in the thread that records, which
   * would wait for itself
   */
  waitSync(position: number, timeout = Number.POSITIVE_INFINITY): WaitResult {
    checkPosition(position, 'position')
    if (typeof timeout !== 'number')
      throw new ArgumentTypeError(`timeout must be a number, got ${show(timeout)}`)
    if (!(timeout >= 0)) throw new ArgumentRangeError(`timeout must be milliseconds from 0, got ${timeout}`)
    return this.#recording.waitSync(position, timeout)
  }

  /** Lets go of the recording, which goes on; nothing can be read here afterwards. */
  async dispose(): Promise<void> {
    this.#recording.detach()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `AttachedFile { name: ${show(this.name)}, type: ${show(this.type)}, size: ${this.size} }`
  }
}
