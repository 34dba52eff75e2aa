import type { Blob } from 'node:buffer'
import type { SharedStorage } from './sharedParts.ts'

/** A file on a disk whose bytes from `start` to `end` (exclusive) are those of the recording. */
export interface StoredStretch {
  readonly path: string
  readonly start: number
  readonly end: number
}

/** Bytes that can be read at any position. */
export interface ReadableStorage {
  /** bytes that can be read now */
  readonly size: number

  /** Copies from `position`, which lies in front of the end, into the target; returns how many bytes. */
  read(target: Uint8Array, position: number): number | Promise<number>

  /** The same as `read`, at once, where that is possible. */
  readSync?(target: Uint8Array, position: number): number

  /** All bytes lie in memory now, in one piece, and {@link view} shows them. */
  readonly inMemory?: boolean

  /** All `size` bytes where they lie, without a copy. */
  view?(): Uint8Array

  /** The bytes from `start` to `end` (exclusive) as Blobs that need not be read now. */
  blobs?(start: number, end: number): Promise<Blob[]>

  /** A file that a copy can be made from without reading it, where the file system shares blocks. */
  readonly file?: StoredStretch | undefined
}

/**
 * Where the bytes of a VirtualFile lie. Bring your own: `size`, `append`, `read`, `write`, `truncate` and `dispose`
 * make one, synchronous or with promises. The VirtualFile calls one of the changing verbs at a time, never touches
 * bytes that it was not asked to, and checks every position and target before it asks.
 */
export interface VirtualFileStorage extends ReadableStorage {
  /** Adds bytes at the end. After an error `size` tells how much of them arrived, and that much stays readable. */
  append(chunks: readonly Uint8Array[]): void | Promise<void>

  /** Overwrites bytes that are there already: a header that is put right, or what a cursor writes. */
  write(bytes: Uint8Array, position: number): void | Promise<void>

  /** Cuts off what lies behind `size`. */
  truncate(size: number): void | Promise<void>

  /** Once finished, `append`, `write` and `truncate` are done when they return: cursors can change it at once. */
  readonly isSynchronous?: boolean

  /** Gives everything back. Nothing is asked of a storage afterwards. */
  dispose(): void | Promise<void>

  /** Opens what must be opened, before anything else is asked. */
  open?(): Promise<void>

  /**
   * Told after every append of a WAV file what its first bytes should be at that moment, for those who look at the
   * bytes without asking the VirtualFile, which itself knows. They are written at the end in any case.
   */
  header?(bytes: Uint8Array): void

  /**
   * Told once, when a WAV header has been recognised and before it is stored: where the samples will begin, and what
   * the bytes in front of them should be when the file has a size.
   */
  startWav?(dataStart: number, headerAt: (size: number) => Uint8Array): void

  /** Called once, however the recording ended: what is still on its way to a disk should get there. */
  finish?(): void | Promise<void>

  /**
   * Where other threads find the bytes; `onMove` is called whenever some of them have moved.
   *
   * @internal
   */
  share?(onMove: () => void): SharedStorage
}
