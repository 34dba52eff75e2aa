import type { Blob } from 'node:buffer'
import {
  close,
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsync,
  ftruncate,
  open,
  openAsBlob,
  openSync,
  read,
  readSync,
  write,
} from 'node:fs'
import { promisify } from 'node:util'
import { asBuffer } from './bytes.ts'
import type { ExtentFile } from './extents.ts'

const openAsync = promisify(open)
const writeAsync = promisify(write)
const truncateAsync = promisify(ftruncate)
const datasyncAsync = promisify(fdatasync)
const syncAsync = promisify(fsync)
const closeAsync = promisify(close)

/** `promisify(read)` makes an object for each read, which costs as much as the rest of it. */
const readAsync = (descriptor: number, target: Uint8Array, position: number) =>
  new Promise<number>((resolve, reject) => {
    read(descriptor, target, 0, target.length, position, (error, count) => {
      if (error) reject(error)
      else resolve(count)
    })
  })

/** The last name of a path is never a symbolic link that another user has put there. Windows has no such flag. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0
export const READ = constants.O_RDONLY | NO_FOLLOW
export const READ_WRITE = constants.O_RDWR | NO_FOLLOW
export const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL

/** Tells a file from another one that lies under its path later, with the same inode perhaps. */
export interface FileIdentity {
  readonly device: bigint
  readonly inode: bigint
  /** nanoseconds: when it was made, where the file system knows that, else when it was changed last */
  readonly time: bigint
  readonly isBirthTime: boolean
}

/** A descriptor that is closed when the last read has come back: its number may be another file's a moment later. */
export class OpenFile implements ExtentFile {
  readonly #descriptor: number
  #busy = 0
  #onIdle: (() => void) | undefined

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  static async open(path: string, flags: number, mode = 0o600): Promise<OpenFile> {
    return new OpenFile(await openAsync(path, flags, mode))
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    this.#busy += 1
    try {
      return await readAsync(this.#descriptor, target, position)
    } finally {
      this.#busy -= 1
      if (this.#busy === 0) this.#onIdle?.()
    }
  }

  readSync(target: Uint8Array, position: number): number {
    return readSync(this.#descriptor, target, 0, target.length, position)
  }

  /** Writes all of it, in as many steps as the disk needs; `onWritten` counts the bytes taken before an error. */
  async write(bytes: Uint8Array, position: number, onWritten?: (count: number) => void): Promise<void> {
    const source = asBuffer(bytes)
    for (let done = 0; done < source.length; ) {
      const { bytesWritten } = await writeAsync(
        this.#descriptor,
        source,
        done,
        source.length - done,
        position + done,
      )
      done += bytesWritten
      onWritten?.(bytesWritten)
    }
  }

  truncate(size: number): Promise<void> {
    return truncateAsync(this.#descriptor, size)
  }

  datasync(): Promise<void> {
    return datasyncAsync(this.#descriptor)
  }

  sync(): Promise<void> {
    return syncAsync(this.#descriptor)
  }

  get size(): number {
    return fstatSync(this.#descriptor).size
  }

  get identity(): FileIdentity {
    return identityOf(fstatSync(this.#descriptor, { bigint: true }))
  }

  async close(): Promise<void> {
    if (this.#busy > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    await closeAsync(this.#descriptor)
  }
}

interface BigStats {
  readonly dev: bigint
  readonly ino: bigint
  readonly birthtimeNs: bigint
  readonly ctimeNs: bigint
  readonly mtimeNs: bigint
}

function identityOf({ dev, ino, birthtimeNs, ctimeNs, mtimeNs }: BigStats): FileIdentity {
  // libuv gives the time of the last change where there is no time of birth.
  const isBirthTime = birthtimeNs > 0n && birthtimeNs !== ctimeNs
  return { device: dev, inode: ino, time: isBirthTime ? birthtimeNs : mtimeNs, isBirthTime }
}

export function isSameFile(known: FileIdentity, stats: BigStats): boolean {
  const time = known.isBirthTime ? stats.birthtimeNs : stats.mtimeNs
  return known.device === stats.dev && known.inode === stats.ino && known.time === time
}

/** Opens for reading and closes again: at once that costs a few microseconds, in the pool ten times as many. */
abstract class ReopenedFile implements ExtentFile {
  protected abstract open(): number

  async read(target: Uint8Array, position: number): Promise<number> {
    const descriptor = this.open()
    try {
      return await readAsync(descriptor, target, position)
    } finally {
      closeSync(descriptor)
    }
  }

  readSync(target: Uint8Array, position: number): number {
    const descriptor = this.open()
    try {
      return readSync(descriptor, target, 0, target.length, position)
    } finally {
      closeSync(descriptor)
    }
  }
}

/** A finished file that is opened for each use, and refused where another file lies under its path by now. */
export class ClosedFile extends ReopenedFile {
  readonly path: string
  readonly #identity: FileIdentity

  constructor(path: string, identity: FileIdentity) {
    super()
    this.path = path
    this.#identity = identity
  }

  protected open(flags = READ): number {
    return openChecked(this.path, flags, (stats) => isSameFile(this.#identity, stats))
  }

  /** @throws where another file lies under the path */
  async check(): Promise<void> {
    closeSync(this.open())
  }

  async openBlob(): Promise<Blob> {
    await this.check()
    return openAsBlob(this.path)
  }

  /** To be changed, and closed afterwards. */
  reopen(): OpenFile {
    return new OpenFile(this.open(READ_WRITE))
  }
}

/** A file that another thread writes: under the first of its paths that it has by now. */
export class ForeignFile extends ReopenedFile {
  readonly #paths: readonly string[]
  readonly #identity: () => { device: number; inode: number; born: number }

  constructor(paths: readonly string[], identity: () => { device: number; inode: number; born: number }) {
    super()
    this.#paths = paths
    this.#identity = identity
  }

  protected open(): number {
    const { device, inode, born } = this.#identity()
    const isIt = ({ dev, ino, birthtimeNs }: BigStats) =>
      Number(dev) === device && Number(ino) === inode && (born === 0 || Number(birthtimeNs / 1000n) === born)
    let last: unknown
    for (const path of this.#paths) {
      try {
        return openChecked(path, READ, isIt)
      } catch (error) {
        last ??= error
      }
    }
    throw last
  }
}

function openChecked(path: string, flags: number, isIt: (stats: BigStats) => boolean): number {
  const descriptor = openSync(path, flags)
  try {
    if (isIt(fstatSync(descriptor, { bigint: true }))) return descriptor
    throw new Error('another file lies under its path by now')
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}
