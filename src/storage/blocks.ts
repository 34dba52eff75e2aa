import { part } from './bytes.ts'
import type { MemoryExtent } from './extents.ts'

/** Of thousands of recordings at once, none holds much that it has not filled. */
const BLOCK_BYTES = 4096

/** Memory that grows by blocks of 4 KiB, none of which moves. */
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
    this.#last = new Uint8Array(BLOCK_BYTES)
    this.#blocks.push(this.#last)
  }

  /** The bytes at `position`, up to `end` (exclusive) or the end of its block. */
  extentAt(position: number, end: number): MemoryExtent {
    const block = this.#blocks[Math.floor(position / BLOCK_BYTES)]!
    const offset = position % BLOCK_BYTES
    const bytes = block.subarray(offset, offset + end - position)
    return { bytes, length: bytes.length }
  }

  /** Copies the first `length` bytes to the start of `target`. */
  copyTo(target: Uint8Array, length: number): void {
    for (let at = 0; at < length; at += BLOCK_BYTES) target.set(this.extentAt(at, length).bytes, at)
  }
}
