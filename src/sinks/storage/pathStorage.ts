import { Blob } from 'node:buffer'
import { readSync, truncateSync } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { WavespoolError } from '../../errors.ts'
import { dropBytes } from '../recording/chunkList.ts'
import { fill, writeAll, writeFileAt } from './fileAccess.ts'
import { blobsOf, fileOf, type Parts, readParts, readPartsSync } from './parts.ts'
import type { SharedStorage } from './sharedParts.ts'
import type { StoredStretch, VirtualFileStorage } from './storage.ts'

export interface PathOptions {
  path: string
  /** replace a file that is there (default false: that is an error) */
  overwrite?: boolean
  /** have the disk confirm what is written, together with the header: then it survives a loss of power as well */
  fsync?: boolean
}

/** Milliseconds until the header on the disk is put right: of the second that it may lag behind, the rest is for the disk. */
const HEADER_INTERVAL = 750

/** bytes that a file system writes at once */
const PAGE = 4096

const nothing = new Uint8Array(0)

/**
 * A named file on a disk which is a valid WAV at every moment, also when the process is killed: its header says at
 * most what is there, and is put right at least once a second. One write at a time, none of them on the event loop.
 */
export class PathStorage implements VirtualFileStorage {
  readonly #options: PathOptions
  /** absolute: the working directory may change */
  readonly #path: string
  #file: FileHandle | undefined
  #work: Promise<unknown> = Promise.resolve()
  #wav: { dataStart: number; headerAt: (size: number) => Uint8Array } | undefined
  /** the header on the disk counts samples */
  #isCounting = false
  #headerTimer: NodeJS.Timeout | undefined
  #isFinished = false
  size = 0

  constructor(options: PathOptions) {
    this.#options = options
    this.#path = resolve(options.path)
  }

  get isSynchronous(): boolean {
    return this.#isFinished
  }

  async open(): Promise<void> {
    const { path, overwrite = false } = this.#options
    try {
      this.#file = await open(this.#path, overwrite ? 'w+' : 'wx+', 0o666)
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      const hint =
        code === 'EEXIST' ? `${path} is there already; to replace it use { overwrite: true }` : message
      throw new WavespoolError('ERR_WAVESPOOL_STORAGE', `cannot record into a file: ${hint}`, { cause })
    }
  }

