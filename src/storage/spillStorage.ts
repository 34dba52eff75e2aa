import { resolve } from 'node:path'
import { setTimeout } from '../realTimers.ts'
import { part } from './bytes.ts'
import type { CloneSource, Extent } from './extents.ts'
import { MemoryStorage } from './memoryStorage.ts'
import { isShortage, makeDirectory, nameDirectory, removeDirectory } from './ownDirectory.ts'
import { PartFiles } from './partFiles.ts'
import { PART_BYTES, placeOf } from './parts.ts'
import { type BuiltInStorage, NO_FILE, type SharedStorage } from './storage.ts'

/** The options of `storage`, for a recording that moves from memory to a temporary file. */
export interface SpillOptions {
  /** bytes that stay in memory before anything is written to a disk (default 64 MiB) */
  after?: number
  /** where the directory of the part files is made (default: the system's temporary directory) */
  directory?: string
}

const SPILL_AFTER = 64 * 2 ** 20

/** The beginning stays in memory: a header changes, and a part file, once sealed, must not. */
const HEAD_BYTES = 4096

/** A process that has no descriptor left for the moment is asked again, every 100 ms for 30 s. */
const RETRY_EVERY = 100
const RETRIES = 300

/**
 * Memory up to a threshold, from there on sealed part files with a tail in memory. Parts are sealed one at a time in
 * the background, while the next one fills; an append waits only when that is full too. Bytes that could not be
 * written stay in memory, so that a full disk loses nothing. A verb returns nothing where memory is all that it changes.
 */
export class SpillStorage implements BuiltInStorage {
  size = 0
  epoch = 0
  readonly #firstBytes: number
  readonly #parent: string | undefined
  #named: string | undefined
  #opened: PartFiles | undefined
  #sealed = 0
  #hasDirectory = false
  #headBytes = HEAD_BYTES
  /** once the first part is sealed */
  #head: MemoryStorage | undefined
  /** until it is sealed */
  #first: MemoryStorage | undefined
  /** for the parts behind it in turn: while one is being sealed, the other fills */
  readonly #tails: [MemoryStorage?, MemoryStorage?] = []
  #sealing: Promise<void> | undefined
  #fault: unknown
  #isEnding = false
  #onMove: (() => void) | undefined

  constructor({ after = SPILL_AFTER, directory }: SpillOptions = {}) {
    this.#parent = directory === undefined ? undefined : resolve(directory)
    this.#firstBytes = after
    this.#first = new MemoryStorage(after)
  }

  /** While nothing has been spilled or is about to be, changes up to the threshold happen in memory. */
  get memoryBytes(): number {
    return this.#isInMemory ? this.#firstBytes : 0
  }

