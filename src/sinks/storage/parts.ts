import type { Blob } from 'node:buffer'
import { openAsBlob } from 'node:fs'
import { copyBytes } from './copyBytes.ts'
import { readFileAt, readFileAtSync } from './fileAccess.ts'
import { memoryBlobs } from './memoryBlobs.ts'
import type { StoredStretch } from './storage.ts'

/** Every part but the first has this many bytes: what is collected in memory between two part files. */
export const PART_BYTES = 8 * 2 ** 20

/**
 * Where the bytes of a recording lie: the first parts in files of their own, the others in memory. Whoever reads them
 * in another thread sees them move from one to the other.
 */
export interface Parts {
  /** bytes that can be read now */
  readonly size: number
  /** bytes of the first part */
  readonly firstBytes: number
  /** the parts in front of this one lie on a disk */
  readonly sealed: number
  /** changes with every part that moves: what was read meanwhile may have been something else */
  readonly epoch: number
  /** the beginning, which stays in memory: a header changes, and a part file, once sealed, must not */
  readonly head: Uint8Array
  /** the memory of a part that lies there */
  memoryOf(index: number): Uint8Array
  /** the file of a part that does not */
  pathOf(index: number): string
}

/** Bytes that lie together: in memory, or in a file. */
type Piece =
  | { count: number; bytes: Uint8Array; path?: never }
  | { count: number; path: string; offset: number; bytes?: never }

/** The part that a position falls into, where in it, and how many bytes it has room for from there on. */
export function placeOf(
  { firstBytes }: Pick<Parts, 'firstBytes'>,
  position: number,
): { index: number; offset: number; room: number } {
  if (position < firstBytes) return { index: 0, offset: position, room: firstBytes - position }
  const behind = position - firstBytes
  const offset = behind % PART_BYTES
  return { index: 1 + Math.floor(behind / PART_BYTES), offset, room: PART_BYTES - offset }
}

/** The pieces from `start` to `end` (exclusive), each looked for when it is asked for. */
export function* piecesOf(parts: Parts, start: number, end: number): Generator<Piece> {
  for (let at = start; at < end; ) {
    const piece = pieceAt(parts, at, end)
    yield piece
    at += piece.count
  }
}

function pieceAt(parts: Parts, at: number, end: number): Piece {
  if (at < parts.head.length) {
    const bytes = parts.head.subarray(at, end)
    return { bytes, count: bytes.length }
  }
  const { index, offset, room } = placeOf(parts, at)
  const count = Math.min(room, end - at)
  if (index < parts.sealed) return { path: parts.pathOf(index), offset, count }
  return { bytes: parts.memoryOf(index).subarray(offset, offset + count), count }
}

/** Fills the target from `position` as far as there are bytes; what moves meanwhile is looked for again. */
export async function readParts(parts: Parts, target: Uint8Array, position: number): Promise<number> {
  const end = Math.min(position + target.length, parts.size)
  for (let at = position; at < end; ) {
    const { epoch } = parts
    const piece = pieceAt(parts, at, end)
    const into = target.subarray(at - position, at - position + piece.count)
    try {
      const count = piece.bytes
        ? copyBytes(piece.bytes, into)
        : await readFileAt(piece.path, into, piece.offset)
      if (hasMoved(parts, epoch, piece, at, end)) continue
      if (count === 0) return at - position // a file was cut off by somebody else
      at += count
    } catch (error) {
      if (!hasMoved(parts, epoch, piece, at, end)) throw error
    }
  }
  return Math.max(0, end - position)
}

/** {@link readParts}, at once. */
export function readPartsSync(parts: Parts, target: Uint8Array, position: number): number {
  const end = Math.min(position + target.length, parts.size)
  for (let at = position; at < end; ) {
    const { epoch } = parts
    const piece = pieceAt(parts, at, end)
    const into = target.subarray(at - position, at - position + piece.count)
    try {
      const count = piece.bytes
        ? copyBytes(piece.bytes, into)
        : readFileAtSync(piece.path, into, piece.offset)
      if (hasMoved(parts, epoch, piece, at, end)) continue
      if (count === 0) return at - position
      at += count
    } catch (error) {
      if (!hasMoved(parts, epoch, piece, at, end)) throw error
    }
  }
  return Math.max(0, end - position)
}

/** Memory may be another part's since anything moved; a file that is still the one to read is as it was. */
function hasMoved(parts: Parts, epoch: number, { path }: Piece, at: number, end: number): boolean {
  return parts.epoch !== epoch && (path === undefined || path !== pieceAt(parts, at, end).path)
}

/** The bytes from `start` to `end` (exclusive): one copy of what lies in memory, none of what lies in files. */
export async function blobsOf(parts: Parts, start: number, end: number): Promise<Blob[]> {
  const blobs: (Blob[] | Promise<Blob>)[] = []
  for (let at = start; at < end; ) {
    const { epoch } = parts
    const piece = pieceAt(parts, at, end)
    const made = piece.bytes ? memoryBlobs(piece.bytes) : openStretch(piece.path, piece.offset, piece.count)
    if (piece.bytes && parts.epoch !== epoch) continue
    blobs.push(made)
    at += piece.count
  }
  return (await Promise.all(blobs)).flat()
}

async function openStretch(path: string, offset: number, count: number): Promise<Blob> {
  return (await openAsBlob(path)).slice(offset, offset + count)
}

/** The first file there is. */
export function fileOf(parts: Parts): StoredStretch | undefined {
  if (parts.sealed === 0) return undefined
  return { path: parts.pathOf(0), start: parts.head.length, end: Math.min(parts.size, parts.firstBytes) }
}
