import { now, setImmediate } from '../realTimers.ts'

/** The work between two turns of the event loop, in milliseconds. */
const MAX_WORK_MS = 3

/**
 * Does long work in short pieces, and lets the event loop turn in between: streams that feed one another without a disk
 * or a network between them would not.
 */
export class Turns {
  #spent = 0

  /** Does `work` with a large piece in pieces of at most `size` bytes, until `isOver`. */
  async each(
    bytes: Buffer,
    size: number,
    work: (piece: Buffer) => void | Promise<void>,
    isOver: () => boolean,
  ): Promise<void> {
    for (let at = 0; at < bytes.length && !isOver(); at += size) {
      const piece = bytes.subarray(at, at + size)
      await this.do(() => (isOver() ? undefined : work(piece)))
    }
  }

  /** @returns a promise of what `work` returns, after a turn of the event loop where it is time for one */
  async do<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#spent >= MAX_WORK_MS) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      this.#spent = 0
    }
    const start = now()
    try {
      return await work()
    } finally {
      this.#spent += now() - start
    }
  }
}
