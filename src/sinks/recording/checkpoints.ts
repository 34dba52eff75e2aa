import { clearTimeout, now, setTimeout } from '../../realTimers.ts'

/** Milliseconds until a header on a disk is put right: of the second that it may lag behind, the rest is for the disk. */
const EVERY = 750

/**
 * Says when a recording on a disk is to be put right: with an append that comes late, as after a block of the event
 * loop, and by a timer while nothing comes.
 */
export class Checkpoints {
  readonly #write: () => Promise<void>
  #timer: NodeJS.Timeout | undefined
  #last = 0

  /** @param write puts the recording right; an error of it that comes by the timer is the next append's to report */
  constructor(write: () => Promise<void>) {
    this.#write = write
  }

  /** An append has arrived: puts the recording right if that is due. */
  async appended(checkpoint: () => Promise<void>): Promise<void> {
    this.#last ||= now()
    if (now() - this.#last >= EVERY) {
      await checkpoint()
      return
    }
    this.#timer ??= setTimeout(() => this.#write().catch(() => {}), EVERY).unref()
  }

  /** The recording has been put right. */
  written(): void {
    this.#last = now()
    this.clear()
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
