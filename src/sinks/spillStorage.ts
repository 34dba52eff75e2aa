import type { Blob } from 'node:buffer'
import { openAsBlob, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MemoryStorage } from './memoryStorage.ts'
import { makeSpillDirectory, removeSpillDirectory } from './spillDirectory.ts'
import {
  asBuffer,
  locate,
  makePart,
  overwritePart,
  type Part,
  type Place,
  readPart,
  readPartSync,
} from './spillPart.ts'
import type { VirtualFileStorage } from './storage.ts'

export interface SpillOptions {
  /** bytes that stay in memory before anything is written to a disk (default 64 MiB) */
  after?: number
  /** where the directory of the part files is made (default: the system's temporary directory) */
  directory?: string
}

export const SPILL_AFTER = 64 * 2 ** 20

/** What is collected in memory between two part files. */
const PART_BYTES = 8 * 2 ** 20

/** The beginning stays in memory as well: a header changes, and a part file, once sealed, must not. */
const HEAD_BYTES = 4096

/**
 * Memory up to a threshold, from there on sealed part files with a tail in memory. Parts are sealed one at a time in
 * the background, while the next one fills; an append waits only when that is full too. What could not be written
 * stays in memory, so that a full disk loses nothing.
 */
export class SpillStorage implements VirtualFileStorage {
  readonly #directory: string | undefined
  readonly #parts: Part[]
  #headBytes = HEAD_BYTES
  #head: Buffer | undefined
  #path: string | undefined
  #sealing: Promise<void> | undefined
  #fault: unknown
  /** memory of a sealed part, for the next one: the collector need not keep up with a recording */
  #spare: MemoryStorage | undefined
  #isFinished = false

  constructor({ after = SPILL_AFTER, directory }: SpillOptions = {}) {
    this.#directory = directory
    this.#parts = [makePart(0, after)]
  }

  get size(): number {
    const { start, length } = this.#tail
    return start + length
  }

  /** The bytes lie in one piece of memory: nothing has been spilled, and nothing is about to be. */
  get inMemory(): boolean {
    return this.#parts.length === 1 && this.#tail.memory !== undefined
  }