  append(chunks: readonly Uint8Array[]): void | Promise<void> {
    if (this.#isFinished) {
      for (const chunk of chunks) {
        writeFileAt(this.#path, chunk, this.size)
        this.size += chunk.length
      }
      return
    }
    this.#scheduleHeader()
    return this.#enqueue(async (file) => {
      for (const chunk of await this.#startCounting(file, chunks)) {
        // counted as it arrives: what a full disk took before it refused is part of the recording
        for (let done = 0; done < chunk.length; ) {
          const { bytesWritten } = await file.write(chunk, done, chunk.length - done, this.size)
          done += bytesWritten
          this.size += bytesWritten
        }
      }
    })
  }

  /**
   * A header that says 0 in front of samples is read in two ways: the first samples and the header that counts them
   * go to the disk together, in one write into one page, which no crash divides. Returns what is left to be written.
   */
  async #startCounting(file: FileHandle, chunks: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    const { dataStart = Number.POSITIVE_INFINITY, headerAt } = this.#wav ?? {}
    const { size } = this
    const end = Math.min(
      PAGE,
      chunks.reduce((total, { length }) => total + length, size),
    )
    if (headerAt === undefined || this.#isCounting || end <= dataStart) return chunks
    const samples = Buffer.concat(chunks, end - size).subarray(dataStart - size)
    await writeAll(file, Buffer.concat([headerAt(end), samples]), 0)
    this.#isCounting = true
    this.size = end
    return dropBytes(chunks, end - size)
  }

  write(bytes: Uint8Array, position: number): void | Promise<void> {
    if (this.#isFinished) return writeFileAt(this.#path, bytes, position)
    return this.#enqueue((file) => writeAll(file, bytes, position))
  }

  truncate(size: number): void | Promise<void> {
    if (this.#isFinished) {
      truncateSync(this.#path, size)
      this.size = size
      return
    }
    return this.#enqueue(async (file) => {
      await file.truncate(size)
      this.size = size
    })
  }

  startWav(dataStart: number, headerAt: (size: number) => Uint8Array): void {
    this.#wav = { dataStart, headerAt }
  }

  #scheduleHeader(): void {
    if (this.#wav === undefined && !this.#options.fsync) return
    this.#headerTimer ??= setTimeout(() => {
      this.#headerTimer = undefined
      // A disk that fails says so at the next append, which has somebody to tell.
      this.#writeHeader().catch(() => {})
    }, HEADER_INTERVAL).unref()
  }

  #writeHeader(): Promise<void> {
    return this.#enqueue(async (file) => {
      const { size } = this
      if (this.#options.fsync) await file.datasync() // samples first, then the header that counts them
      if (this.#wav && size >= this.#wav.dataStart) await writeAll(file, this.#wav.headerAt(size), 0)
      if (this.#options.fsync) await file.datasync()
    })
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const file = this.#file
    try {
      if (file) return await fill(file, target, position)
    } catch (error) {
      if (file === this.#file) throw error // else it has been closed meanwhile
    }
    return readParts(this.#parts, target, position)
  }

  readSync(target: Uint8Array, position: number): number {
    if (this.#file === undefined) return readPartsSync(this.#parts, target, position)
    let done = 0
    for (let count = 1; count > 0 && done < target.length; done += count) {
      count = readSync(this.#file.fd, target, done, target.length - done, position + done)
    }
    return done
  }

  /** A finished file need not be read for it; one that still grows would make the Blob unreadable. */
  async blobs(start: number, end: number): Promise<Blob[]> {
    if (this.#isFinished) return blobsOf(this.#parts, start, end)
    const pieces: Blob[] = []
    const piece = new Uint8Array(Math.max(1, Math.min(2 ** 20, end - start)))
    for (let at = start; at < end; ) {
      const count = await this.read(piece.subarray(0, Math.min(piece.length, end - at)), at)
      if (count === 0) break
      pieces.push(new Blob([piece.subarray(0, count)]))
      at += count
    }
    return pieces
  }

  /** Until it is finished somebody else's file could be under its path. */
  get file(): StoredStretch | undefined {
    return this.#isFinished ? fileOf(this.#parts) : undefined
  }

  /** Whoever records into a file need not dispose of anything afterwards: it is closed, and opened when it is read. */
  async finish(): Promise<void> {
    clearTimeout(this.#headerTimer)
    const file = this.#file
    if (file === undefined) return
    await this.#requireInPlace(file)
    try {
      await this.#writeHeader()
    } finally {
      this.#isFinished = true
      this.#file = undefined
      await file.close()
    }
  }

  /** What is no longer under its path stays open, so that it can be read until it is disposed. */
  async #requireInPlace(file: FileHandle): Promise<void> {
    const [opened, found] = await Promise.all([file.stat(), stat(this.#path).catch(() => undefined)])
    if (opened.ino === found?.ino && opened.dev === found.dev) return
    await this.#writeHeader()
    throw new WavespoolError(
      'ERR_WAVESPOOL_STORAGE',
      `${this.#options.path} was removed or replaced while it was recorded; what was written can be read until dispose()`,
    )
  }

  /** The file as one part on a disk. */
  get #parts(): Parts {
    return {
      size: this.size,
      firstBytes: Number.POSITIVE_INFINITY,
      sealed: 1,
      epoch: 0,
      head: nothing,
      memoryOf: () => nothing,
      pathOf: () => this.#path,
    }
  }

  /** Other threads open the file themselves: a descriptor that is closed here may become another file's. */
  share(): SharedStorage {
    return {
      parts: { firstBytes: Number.POSITIVE_INFINITY, path: this.#path },
      layout: () => ({ sealed: 1, epoch: 0, base: 0, headBytes: 0 }),
    }
  }

  async dispose(): Promise<void> {
    clearTimeout(this.#headerTimer)
    await this.#file?.close()
    this.#file = undefined
  }

  #enqueue(work: (file: FileHandle) => Promise<void>): Promise<void> {
    const file = this.#file
    if (file === undefined) return Promise.resolve()
    const done = this.#work.then(() => work(file))
    this.#work = done.catch(() => {})
    return done
  }
}
