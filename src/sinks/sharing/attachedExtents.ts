import type { Extent, ExtentFile, ExtentMap } from '../../storage/extents.ts'
import { ForeignFile } from '../../storage/openFile.ts'
import { PartFiles } from '../../storage/partFiles.ts'
import { placeOf } from '../../storage/parts.ts'
import type { SharedParts } from '../../storage/storage.ts'
import type { PublishedState, SharedState } from './sharedState.ts'

const nothing = new Uint8Array(0)

/**
 * The places of the bytes of a recording that another thread makes: its memory where it is, its files opened anew. The
 * epoch shows that the other thread moved bytes while they were read, and they are read again.
 */
export class AttachedExtents implements ExtentMap {
  size = 0
  readonly #parts: SharedParts
  readonly #state: SharedState
  /** these follow the growth of the memory */
  #first: Uint8Array
  #tails: readonly Uint8Array[]
  #head: Uint8Array
  #published: PublishedState
  #files: PartFiles | undefined
  readonly #path: ExtentFile | undefined

  constructor(parts: SharedParts, state: SharedState) {
    this.#parts = parts
    this.#state = state
    this.#published = state.read().published
    this.#first = parts.first ? new Uint8Array(parts.first) : nothing
    this.#tails = (parts.tails ?? []).map((memory) => new Uint8Array(memory))
    this.#head = parts.head ? new Uint8Array(parts.head) : nothing
    if (parts.directory !== undefined) this.#files = new PartFiles(parts.directory, false)
    if (parts.paths !== undefined) this.#path = new ForeignFile(parts.paths, () => this.#published)
  }

  refresh(published: PublishedState): void {
    this.#take(published)
    this.size = published.size
  }

  get epoch(): number {
    this.#take(this.#state.read().published)
    return this.#published.epoch
  }

  /** A part file that has moved may have been made anew under its name. */
  #take(published: PublishedState): void {
    if (published.epoch !== this.#published.epoch) this.#files?.close()
    this.#published = published
  }

  extentAt(position: number, end: number): Extent {
    if (this.#path) return { file: this.#path, offset: position, length: end - position }
    const { sealed, base, headBytes } = this.#published
    if (position < headBytes) return memory(this.#head.subarray(position, Math.min(end, headBytes)))
    const { index, offset, remaining } = placeOf(this.#parts.firstBytes, position)
    const length = Math.min(remaining, end - position)
    if (index < sealed) return { file: this.#files!.at(index), offset, length }
    const part = index === 0 ? this.#first.subarray(base) : this.#tails[index % 2]!
    return memory(part.subarray(offset, offset + length))
  }

  view(size: number): Uint8Array | undefined {
    const { sealed, base } = this.#published
    const isInMemory = this.#parts.first !== undefined && sealed === 0 && this.size <= this.#parts.firstBytes
    return isInMemory ? this.#first.subarray(base, base + size) : undefined
  }

  /** Lets go of the memory and the files. */
  release(): void {
    this.size = 0
    this.#first = nothing
    this.#tails = []
    this.#head = nothing
    this.#files?.close()
    this.#files = undefined
  }
}

function memory(bytes: Uint8Array): Extent {
  return { bytes, length: bytes.length }
}
