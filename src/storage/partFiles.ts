import type { Blob } from 'node:buffer'
import { openAsBlob, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExtentFile } from './extents.ts'
import { CREATE, OpenFile, READ, READ_WRITE } from './openFile.ts'

/** Descriptors that a spilled recording keeps: a part is 8 MiB, and one that is opened for each read costs three times as much. */
const MOST_OPEN = 32

/** The part files of a spilled recording, those that were used last open. No other program writes into their directory. */
export class PartFiles {
  readonly #directory: string
  readonly #files = new Map<number, PartFile>()
  readonly #isWritable: boolean
  #uses = 0

  constructor(directory: string, isWritable: boolean) {
    this.#directory = directory
    this.#isWritable = isWritable
  }

  at(index: number): PartFile {
    let file = this.#files.get(index)
    if (file === undefined) {
      if (this.#files.size === MOST_OPEN) this.#dropOldest()
      file = new PartFile(partPath(this.#directory, index), this.#isWritable)
      this.#files.set(index, file)
    }
    file.lastUse = this.#uses++
    return file
  }

  #dropOldest(): void {
    const [oldest] = [...this.#files].reduce((a, b) => (a[1].lastUse < b[1].lastUse ? a : b))
    this.#drop(oldest)
  }

  /** Writes a part that is complete. A part that could not be written as a whole is removed. */
  async create(index: number, bytes: Uint8Array): Promise<void> {
    const path = partPath(this.#directory, index)
    const file = await OpenFile.open(path, CREATE)
    try {
      await file.write(bytes, 0)
    } catch (error) {
      await rm(path, { force: true })
      throw error
    } finally {
      await file.close()
    }
  }

  async remove(index: number): Promise<void> {
    await this.#drop(index)
    await rm(partPath(this.#directory, index), { force: true })
  }

  #drop(index: number): Promise<void> | undefined {
    const file = this.#files.get(index)
    this.#files.delete(index)
    return file?.close()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#files.keys()].map((index) => this.#drop(index)))
  }
}

function partPath(directory: string, index: number): string {
  return join(directory, `${String(index).padStart(6, '0')}.part`)
}

/** A part file that is opened when it is used. */
class PartFile implements ExtentFile {
  readonly path: string
  readonly #isWritable: boolean
  #file: OpenFile | undefined
  /** the higher, the later */
  lastUse = 0

  constructor(path: string, isWritable: boolean) {
    this.path = path
    this.#isWritable = isWritable
  }

  get #open(): OpenFile {
    this.#file ??= new OpenFile(openSync(this.path, this.#isWritable ? READ_WRITE : READ))
    return this.#file
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#open.read(target, position)
  }

  readSync(target: Uint8Array, position: number): number {
    return this.#open.readSync(target, position)
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#open.write(bytes, position)
  }

  truncate(size: number): Promise<void> {
    return this.#open.truncate(size)
  }

  openBlob(): Promise<Blob> {
    return openAsBlob(this.path)
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }
}
