import { part } from './bytes.ts'
import type { MemoryExtent } from './extents.ts'

/** Of thousands of recordings at once, none holds much that it has not filled. */
const BLOCK_BYTES = 4096

/** 16 MiB of blocks at most wait for the next recording. */
const MOST_FREE = 4096

const free: Uint8Array[] = []

/**
 * Shared memory, as V8 counts the bytes of an ArrayBuffer toward the next collection of the whole heap: thousands of
 * recordings that grow would have it collect all the time, with pauses of 30 to 100 ms. In return released blocks are
 * reused, since a collection that nothing asks for could take long to free them.
 */
function allocate(): Uint8Array {
  return free.pop() ?? new Uint8Array(new SharedArrayBuffer(BLOCK_BYTES))
}

/** Memory that grows by blocks of 4 KiB, none of which moves. Bytes that have not been written may be anything. */
export class Blocks {
  readonly #blocks: Uint8Array[] = []
  /** the last block, which appends go to without a look at the list */
  #last: Uint8Array | undefined
  #lastStart = 0

  /** Writes bytes at `position`, at most one byte behind the last. */
  write(bytes: Uint8Array, position: number): void {
    const offset = position - this.#lastStart
    if (this.#last !== undefined && offset >= 0 && offset + bytes.length <= BLOCK_BYTES) {
      this.#last.set(bytes, offset)
    } else this.#writeAcross(bytes, position)
  }

  #writeAcross(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) {
      const index = Math.floor((position + done) / BLOCK_BYTES)
      const offset = (position + done) % BLOCK_BYTES
      const piece = part(bytes, done, done + BLOCK_BYTES - offset)
      if (index === this.#blocks.length) this.#add()
      this.#blocks[index]!.set(piece, offset)
      done += piece.length
    }
  }

  #add(): void {
    this.#lastStart = this.#blocks.length * BLOCK_BYTES
    this.#last = allocate()
    this.#blocks.push(this.#last)
  }

  /** The bytes at `position`, up to `end` (exclusive) or the end of its block: to be copied at once. */
  extentAt(position: number, end: number): MemoryExtent {
    const block = this.#blocks[Math.floor(position / BLOCK_BYTES)]!
    const offset = position % BLOCK_BYTES
    const bytes = block.subarray(offset, offset + end - position)
    return { bytes, length: bytes.length }
  }

  /** Copies the first `length` bytes to the start of `target`. */
  copyTo(target: Uint8Array, length: number): void {
    for (const [i, block] of this.#blocks.entries()) {
      const at = i * BLOCK_BYTES
      if (at < length) target.set(part(block, 0, length - at), at)
    }
  }

  /** Gives the memory back: nothing can be written or read any more. */
  release(): void {
    for (const block of this.#blocks) if (free.length < MOST_FREE) free.push(block)
    this.#blocks.length = 0
    this.#last = undefined
    this.#lastStart = 0
  }
}
