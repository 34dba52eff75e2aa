import { constants } from 'node:fs'
import { chmod, copyFile, type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { WavespoolError } from '../../errors.ts'
import { makeDirectory, nameDirectory, removeDirectory } from '../../storage/ownDirectory.ts'
import type { Snapshot } from '../recording/snapshot.ts'

/** A copy of a recording under a real path, which is the user's to read, rewrite and remove. */
export interface PrivateCopy extends AsyncDisposable {
  /** of the copy, absolute */
  readonly path: string
  /** Removes the file and its directory; also what `Symbol.asyncDispose` does. */
  remove(): Promise<void>
}

/** Copied in pieces of this many bytes, so that a long recording does not go through memory whole. */
const PIECE = 2 ** 20

/**
 * Writes a snapshot under its own name into a directory of its own (0700, the file 0600). Bytes that lie in a file
 * already are cloned where the file system can share blocks, else copied; the copy is never the same file.
 */
export async function privateCopy(snapshot: Snapshot, name: string): Promise<PrivateCopy> {
  try {
    const directory = nameDirectory('copy')
    await makeDirectory(directory)
    const remove = () => removeDirectory(directory)
    const path = join(directory, name)
    try {
      await copy(snapshot, path)
    } catch (error) {
      await remove()
      throw error
    }
    return { path, remove, [Symbol.asyncDispose]: remove }
  } catch (error) {
    if (error instanceof WavespoolError || !(error instanceof Error)) throw error
    throw new WavespoolError('ERR_WAVESPOOL_STORAGE', `${name} cannot be copied: ${error.message}`, {
      cause: error,
    })
  }
}

async function copy(snapshot: Snapshot, path: string): Promise<void> {
  const { cloneSource } = snapshot
  if (cloneSource) {
    await cloneSource.check()
    await copyFile(cloneSource.path, path, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
    await chmod(path, 0o600) // a copy has the rights of its model
  }
  const { start, end } = cloneSource ?? { start: 0, end: 0 }
  const file = await open(path, cloneSource ? 'r+' : 'wx', 0o600)
  try {
    if (cloneSource && (await file.stat()).size < end) throw new Error('its end is missing')
    await file.truncate(end)
    await write(snapshot, file, 0, Math.min(start, end))
    await write(snapshot, file, end, snapshot.size)
  } finally {
    await file.close()
  }
}

async function write(snapshot: Snapshot, file: FileHandle, start: number, end: number): Promise<void> {
  const piece = Buffer.allocUnsafeSlow(Math.min(PIECE, Math.max(1, end - start)))
  for (let at = start; at < end; ) {
    const part = piece.subarray(0, end - at)
    await snapshot.read(part, at)
    for (let done = 0; done < part.length; ) {
      done += (await file.write(part, done, part.length - done, at + done)).bytesWritten
    }
    at += part.length
  }
}
