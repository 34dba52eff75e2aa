import { now } from '../realTimers.ts'

/** Allows about `most` events in any `milliseconds`. */
export class RateLimiter {
  readonly #most: number
  readonly #milliseconds: number
  #level = 0
  #at = now()

  constructor(most: number, milliseconds: number) {
    this.#most = most
    this.#milliseconds = milliseconds
  }

  /** Counts one; returns whether there is room for it. */
  take(): boolean {
    const at = now()
    const drained = ((at - this.#at) * this.#most) / this.#milliseconds
    this.#level = Math.max(0, this.#level - drained)
    this.#at = at
    if (this.#level + 1 > this.#most) return false
    this.#level++
    return true
  }
}
