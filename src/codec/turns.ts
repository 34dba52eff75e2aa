import { now, setImmediate } from '../realTimers.ts'

/** So much work is done before others get their turn, in milliseconds. */
const MOST_MS = 3

/**
 * Does long work in short pieces, and lets the event loop turn in between: streams that feed one another without a disk
 * or a network between them would not.
 */
export class Turns {
  #spent = 0

  /** @returns a promise of what `work` returns, after a turn of the event loop where it is time for one */
  async do<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#spent >= MOST_MS) {
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
