import type { Blob } from 'node:buffer'
import { WavespoolError } from '../../errors.ts'
import { copyBytes } from './copyBytes.ts'
import { memoryBlobs } from './memoryBlobs.ts'
import type { SharedStorage } from './sharedParts.ts'
import type { VirtualFileStorage } from './storage.ts'

/** Address space that is asked for first; Node 20 gives no more than just under 4 GiB, 22 and 24 give more. */
const RESERVATIONS = [2 ** 34, 2 ** 32 - 2 ** 16]
const STEP = 2 ** 20

/**
 * A recording in one piece of memory that grows where it is: a growable SharedArrayBuffer. An append copies nothing
 * that is already there, readers need no copy at all, and other threads can see it grow.
 */
export class MemoryStorage implements VirtualFileStorage {
  readonly #maxBytes: number
  #buffer: SharedArrayBuffer | undefined
  /** follows the buffer's growth */
  #bytes: Uint8Array = new Uint8Array(0)
  /** where the file begins in the buffer, such that its samples begin at a multiple of 8 */
  base = 0
  size = 0
  readonly inMemory = true
  readonly isSynchronous = true

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
      if (end + chunk.length > this.#bytes.length) this.#grow(end + chunk.length)
      this.#bytes.set(chunk, end)
      end += chunk.length
      this.size = end - this.base
    }
  }

  /** The memory itself, which other threads can see grow. */
  reserve(): SharedArrayBuffer {
    this.#buffer ??= reserve(this.#maxBytes + 8)
    return this.#buffer
  }

  #grow(needed: number): void {
    const buffer = this.reserve()
    const { maxByteLength } = buffer
    // One part in a hundred at least, so that the number of steps stays logarithmic.
    const wanted = Math.ceil((needed + needed / 100) / STEP) * STEP
    try {
      buffer.grow(Math.max(needed, Math.min(wanted, maxByteLength)))
    } catch (cause) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_FULL',
        `the memory of this machine has no room for ${needed} bytes in one piece (${maxByteLength} are reserved); what was written stays readable`,
        { cause },
      )
    }
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(buffer)
  }

  read(target: Uint8Array, position: number): number {
    const from = this.base + position
    return copyBytes(this.#bytes.subarray(from, from + Math.min(target.length, this.size - position)), target)
  }

  readSync(target: Uint8Array, position: number): number {
    return this.read(target, position)
  }

  write(bytes: Uint8Array, position: number): void {
    this.#bytes.set(bytes, this.base + position)
  }

  header(bytes: Uint8Array): void {
    this.write(bytes, 0)
  }

  truncate(size: number): void {
    this.size = size
  }

  view(): Uint8Array {
    return this.#bytes.subarray(this.base, this.base + this.size)
  }

  async blobs(start: number, end: number): Promise<Blob[]> {
    return memoryBlobs(this.view().subarray(start, end))
  }

  share(): SharedStorage {
    return {
      parts: { firstBytes: Number.POSITIVE_INFINITY, first: this.reserve() },
      layout: () => ({ sealed: 0, epoch: 0, base: this.base, headBytes: 0 }),
    }
  }

  dispose(): void {
    this.#buffer = undefined
    this.#bytes = new Uint8Array(0)
    this.size = 0
  }
}

/** Where address space is limited (`ulimit -v`), half of it will do, and half of that. */
function reserve(maxBytes: number): SharedArrayBuffer {
  let last: unknown
  const halves = Array.from({ length: 12 }, (_, i) => 2 ** (31 - i))
  for (const size of [...RESERVATIONS, ...halves]) {
    try {
      return new SharedArrayBuffer(0, { maxByteLength: Math.min(size, roundUp(maxBytes)) })
    } catch (error) {
      last = error
    }
  }
  throw new WavespoolError('ERR_WAVESPOOL_FULL', 'there is no memory for a recording', { cause: last })
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / 2 ** 16) * 2 ** 16
}
