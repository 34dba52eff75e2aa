import { Blob } from 'node:buffer'
import { blobsOf, fileOf, type Parts, readParts, readPartsSync } from '../storage/parts.ts'
import type { SharedParts } from '../storage/sharedParts.ts'
import { partPath } from '../storage/spillDirectory.ts'
import type { ReadableStorage, StoredStretch } from '../storage/storage.ts'
import type { SharedMoment, SharedState } from './sharedState.ts'

const nothing = new Uint8Array(0)

/**
 * The bytes of a recording that another thread makes: its memory where it lies, its files opened anew. What the
 * other thread moves while it is being read is noticed by the epoch, and read again.
 */
export class AttachedStorage implements ReadableStorage, Parts {
  readonly firstBytes: number
  size = 0
  readonly #parts: SharedParts
  readonly #state: SharedState
  /** these follow the growth of the memory */
  #first: Uint8Array
  #tails: readonly Uint8Array[]
  #head: Uint8Array
  #layout: SharedMoment

  constructor(parts: SharedParts, state: SharedState) {
    this.#parts = parts
    this.#state = state
    this.#layout = state.read().moment
    this.firstBytes = parts.firstBytes
    this.#first = parts.first ? new Uint8Array(parts.first) : nothing
    this.#tails = (parts.tails ?? []).map((memory) => new Uint8Array(memory))
    this.#head = parts.head ? new Uint8Array(parts.head) : nothing
  }

  refresh(moment: SharedMoment): void {
    this.#layout = moment
    this.size = moment.size
  }

  get epoch(): number {
    this.#layout = this.#state.read().moment
    return this.#layout.epoch
  }

  get sealed(): number {
    return this.#layout.sealed
  }

  get head(): Uint8Array {
    return this.#head.subarray(0, this.#layout.headBytes)
  }

  get inMemory(): boolean {
    return this.#parts.first !== undefined && this.#layout.sealed === 0 && this.size <= this.firstBytes
  }

  memoryOf(index: number): Uint8Array {
    return index === 0 ? this.#first.subarray(this.#layout.base) : this.#tails[index % 2]!
  }

  pathOf(index: number): string {
    return this.#parts.path ?? partPath(this.#parts.directory!, index)
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return readParts(this, target, position)
  }

  readSync(target: Uint8Array, position: number): number {
    return readPartsSync(this, target, position)
  }

  view(): Uint8Array {
    return this.memoryOf(0).subarray(0, this.size)
  }

  get file(): StoredStretch | undefined {
    return fileOf(this)
  }

  /** A file that still grows would make the Blob unreadable. */
  async blobs(start: number, end: number): Promise<Blob[]> {
    if (this.#parts.path === undefined || this.#layout.status !== 'recording') {
      return blobsOf(this, start, end)
    }
    const bytes = new Uint8Array(end - start)
    return [new Blob([bytes.subarray(0, await this.read(bytes, start))])]
  }

  /** Lets go of the memory. */
  release(): void {
    this.#first = nothing
    this.#tails = []
    this.#head = nothing
  }
}
