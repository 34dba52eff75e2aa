import { constants } from 'node:fs'
import { access, chmod, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { WavespoolError } from '../errors.ts'
import { dropBytes } from './chunkList.ts'
import type { CloneSource, Extent } from './extents.ts'
import { ClosedFile, CREATE, isSameFile, OpenFile } from './openFile.ts'
import { type BuiltInStorage, NO_FILE, type SharedStorage } from './storage.ts'

/** The options of `storage`, for a recording in a named file. */
export interface PathOptions {
  /** of the file, in a folder that exists */
  path: string
  /** replace a file that is there, once audio has come (default false: that is an error) */
  overwrite?: boolean
  /**
   * have the disk confirm the audio, then the header, then the directory, so that it survives a loss of power (default
   * false)
   */
  fsync?: boolean
  /**
   * the permissions of a new file, from which the umask takes some (default 0o666); one that is replaced keeps its own
   */
  mode?: number
}

/** bytes that a file system writes at once */
const PAGE = 4096

/**
 * A named file on a disk which is a valid WAV at every moment, also when the process is killed: its header never
 * counts more than is there, and is put right at least once a second. Nothing but the opening of a file waits for the
 * disk on the event loop. A file that is replaced stays until audio has come; a change of the file by another program
 * is an error.
 */
export class PathStorage implements BuiltInStorage {
  readonly memoryBytes = 0
  readonly epoch = 0
  size = 0
  readonly #options: PathOptions
  /** absolute: the working directory may change */
  readonly #path: string
  #open: OpenFile | undefined
  /** once it is finished */
  #closed: ClosedFile | undefined
  /** where it is written until audio has come if it takes the place of a file that is there */
  readonly #temporaryPath: string
  #isTemporary = false
  #shared = NO_FILE
  #isInDirectory = false
  #wav: { dataStart: number; headerAt: (size: number) => Uint8Array } | undefined
  /** the header on the disk counts samples */
  #isCounting = false

  constructor(options: PathOptions) {
    this.#options = options
    this.#path = resolve(options.path)
    this.#temporaryPath = join(dirname(this.#path), `.wavespool-${crypto.randomUUID()}.part`)
  }

  async open(): Promise<void> {
    const { path, overwrite = false, mode = 0o666 } = this.#options
    try {
      this.#open = await OpenFile.open(this.#path, CREATE, mode)
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      let hint = message
      if (code === 'EEXIST') {
        if (overwrite) return this.#openTemporary()
        hint = `${path} is there already; to replace it use { overwrite: true }`
      }
      throw cannotRecord(hint, cause)
    }
  }

  async #openTemporary(): Promise<void> {
    const { path, mode = 0o666 } = this.#options
    try {
      const existing = await stat(this.#path).catch(() => undefined)
      if (existing && !existing.isFile()) throw new Error(`${path} is not a regular file`)
      if (existing) await access(this.#path, constants.W_OK)
      this.#open = await OpenFile.open(this.#temporaryPath, CREATE, existing ? 0o600 : mode)
      if (existing) await chmod(this.#temporaryPath, existing.mode & 0o777)
    } catch (cause) {
      throw cannotRecord((cause as Error).message, cause)
    }
    this.#isTemporary = true
  }

  append(chunks: readonly Uint8Array[]): Promise<void> {
    return this.#change(async (file) => {
      for (const chunk of await this.#startCounting(file, chunks)) {
        // counted as it arrives: the bytes that a full disk took before it refused are part of the recording
        await file.write(chunk, this.size, (count) => {
          this.size += count
        })
      }
      if (this.size > (this.#wav?.dataStart ?? 0)) await this.#takePlace()
    })
  }

  /**
   * A header that says 0 in front of samples is read in two ways: the first samples and the header that counts them
   * go to the disk together, in one write into one page, which no crash divides. Returns the chunks left to be written.
   */
  async #startCounting(file: OpenFile, chunks: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    const { dataStart = Number.POSITIVE_INFINITY, headerAt } = this.#wav ?? {}
    const { size } = this
    const end = Math.min(
      PAGE,
      chunks.reduce((total, { length }) => total + length, size),
    )
    if (headerAt === undefined || this.#isCounting || end <= dataStart) return chunks
    const samples = Buffer.concat(chunks, end - size).subarray(Math.max(0, dataStart - size))
    let written = 0
    await file.write(Buffer.concat([headerAt(end), samples]), 0, (count) => {
      written += count
      this.size = Math.max(this.size, written)
    })
    this.#isCounting = true
    return dropBytes(chunks, end - size)
  }

  /** Audio has come: the file takes the place of the one that it replaces. */
  async #takePlace(): Promise<void> {
    if (!this.#isTemporary) return
    await rename(this.#temporaryPath, this.#path)
    this.#isTemporary = false
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#change((file) => this.#overwrite(file, bytes, position))
  }

  /** A header never counts bytes that the disk has not confirmed yet. */
  async #overwrite(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
    const { fsync = false } = this.#options
    if (fsync) await file.datasync()
    await file.write(bytes, position)
    if (!fsync) return
    await file.datasync()
    await this.#syncDirectory()
  }

  truncate(size: number): Promise<void> {
    return this.#change(async (file) => {
      await file.truncate(size)
      this.size = size
    })
  }

  onWavHeader(dataStart: number, headerAt: (size: number) => Uint8Array): void {
    this.#wav = { dataStart, headerAt }
  }

  async checkpoint(header: Uint8Array | undefined): Promise<void> {
    if (header !== undefined) await this.write(header, 0)
    else if (this.#options.fsync) await this.#open?.datasync()
  }

  /** The name of a new file is on the disk when its directory is. Windows cannot open one, and needs no such thing. */
  async #syncDirectory(): Promise<void> {
    if (this.#isInDirectory || this.#isTemporary || process.platform === 'win32') return
    const directory = await OpenFile.open(dirname(this.#path), constants.O_RDONLY)
    try {
      await directory.sync()
      this.#isInDirectory = true
    } finally {
      await directory.close()
    }
  }

  /** Changes the open file, or opens a finished one for it; it must be as it was left. */
  async #change(change: (file: OpenFile) => Promise<void>): Promise<void> {
    const file = this.#open ?? this.#closed!.reopen()
    try {
      this.#requireUnchanged(file)
      await change(file)
    } finally {
      if (file !== this.#open) {
        this.#closed = new ClosedFile(this.#path, file.identity)
        await file.close()
      }
    }
  }

  #requireUnchanged({ size }: OpenFile): void {
    if (size === this.size) return
    throw changedError(`${this.#options.path} has ${size} bytes instead of ${this.size}`)
  }

  /** The file is an extent, open or not. A file that still grows has no Blob: it would become unreadable. */
  extentAt(position: number, end: number): Extent {
    return { file: (this.#open ?? this.#closed)!, offset: position, length: end - position }
  }

  get cloneSource(): CloneSource | undefined {
    const closed = this.#closed
    if (closed === undefined) return undefined
    return { path: this.#path, start: 0, end: this.size, check: () => closed.check() }
  }

  /**
   * The file is closed, and opened when it is read: a recording that is never disposed of keeps no descriptor. A file
   * that is no longer under its path stays open, so that it can be read until it is disposed.
   */
  async finish(failure?: Error): Promise<void> {
    const file = this.#open!
    this.#requireUnchanged(file)
    this.#wav = undefined // from now on the bytes are the user's
    if (this.#isTemporary) {
      if (failure === undefined) await this.#takePlace()
      else {
        await rm(this.#temporaryPath, { force: true }) // no audio has come: the file that is there stays
        this.#isTemporary = false // this one never gets its name
        return
      }
    }
    if (this.#options.fsync) {
      await file.datasync()
      await this.#syncDirectory()
    }
    const found = await stat(this.#path, { bigint: true }).catch(() => undefined)
    const { identity } = file
    if (found === undefined || !isSameFile(identity, found)) {
      throw changedError(`${this.#options.path} was removed or replaced`)
    }
    this.#sharedIdentity()
    this.#closed = new ClosedFile(this.#path, identity)
    this.#open = undefined
    await file.close()
  }

  /** Other threads open the file themselves: a descriptor that is closed here may become another file's. */
  share(): SharedStorage {
    return {
      parts: { firstBytes: Number.POSITIVE_INFINITY, paths: [this.#path, this.#temporaryPath] },
      layout: () => ({ sealed: 1, epoch: 0, base: 0, headBytes: 0, ...this.#sharedIdentity() }),
    }
  }

  /** Looked up until it is whole: a file system does not know at once when a file was made. */
  #sharedIdentity(): { device: number; inode: number; born: number } {
    const shared = this.#shared
    if (shared.born > 0 || this.#open === undefined) return shared
    const { device, inode, time, isBirthTime } = this.#open.identity
    this.#shared = {
      device: Number(device),
      inode: Number(inode),
      born: isBirthTime ? Number(time / 1000n) : 0,
    }
    return this.#shared
  }

  async dispose(): Promise<void> {
    const file = this.#open
    this.#open = undefined
    if (this.#isTemporary) await rm(this.#temporaryPath, { force: true })
    await file?.close()
  }
}

function cannotRecord(reason: string, cause: unknown): WavespoolError {
  return new WavespoolError('ERR_WAVESPOOL_STORAGE', `cannot record into a file: ${reason}`, { cause })
}

function changedError(name: string): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_STORAGE',
    `${name}: another program changed it while it was recorded; the bytes written can be read until dispose()`,
  )
}
