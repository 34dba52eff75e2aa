/** A small generator with a seed of its own (mulberry32). */
export class Random {
  #state

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed | 0
  }

  /** A whole number from 0 to `below`, exclusive. @param {number} below */
  below(below) {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }

  /** True in one of `n` cases. @param {number} n */
  oneOf(n) {
    return this.below(n) === 0
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  pick(list) {
    return /** @type {T} */ (list[this.below(list.length)])
  }

  /** A number whose size varies over orders of magnitude. @param {number} most */
  size(most) {
    return this.below(1 + this.below(1 + this.below(most)))
  }
}
