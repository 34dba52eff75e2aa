import { WavespoolError } from '../errors.ts'
import type { MemoryExtent } from './extents.ts'
import { reserveMemory } from './reservation.ts'
import { type BuiltInStorage, NO_FILE, type SharedStorage } from './storage.ts'

const STEP = 2 ** 20

/** Up to here memory is moved as it grows: a reservation for each short recording would use up what a process may map. */
const SMALL_BYTES = 65_536

/** In such steps: of thousands of recordings at once, none holds much that it has not filled. */
const PAGE = 4096

/**
 * A recording in one piece of memory that grows where it is: a growable SharedArrayBuffer. An append copies nothing
 * that is already there, readers need no copy at all, and other threads can see it grow. One zero always lies
 * behind the end: the pad byte of a view.
 */
export class MemoryStorage implements BuiltInStorage {
  readonly #maxBytes: number
  /** undefined while the memory is small, and may move */
  #reservation: SharedArrayBuffer | undefined
  /** follows the reservation's growth */
  #bytes: Uint8Array = new Uint8Array(0)
  /** where the file begins in the memory, such that its samples begin at a multiple of 8 */
  base = 0
  size = 0
  readonly epoch = 0
  readonly memoryBytes = Number.POSITIVE_INFINITY

  constructor(maxBytes = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes
  }

  /** V8 copies into shared memory at full speed only where the target is 8-aligned. */
  startWav(dataStart: number): void {
    if (this.size === 0) this.base = (8 - (dataStart % 8)) % 8
  }

  append(chunks: readonly Uint8Array[]): void {
    let end = this.base + this.size
    for (const chunk of chunks) {
      if (end + chunk.length >= this.#bytes.length) this.#grow(end + chunk.length + 1)
      this.#bytes.set(chunk, end)
      end += chunk.length
      this.size = end - this.base
    }
  }

  /** The memory itself, which other threads can see grow, and which does not move any more. */
  reserve(): SharedArrayBuffer {
    if (this.#reservation === undefined) {
      const reservation = reserveMemory(this.#maxBytes + 16)
      const small = this.#bytes
      reservation.grow(Math.min(Math.max(STEP, small.length), reservation.maxByteLength))
      this.#bytes = new Uint8Array(reservation)
      this.#bytes.set(small)
      this.#reservation = reservation
    }
    return this.#reservation
  }

  #grow(needed: number): void {
    if (this.#reservation === undefined && needed <= SMALL_BYTES) {
      const length = needed < PAGE ? Math.max(1024, 2 ** Math.ceil(Math.log2(needed))) : roundUp(needed, PAGE)
      const larger = new Uint8Array(length)
      larger.set(this.#bytes)
      this.#bytes = larger
      return
    }
    const reservation = this.reserve()
    const { maxByteLength } = reservation
    // One part in a hundred at least, so that the number of steps stays logarithmic.
    const wanted = roundUp(needed + needed / 100, STEP)
    if (needed <= reservation.byteLength) return
    try {
      reservation.grow(Math.max(needed, Math.min(wanted, maxByteLength)))
    } catch (cause) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_FULL',
        `the memory of this machine has no room for ${needed} bytes in one piece (${maxByteLength} are reserved); what was written stays readable`,
        { cause },
      )
    }
  }

  /** One extent, in which a view may have the pad byte behind the end. */
  extentAt(position: number, end: number): MemoryExtent {
    const bytes = this.#bytes.subarray(this.base + position, this.base + end)
    return { bytes, length: bytes.length }
  }

  /** The memory for a view: it keeps its place from now on. */
  view(size: number): Uint8Array {
    this.reserve()
    return this.#bytes.subarray(this.base, this.base + size)
  }

  write(bytes: Uint8Array, position: number): void {
    this.#bytes.set(bytes, this.base + position)
  }

  header(bytes: Uint8Array): void {
    this.write(bytes, 0)
  }

  truncate(size: number): void {
    this.size = size
    this.#bytes[this.base + size] = 0
  }

  share(): SharedStorage {
    return {
      parts: { firstBytes: Number.POSITIVE_INFINITY, first: this.reserve() },
      layout: () => ({ sealed: 0, epoch: 0, base: this.base, headBytes: 0, ...NO_FILE }),
    }
  }

  dispose(): void {
    this.#reservation = undefined
    this.#bytes = new Uint8Array(0)
    this.size = 0
  }
}

function roundUp(bytes: number, step: number): number {
  return Math.ceil(bytes / step) * step
}
