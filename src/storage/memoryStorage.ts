import { WavespoolError } from '../errors.ts'
import { Blocks } from './blocks.ts'
import type { MemoryExtent } from './extents.ts'
import { reserveMemory } from './reservation.ts'
import { type BuiltInStorage, NO_FILE, type SharedStorage } from './storage.ts'

const STEP = 2 ** 20

/** A reservation for each short recording would use up the address space of the process. */
const SMALL_BYTES = 65_536

/**
 * A recording in memory: in small blocks at first, then in one piece that grows where it is, a growable
 * SharedArrayBuffer, which other threads can see grow. An append copies nothing that is already there, but for the once
 * that a recording outgrows its blocks or is wanted in one piece. There, one zero always lies behind the end: the pad
 * byte of a view.
 */
export class MemoryStorage implements BuiltInStorage {
  readonly #maxBytes: number
  /** while it is small */
  #blocks: Blocks | undefined = new Blocks()
  #reservation: SharedArrayBuffer | undefined
  /** bytes of the reservation that can be written: its own `byteLength` is slow to ask for */
  #capacity = 0
  /** follows the reservation's growth */
  #bytes: Uint8Array = new Uint8Array(0)
  /** where the file begins in the reservation, such that its samples begin at a multiple of 8 */
  base = 0
  size = 0
  readonly epoch = 0
  readonly memoryBytes = Number.POSITIVE_INFINITY

  constructor(maxBytes = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes
  }

  /** V8 copies into shared memory at full speed only where the target is 8-aligned. */
  onWavHeader(dataStart: number): void {
    if (this.size === 0) this.base = (8 - (dataStart % 8)) % 8
  }

  append(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.add(chunk)
  }

  /** Appends one chunk. */
  add(chunk: Uint8Array): void {
    const end = this.size + chunk.length
    const needed = this.base + end + 1
    if (this.#blocks === undefined ? needed > this.#capacity : end > SMALL_BYTES) this.#makeRoom(needed)
    this.write(chunk, this.size)
    this.size = end
  }

  /** The memory itself, which does not move any more. */
  reserve(): SharedArrayBuffer {
    if (this.#reservation === undefined) {
      const reservation = reserveMemory(this.#maxBytes + 16)
      reservation.grow(Math.min(STEP, reservation.maxByteLength))
      this.#bytes = new Uint8Array(reservation)
      this.#blocks?.copyTo(this.#bytes, this.base + this.size)
      this.#blocks?.release()
      this.#blocks = undefined
      this.#reservation = reservation
      this.#capacity = reservation.byteLength
    }
    return this.#reservation
  }

  #makeRoom(needed: number): void {
    const reservation = this.reserve()
    if (needed <= this.#capacity) return
    const { maxByteLength } = reservation
    // One part in a hundred at least, so that the number of steps stays logarithmic.
    const wanted = roundUp(needed + needed / 100, STEP)
    try {
      reservation.grow(Math.max(needed, Math.min(wanted, maxByteLength)))
      this.#capacity = reservation.byteLength
    } catch (cause) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_FULL',
        `the memory of this machine has no room for ${needed} bytes in one piece (${maxByteLength} are reserved); the bytes written before stay readable`,
        { cause },
      )
    }
  }

  extentAt(position: number, end: number): MemoryExtent {
    if (this.#blocks) return this.#blocks.extentAt(this.base + position, this.base + end)
    const bytes = this.#bytes.subarray(this.base + position, this.base + end)
    return { bytes, length: bytes.length }
  }

  /** The memory for a view: it keeps its place from now on. */
  view(size: number, header?: Uint8Array): Uint8Array {
    this.reserve()
    if (header) this.write(header, 0)
    return this.#bytes.subarray(this.base, this.base + size)
  }

  write(bytes: Uint8Array, position: number): void {
    const at = this.base + position
    if (this.#blocks) this.#blocks.write(bytes, at)
    else this.#bytes.set(bytes, at)
  }

  truncate(size: number): void {
    if (this.#reservation) this.#bytes.fill(0, this.base + size, this.base + this.size)
    this.size = size
  }

  share(): SharedStorage {
    return {
      parts: { firstBytes: Number.POSITIVE_INFINITY, first: this.reserve() },
      layout: () => ({ sealed: 0, epoch: 0, base: this.base, headBytes: 0, ...NO_FILE }),
    }
  }

  dispose(): void {
    this.#blocks?.release()
    this.#blocks = undefined
    this.#reservation = undefined
    this.#capacity = 0
    this.#bytes = new Uint8Array(0)
    this.size = 0
  }
}

function roundUp(bytes: number, step: number): number {
  return Math.ceil(bytes / step) * step
}
