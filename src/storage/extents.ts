import { Blob } from 'node:buffer'
import { WavespoolError } from '../errors.ts'
import { copyBytes } from './bytes.ts'

/** A file that bytes of a recording lie in. A read may bring less than the target holds, 0 bytes at the end. */
export interface ExtentFile {
  read(target: Uint8Array, position: number): number | Promise<number>
  readSync?(target: Uint8Array, position: number): number
  /** A Blob that refers to the file. Only a file that no longer changes has one: Node cannot read it otherwise. */
  openBlob?(): Promise<Blob>
}

/** Bytes that lie together: in memory, or in a file from `offset` on. */
export type Extent = MemoryExtent | FileExtent

export interface MemoryExtent {
  readonly length: number
  readonly bytes: Uint8Array
  readonly file?: undefined
  readonly offset?: undefined
}

interface FileExtent {
  readonly length: number
  readonly bytes?: undefined
  readonly file: ExtentFile
  readonly offset: number
}

/** A file whose bytes from `start` to `end` (exclusive) are those of the recording at the same positions. */
export interface CloneSource {
  readonly path: string
  readonly start: number
  readonly end: number
  /** rejects where another file lies under the path by now */
  check(): Promise<void>
}

/** Tells where each byte of a recording lies. */
export interface ExtentMap {
  /** bytes that can be read now */
  readonly size: number
  /** Changes with every extent that moves: bytes read meanwhile may be wrong. */
  readonly epoch: number
  /** The bytes at `position`, up to `end` (exclusive) at most. */
  extentAt(position: number, end: number): Extent
  /** A file that a copy can be made from without reading it, where the file system shares blocks. */
  readonly cloneSource?: CloneSource | undefined
}

/** Fills the target with the bytes from `position` on, all of which must be there. Returns nothing if all lay in memory. */
export function readExtents(map: ExtentMap, target: Uint8Array, position: number): void | Promise<void> {
  const steps = copySteps(map, target, position)
  const step = steps.next()
  if (!step.done) return readFiles(steps, step)
}

async function readFiles(steps: CopySteps, first: IteratorResult<FileRead, void>): Promise<void> {
  let step = first
  while (!step.done) {
    const { file, into, offset } = step.value
    let count: number
    try {
      count = await file.read(into, offset)
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(count)
  }
}

/** {@link readExtents}, at once. */
export function readExtentsSync(map: ExtentMap, target: Uint8Array, position: number): void {
  if (readsInOne(map, target, position)) return
  const steps = copySteps(map, target, position)
  let step = steps.next()
  while (!step.done) {
    const { file, into, offset } = step.value
    let count: number
    try {
      count = file.readSync!(into, offset)
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(count)
  }
}

/** Nearly every read lies in one file as a whole. A read that fails or comes back short is repeated step by step. */
function readsInOne(map: ExtentMap, target: Uint8Array, position: number): boolean {
  const end = position + target.length
  if (target.length === 0 || end > map.size) return false
  try {
    const { file, length, offset = 0 } = map.extentAt(position, end)
    return length === target.length && file?.readSync?.(target, offset) === length
  } catch {
    return false
  }
}

interface FileRead {
  readonly file: ExtentFile
  readonly into: Uint8Array
  readonly offset: number
}

type CopySteps = Generator<FileRead, void, number>

/** Copies extents in memory and yields those to read from files. An extent that moves is looked up again. */
function* copySteps(map: ExtentMap, target: Uint8Array, position: number): CopySteps {
  const end = position + target.length
  for (let at = position; at < end; ) {
    if (end > map.size) throw shortRead(at, end)
    const { epoch } = map
    const extent = map.extentAt(at, end)
    const into = target.subarray(at - position, at - position + extent.length)
    const { file } = extent
    let count: number
    try {
      count = file ? yield { file, into, offset: extent.offset } : copyBytes(extent.bytes, into)
    } catch (error) {
      if (hasMoved(map, epoch, file, at, end)) continue
      throw error
    }
    if (hasMoved(map, epoch, file, at, end)) continue
    if (count === 0) throw shortRead(at, end)
    // The count of a custom storage is checked: the target would expose its previous content.
    if (!Number.isInteger(count) || count < 0 || count > into.length) {
      throw new Error(`read() returned ${count} for a target of ${into.length} bytes`)
    }
    at += count
  }
}

/** Memory may be another part's once anything moved; a file that is still the one to read is as it was. */
function hasMoved(
  map: ExtentMap,
  epoch: number,
  file: ExtentFile | undefined,
  at: number,
  end: number,
): boolean {
  return map.epoch !== epoch && (file === undefined || file !== map.extentAt(at, end).file)
}

function shortRead(at: number, end: number): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_STORAGE',
    `the bytes from ${at} to ${end} are no longer there: something else has cut them off`,
  )
}

/** The bytes from `start` to `end` (exclusive): those in memory are copied once, those in sealed files not at all. */
export async function extentBlobs(map: ExtentMap, start: number, end: number): Promise<Blob[]> {
  const blobs: (Blob[] | Promise<Blob[]>)[] = []
  for (let at = start; at < end; ) {
    if (end > map.size) throw shortRead(at, end)
    const { epoch } = map
    const extent = map.extentAt(at, end)
    if (extent.length === 0) throw shortRead(at, end)
    const made = extent.file ? fileBlobs(map, extent, at) : memoryBlobs(extent.bytes)
    if (extent.bytes && map.epoch !== epoch) continue
    blobs.push(made)
    at += extent.length
  }
  return (await Promise.all(blobs)).flat()
}

const PIECE = 4 * 2 ** 20

async function fileBlobs(
  map: ExtentMap,
  { file, offset, length }: FileExtent,
  position: number,
): Promise<Blob[]> {
  if (file.openBlob) {
    const blob = await file.openBlob()
    if (blob.size < offset + length) throw shortRead(position, position + length)
    return [blob.slice(offset, offset + length)]
  }
  const blobs: Blob[] = []
  const piece = new Uint8Array(Math.min(PIECE, length))
  for (let done = 0; done < length; done += piece.length) {
    const part = piece.subarray(0, length - done)
    await readExtents(map, part, position + done)
    blobs.push(new Blob([part]))
  }
  return blobs
}

/**
 * One copy of bytes in shared memory, which is the Blobs' own. Of shared memory a Blob would make two at a time: it
 * gets piece after piece by way of memory that is not shared.
 */
function memoryBlobs(bytes: Uint8Array): Blob[] {
  const piece = new Uint8Array(Math.min(PIECE, bytes.length))
  const blobs: Blob[] = []
  for (let at = 0; at < bytes.length; at += PIECE) {
    blobs.push(new Blob([piece.subarray(0, copyBytes(bytes.subarray(at, at + PIECE), piece))]))
  }
  return blobs
}