  get #tail(): Part {
    return this.#parts[this.#parts.length - 1]!
  }

  align(dataStart: number): void {
    this.#headBytes = Math.max(HEAD_BYTES, dataStart)
    this.#tail.memory!.align(dataStart)
  }

  append(chunks: readonly Uint8Array[]): void | Promise<void> {
    for (const [i, chunk] of chunks.entries()) {
      for (let at = 0; at < chunk.length; ) {
        if (this.#fault !== undefined) throw this.#fault
        const tail = this.#tail
        const piece = chunk.subarray(at, at + tail.capacity - tail.length)
        if (piece.length > 0) {
          tail.memory!.append([piece])
          tail.length += piece.length
          at += piece.length
        } else if (this.#isFinished) {
          this.#sealSync(tail)
        } else if (this.#sealing === undefined) {
          this.#sealing = this.#seal(tail).then(() => {
            this.#sealing = undefined
          })
          this.#pushPart(tail.start + tail.length)
        } else {
          const rest = [chunk.subarray(at), ...chunks.slice(i + 1)]
          return this.#sealing.then(() => this.append(rest))
        }
      }
    }
  }

  async #seal(part: Part): Promise<void> {
    try {
      const path = this.#pathOf(part)
      try {
        await writeFile(path, asBuffer(part.memory!.view()), { mode: 0o600, flag: 'wx' })
      } catch (error) {
        await rm(path, { force: true })
        throw error
      }
      this.#release(part, path)
    } catch (error) {
      this.#fault = error // the next append reports it; the part stays where it is, in memory
    }
  }

  #sealSync(part: Part): void {
    const path = this.#pathOf(part)
    writeFileSync(path, asBuffer(part.memory!.view()), { mode: 0o600, flag: 'wx' })
    this.#release(part, path)
    this.#pushPart(part.start + part.length)
  }

  #pushPart(start: number): void {
    this.#parts.push(makePart(start, PART_BYTES, this.#spare))
    this.#spare = undefined
  }

  #pathOf(part: Part): string {
    this.#path ??= makeSpillDirectory(this.#directory)
    return join(this.#path, `${String(part.start).padStart(16, '0')}.part`)
  }

  #release(part: Part, path: string): void {
    if (part.start === 0) this.#head = Buffer.from(part.memory!.view().subarray(0, this.#headBytes))
    part.path = path
    if (part.capacity === PART_BYTES) this.#spare = part.memory
    part.memory = undefined
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let done = 0
    while (done < target.length && position + done < this.size) {
      const rest = target.subarray(done)
      const count =
        this.#readMemory(rest, position + done) ??
        (await readPart(this.#locate(rest.length, position + done), rest))
      if (count === 0) break // a part file was cut off by somebody else
      done += count
    }
    return done
  }

  readSync(target: Uint8Array, position: number): number {
    let done = 0
    while (done < target.length && position + done < this.size) {
      const rest = target.subarray(done)
      const count =
        this.#readMemory(rest, position + done) ??
        readPartSync(this.#locate(rest.length, position + done), rest)
      if (count === 0) break
      done += count
    }
    return done
  }

  #readMemory(target: Uint8Array, position: number): number | undefined {
    if (this.#head !== undefined && position < this.#head.length) {
      const piece = this.#head.subarray(position, position + target.length)
      target.set(piece)
      return piece.length
    }
    const { part, offset, count } = this.#locate(target.length, position)
    return part.memory?.read(target.subarray(0, count), offset)
  }

  #locate(length: number, position: number): Place {
    return locate(this.#parts, length, position)
  }

  write(bytes: Uint8Array, position: number): void {
    if (this.#head !== undefined && position < this.#head.length) {
      this.#head.set(bytes.subarray(0, this.#head.length - position), position)
    }
    for (let done = 0; done < bytes.length; ) {
      const { part, offset, count } = this.#locate(bytes.length - done, position + done)
      const piece = bytes.subarray(done, done + count)
      done += count
      if (part.memory !== undefined) part.memory.write(piece, offset)
      else if (this.#head === undefined || position + done > this.#head.length)
        overwritePart(part, piece, offset)
    }
  }

  header(bytes: Uint8Array): void {
    if (this.inMemory) this.#tail.memory!.write(bytes, 0)
  }

  truncate(size: number): void {
    while (this.#parts.length > 1 && this.#tail.start >= size) {
      const { path } = this.#parts.pop()!
      if (path !== undefined) rmSync(path, { force: true })
    }
    const tail = this.#tail
    tail.length = size - tail.start
    if (tail.memory !== undefined) tail.memory.truncate(tail.length)
    else {
      truncateSync(tail.path!, tail.length)
      this.#pushPart(size)
    }
    if (this.#head !== undefined) this.#head = this.#head.subarray(0, size)
  }

  /** Sealed parts are not read: a Blob refers to them where they lie. */
  async blobs(start: number, end: number): Promise<Blob[]> {
    const parts = this.#parts.filter((part) => part.start < end && part.start + part.length > start)
    const blobs = await Promise.all(
      parts.map(async (part) => {
        const from = Math.max(0, start - part.start)
        const to = Math.min(part.length, end - part.start)
        if (part.memory !== undefined) return part.memory.blobs(from, to)
        return [(await openAsBlob(part.path!)).slice(from, to)]
      }),
    )
    return blobs.flat()
  }

  view(): Uint8Array {
    return this.#tail.memory!.view()
  }

  async finish(): Promise<void> {
    await this.#sealing
    this.#isFinished = true
  }

  async dispose(): Promise<void> {
    await this.#sealing
    for (const { memory } of this.#parts) memory?.dispose()
    this.#spare = undefined
    this.#parts.splice(0, this.#parts.length, makePart(0, 0))
    if (this.#path !== undefined) await removeSpillDirectory(this.#path)
  }
}
