/** The first block, so that a long span costs no memory before it is filled. */
const FIRST = 65_536

/** The last `capacity` bytes of a stream, in one ring that doubles until it is as large as that. */
export class LatestBytes {
  readonly #capacity: number
  #ring: Buffer
  /** where the next byte goes */
  #at = 0
  #length = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#ring = Buffer.allocUnsafeSlow(Math.min(capacity, FIRST))
  }

  /** Bytes that it holds. */
  get length(): number {
    return this.#length
  }

  push(bytes: Uint8Array): void {
    const kept = bytes.length > this.#capacity ? bytes.subarray(bytes.length - this.#capacity) : bytes
    this.#makeRoom(kept.length)
    const ring = this.#ring
    const first = Math.min(kept.length, ring.length - this.#at)
    ring.set(first === kept.length ? kept : kept.subarray(0, first), this.#at)
    if (first < kept.length) ring.set(kept.subarray(first), 0)
    this.#at = (this.#at + kept.length) % ring.length
    this.#length = Math.min(this.#length + kept.length, ring.length)
  }

  /** All that it holds, oldest first, in a buffer of its own. */
  copy(): Buffer {
    const out = Buffer.allocUnsafeSlow(this.#length)
    const start = this.#at - this.#length
    if (start >= 0) {
      this.#ring.copy(out, 0, start, this.#at)
    } else {
      const older = this.#ring.copy(out, 0, this.#ring.length + start)
      this.#ring.copy(out, older, 0, this.#at)
    }
    return out
  }

  #makeRoom(more: number): void {
    const wanted = Math.min(this.#capacity, this.#length + more)
    if (wanted <= this.#ring.length) return
    const held = this.copy()
    const ring = Buffer.allocUnsafeSlow(Math.min(this.#capacity, Math.max(wanted, this.#ring.length * 2)))
    held.copy(ring)
    this.#ring = ring
    this.#at = held.length
  }
}