  get #isInMemory(): boolean {
    return this.#sealed === 0 && this.size <= this.#firstBytes
  }

  // Few recordings are ever spilled: the parts are made when the first one is needed.

  get #directory(): string {
    this.#named ??= nameDirectory('spill', this.#parent)
    return this.#named
  }

  get #files(): PartFiles {
    this.#opened ??= new PartFiles(this.#directory, true)
    return this.#opened
  }

  #memoryOf(index: number): MemoryStorage {
    return index === 0 ? this.#first! : this.#tail((index % 2) as 0 | 1)
  }

  #tail(which: 0 | 1): MemoryStorage {
    this.#tails[which] ??= new MemoryStorage(PART_BYTES)
    return this.#tails[which]
  }

  #ownHead(): MemoryStorage {
    this.#head ??= new MemoryStorage(this.#firstBytes)
    return this.#head
  }

  extentAt(position: number, end: number): Extent {
    const head = this.#head
    if (head && position < head.size) return head.extentAt(position, Math.min(end, head.size))
    const { index, offset, remaining } = placeOf(this.#firstBytes, position)
    const length = Math.min(remaining, end - position)
    if (index < this.#sealed) return { file: this.#files.at(index), offset, length }
    return this.#memoryOf(index).extentAt(offset, offset + length)
  }

  onWavHeader(dataStart: number): void {
    this.#headBytes = Math.max(HEAD_BYTES, dataStart)
    this.#first?.onWavHeader(dataStart)
  }

  append(chunks: readonly Uint8Array[]): void | Promise<void> {
    for (const [i, chunk] of chunks.entries()) {
      for (let at = 0; at < chunk.length; ) {
        if (this.#fault !== undefined) throw this.#fault
        const { index, offset, remaining } = placeOf(this.#firstBytes, this.size)
        if (index < this.#sealed || index > this.#sealed + 1) {
          return this.#appendLater([chunk.subarray(at), ...chunks.slice(i + 1)])
        }
        if (index > this.#sealed) this.#sealNext()
        const piece = part(chunk, at, at + remaining)
        const memory = this.#memoryOf(index)
        if (offset === 0) memory.truncate(0)
        memory.add(piece)
        this.size += piece.length
        at += piece.length
      }
    }
  }

  /** Both tails are full, or a cursor has cut off a part file, which is filled up again. */
  async #appendLater(chunks: readonly Uint8Array[]): Promise<void> {
    const [first, ...rest] = chunks as [Uint8Array, ...Uint8Array[]]
    const { index, offset, remaining } = placeOf(this.#firstBytes, this.size)
    if (index >= this.#sealed) {
      this.#sealNext()
      await this.#sealing
      return this.append(chunks)
    }
    const piece = first.subarray(0, remaining)
    await this.#files.at(index).write(piece, offset)
    this.size += piece.length
    const tail = first.subarray(piece.length)
    return this.append(tail.length > 0 ? [tail, ...rest] : rest)
  }

  /** Writes the part in front of the one that fills, in the background. */
  #sealNext(): void {
    this.#sealing ??= this.#seal().finally(() => {
      this.#sealing = undefined
    })
  }

  async #seal(): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        if (!this.#hasDirectory) await makeDirectory(this.#directory)
        this.#hasDirectory = true
        await this.#files.create(this.#sealed, this.#memoryOf(this.#sealed).view(this.#partBytes))
        this.#release()
        return
      } catch (error) {
        if (!isShortage(error) || tries === RETRIES || this.#isEnding) {
          this.#fault = error // the next append reports it; the part stays where it is, in memory
          return
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_EVERY))
      }
    }
  }

  get #partBytes(): number {
    return this.#sealed === 0 ? this.#firstBytes : PART_BYTES
  }

  #release(): void {
    if (this.#sealed === 0) {
      this.#ownHead().append([this.#first!.view(Math.min(this.#headBytes, this.#firstBytes))])
      this.#first = undefined
    }
    this.#sealed += 1
    this.#reportMove()
  }

  #reportMove(): void {
    this.epoch += 1
    this.#onMove?.()
  }

  write(bytes: Uint8Array, position: number): void | Promise<void> {
    // A part that is being sealed would go to the disk without them.
    if (this.#sealing !== undefined) return this.#sealing.then(() => this.write(bytes, position))
    for (let done = 0; done < bytes.length; ) {
      const at = position + done
      const extent = this.extentAt(at, position + bytes.length)
      if (extent.file) return this.#writeFiles(bytes.subarray(done), at)
      extent.bytes.set(bytes.subarray(done, done + extent.length))
      done += extent.length
    }
  }

  async #writeFiles(bytes: Uint8Array, position: number): Promise<void> {
    const { index, offset, remaining } = placeOf(this.#firstBytes, position)
    const piece = bytes.subarray(0, remaining)
    await this.#files.at(index).write(piece, offset)
    await this.write(bytes.subarray(piece.length), position + piece.length)
  }

  truncate(size: number): void | Promise<void> {
    const { index, offset } = placeOf(this.#firstBytes, size)
    if (this.#sealing !== undefined || index < this.#sealed) return this.#truncateFiles(size)
    this.#memoryOf(index).truncate(offset)
    this.#cutTo(size)
  }

  async #truncateFiles(size: number): Promise<void> {
    await this.#sealing
    const { index, offset } = placeOf(this.#firstBytes, size)
    // The first part, once on the disk, stays there: its memory has been given back.
    const kept = Math.max(1, offset > 0 ? index + 1 : index)
    while (this.#sealed > kept) await this.#files.remove(--this.#sealed)
    if (index < this.#sealed) await this.#files.at(index).truncate(offset)
    else this.#memoryOf(index).truncate(offset)
    this.#cutTo(size)
  }

  #cutTo(size: number): void {
    if (this.#head && size < this.#head.size) this.#head.truncate(size)
    this.size = size
    this.#reportMove()
  }

  view(size: number, header: Uint8Array): Uint8Array | undefined {
    return this.#isInMemory ? this.#first!.view(size, header) : undefined
  }

  get cloneSource(): CloneSource | undefined {
    if (this.#sealed === 0) return undefined
    const { path } = this.#files.at(0)
    const end = Math.min(this.size, this.#firstBytes)
    return { path, start: this.#head!.size, end, check: async () => {} }
  }

  async finish(): Promise<void> {
    await this.#sealing
  }

  share(onMove: () => void): SharedStorage {
    this.#onMove = onMove
    return {
      parts: {
        firstBytes: this.#firstBytes,
        first: this.#first?.reserve(),
        tails: [this.#tail(0).reserve(), this.#tail(1).reserve()],
        head: this.#ownHead().reserve(),
        directory: this.#directory,
      },
      layout: () => ({
        sealed: this.#sealed,
        epoch: this.epoch,
        base: this.#first?.base ?? 0,
        headBytes: this.#head?.size ?? 0,
        ...NO_FILE,
      }),
    }
  }

  async dispose(): Promise<void> {
    this.#isEnding = true
    await this.#sealing
    for (const memory of [this.#first, ...this.#tails, this.#head]) memory?.dispose()
    this.size = 0
    await this.#opened?.close()
    if (this.#hasDirectory) await removeDirectory(this.#directory)
  }
}
