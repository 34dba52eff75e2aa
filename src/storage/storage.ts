import type { ExtentMap } from './extents.ts'

/** The methods that change the bytes of a recording. The Recorder calls one at a time. */
interface StorageVerbs {
  /** bytes that can be read now */
  readonly size: number

  /** Adds bytes at the end. After an error `size` tells how much of them arrived, and that much stays readable. */
  append(chunks: readonly Uint8Array[]): void | Promise<void>

  /** Overwrites existing bytes: a header that is put right, or the bytes that a cursor writes. */
  write(bytes: Uint8Array, position: number): void | Promise<void>

  /** Removes the bytes behind `size`. */
  truncate(size: number): void | Promise<void>

  /** Gives everything back. Nothing is asked of a storage afterwards. */
  dispose(): void | Promise<void>

  /** Opens the storage, before any other method is called. If it fails, only `dispose` is called. */
  open?(): void | Promise<void>

  /**
   * Called after every append of a WAV file with the header for that moment, for programs that read the bytes without
   * the VirtualFile. The header is written at the end in any case.
   */
  refreshHeader?(bytes: Uint8Array): void

  /**
   * Called before the bytes of a WAV file arrive: with the place at which its samples begin, and a function that makes
   * the header for a size.
   */
  onWavHeader?(dataStart: number, headerAt: (size: number) => Uint8Array): void

  /** Called once, however the recording ended, with the reason if it failed. Writes pending bytes. */
  finish?(failure?: Error): void | Promise<void>
}

/**
 * Where the bytes of a VirtualFile lie. Bring your own: `size`, `append`, `read`, `write`, `truncate` and `dispose`
 * make one, synchronous or with promises. The VirtualFile calls one of the verbs that change something at a time,
 * checks every position and target before it asks, and turns an error of a verb into `ERR_WAVESPOOL_STORAGE`.
 */
export interface VirtualFileStorage extends StorageVerbs {
  /** Copies from `position`, which lies in front of the end, into the target; returns how many bytes. */
  read(target: Uint8Array, position: number): number | Promise<number>

  /** The same as `read`, at once, where that is possible. */
  readSync?(target: Uint8Array, position: number): number

  /** `append`, `write` and `truncate` are done when they return: a cursor can change the bytes at once. */
  readonly isSynchronous?: boolean
}

/** A storage of Wavespool's own: it says where the bytes lie, and leaves the reading to the one reader. */
export interface BuiltInStorage extends StorageVerbs, ExtentMap {
  /** changes up to this many bytes from the start happen in memory, and are done when they return */
  readonly memoryBytes: number

  /**
   * The first `size` bytes where they lie, with the header that they should have and the pad byte; undefined where they do
   * not lie in memory in one piece.
   */
  view?(size: number, header: Uint8Array): Uint8Array | undefined

  /** Flushes pending bytes to the disk, with this header: called once a second while the recording goes on. */
  checkpoint?(header: Uint8Array | undefined): Promise<void>

  /** Where other threads find the bytes; `onMove` is called whenever some of them have moved. */
  share?(onMove: () => void): SharedStorage
}

/** Where other threads find the bytes of a recording: the constant part. All of it can be posted. */
export interface SharedParts {
  /** bytes of the first part; Infinity where there is but one */
  readonly firstBytes: number
  /** the memory of the first part, unless it was sealed already */
  readonly first?: SharedArrayBuffer | undefined
  /** the memory of the parts behind it, in turn */
  readonly tails?: readonly SharedArrayBuffer[]
  /** the memory of the beginning, once the first part is sealed */
  readonly head?: SharedArrayBuffer
  /** where the sealed parts lie */
  readonly directory?: string
  /** the file that holds all of it, under one name or the other */
  readonly paths?: readonly string[]
}

/** The part that changes. */
export interface PartsLayout {
  /** the parts in front of this one lie on a disk */
  readonly sealed: number
  /** as in `ExtentMap` */
  readonly epoch: number
  /** where in its memory the first part begins */
  readonly base: number
  readonly headBytes: number
  /** of the file under a path, 0 while it is not known: another one may lie there by now */
  readonly device: number
  readonly inode: number
  /** microseconds, 0 where the file system does not know */
  readonly born: number
}

/** For storages without a path. */
export const NO_FILE = { device: 0, inode: 0, born: 0 }

export interface SharedStorage {
  readonly parts: SharedParts
  layout(): PartsLayout
}
