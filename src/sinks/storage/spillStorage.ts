import type { Blob } from 'node:buffer'
import { rmSync, truncateSync, writeFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { asBuffer } from '../asBuffer.ts'
import { writeFileAt } from './fileAccess.ts'
import { MemoryStorage } from './memoryStorage.ts'
import {
  blobsOf,
  fileOf,
  PART_BYTES,
  type Parts,
  piecesOf,
  placeOf,
  readParts,
  readPartsSync,
} from './parts.ts'
import type { SharedStorage } from './sharedParts.ts'
import { makeSpillDirectory, nameSpillDirectory, partPath, removeSpillDirectory } from './spillDirectory.ts'
import type { StoredStretch, VirtualFileStorage } from './storage.ts'

export interface SpillOptions {
  /** bytes that stay in memory before anything is written to a disk (default 64 MiB) */
  after?: number
  /** where the directory of the part files is made (default: the system's temporary directory) */
  directory?: string
}

export const SPILL_AFTER = 64 * 2 ** 20

const HEAD_BYTES = 4096

const PART_FILE = { mode: 0o600, flag: 'wx' }

/**
 * Memory up to a threshold, from there on sealed part files with a tail in memory. Parts are sealed one at a time in
 * the background, while the next one fills; an append waits only when that is full too. What could not be written
 * stays in memory, so that a full disk loses nothing.
 */
export class SpillStorage implements VirtualFileStorage, Parts {
  readonly firstBytes: number
  size = 0
  sealed = 0
  epoch = 0
  readonly isSynchronous = true
  readonly #directory: string
  #hasDirectory = false
  #headBytes = HEAD_BYTES
  readonly #head: MemoryStorage
  /** until it is sealed */
  #first: MemoryStorage | undefined
  /** for the parts behind it in turn: while one is being sealed, the other fills */
  readonly #tails = [new MemoryStorage(PART_BYTES), new MemoryStorage(PART_BYTES)] as const
  #sealing: Promise<void> | undefined
  #fault: unknown
  #isFinished = false
  #onMove: (() => void) | undefined

  constructor({ after = SPILL_AFTER, directory }: SpillOptions = {}) {
    this.#directory = nameSpillDirectory(directory)
    this.firstBytes = after
    this.#first = new MemoryStorage(after)
    this.#head = new MemoryStorage(after)
  }

  /** The bytes lie in one piece of memory: nothing has been spilled, and nothing is about to be. */
  get inMemory(): boolean {
    return this.sealed === 0 && this.size <= this.firstBytes
  }

  get head(): Uint8Array {
    return this.#head.view()
  }

  memoryOf(index: number): Uint8Array {
    return this.#partOf(index).view()
  }

  #partOf(index: number): MemoryStorage {
    return index === 0 ? this.#first! : this.#tails[(index % 2) as 0 | 1]
  }

  pathOf(index: number): string {
    return partPath(this.#directory, index)
  }

  startWav(dataStart: number): void {
    this.#headBytes = Math.max(HEAD_BYTES, dataStart)
    this.#first?.startWav(dataStart)
  }

  append(chunks: readonly Uint8Array[]): void | Promise<void> {
    for (const [i, chunk] of chunks.entries()) {
      for (let at = 0; at < chunk.length; ) {
        if (this.#fault !== undefined) throw this.#fault
        const { index, offset, room } = placeOf(this, this.size)
        if (index > this.sealed + 1) {
          const rest = [chunk.subarray(at), ...chunks.slice(i + 1)]
          return this.#sealing!.then(() => this.append(rest))
        }
        if (index > this.sealed) this.#sealNext()
        const piece = chunk.subarray(at, at + room)
        if (index < this.sealed)
          writeFileAt(this.pathOf(index), piece, offset) // a cursor had cut it off
        else {
          const part = this.#partOf(index)
          if (offset === 0) part.truncate(0)
          part.append([piece])
        }
        this.size += piece.length
        at += piece.length
      }
    }
  }

  /** The part in front of the one that is filled: while the recording goes on in the background. */
  #sealNext(): void {
    if (this.#isFinished) this.#sealSync()
    else {
      this.#sealing ??= this.#seal().finally(() => {
        this.#sealing = undefined
      })
    }
  }

  #sealSync(): void {
    const path = this.#openPath()
    try {
      writeFileSync(path, asBuffer(this.memoryOf(this.sealed)), PART_FILE)
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    }
    this.#release()
  }

  async #seal(): Promise<void> {
    try {
      const path = this.#openPath()
      try {
        await writeFile(path, asBuffer(this.memoryOf(this.sealed)), PART_FILE)
      } catch (error) {
        await rm(path, { force: true })
        throw error
      }
      this.#release()
    } catch (error) {
      this.#fault = error // the next append reports it; the part stays where it is, in memory
    }
  }

  /** Where the next part goes, in a directory that is there. */
  #openPath(): string {
    if (!this.#hasDirectory) makeSpillDirectory(this.#directory)
    this.#hasDirectory = true
    return this.pathOf(this.sealed)
  }

  #release(): void {
    if (this.sealed === 0) {
      this.#head.append([this.memoryOf(0).subarray(0, this.#headBytes)])
      this.#first = undefined
    }
    this.sealed += 1
    this.#tellMove()
  }

  #tellMove(): void {
    this.epoch += 1
    this.#onMove?.()
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return readParts(this, target, position)
  }

  readSync(target: Uint8Array, position: number): number {
    return readPartsSync(this, target, position)
  }

  write(bytes: Uint8Array, position: number): void {
    let done = 0
    for (const piece of piecesOf(this, position, position + bytes.length)) {
      const part = bytes.subarray(done, done + piece.count)
      if (piece.bytes) piece.bytes.set(part)
      else writeFileAt(piece.path, part, piece.offset)
      done += piece.count
    }
  }

  header(bytes: Uint8Array): void {
    if (this.inMemory) this.#first!.write(bytes, 0)
  }

  truncate(size: number): void {
    const { index, offset } = placeOf(this, size)
    // The first part, once on the disk, stays there: its memory has been given back.
    while (this.sealed > Math.max(1, offset > 0 ? index + 1 : index)) {
      this.sealed -= 1
      rmSync(this.pathOf(this.sealed), { force: true })
    }
    if (index < this.sealed) truncateSync(this.pathOf(index), offset)
    else this.#partOf(index).truncate(offset)
    this.#head.truncate(Math.min(size, this.#head.size))
    this.size = size
    this.#tellMove()
  }

  /** Sealed parts are not read: a Blob refers to them where they lie. */
  blobs(start: number, end: number): Promise<Blob[]> {
    return blobsOf(this, start, end)
  }

  view(): Uint8Array {
    return this.#first!.view()
  }

  get file(): StoredStretch | undefined {
    return fileOf(this)
  }

  async finish(): Promise<void> {
    await this.#sealing
    this.#isFinished = true
  }

  share(onMove: () => void): SharedStorage {
    this.#onMove = onMove
    return {
      parts: {
        firstBytes: this.firstBytes,
        first: this.#first?.reserve(),
        tails: this.#tails.map((tail) => tail.reserve()),
        head: this.#head.reserve(),
        directory: this.#directory,
      },
      layout: () => ({
        sealed: this.sealed,
        epoch: this.epoch,
        base: this.#first?.base ?? 0,
        headBytes: this.#head.size,
      }),
    }
  }

  async dispose(): Promise<void> {
    await this.#sealing
    for (const memory of [this.#first, ...this.#tails, this.#head]) memory?.dispose()
    this.size = 0
    if (this.#hasDirectory) await removeSpillDirectory(this.#directory)
  }
}
