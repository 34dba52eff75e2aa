import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Snapshot } from './snapshot.ts'

/** A copy of a recording under a real path, which is the user's to read, rewrite and remove. */
export interface PrivateCopy extends AsyncDisposable {
  readonly path: string
  /** Removes the file and its directory; also what `Symbol.asyncDispose` does. */
  remove(): Promise<void>
}

/** Copied in pieces of this many bytes, so that a long recording does not go through memory whole. */
const PIECE = 2 ** 20

/** Writes a snapshot under its own name into a directory of its own (0700, the file 0600). */
export async function privateCopy(snapshot: Snapshot, name: string): Promise<PrivateCopy> {
  const directory = await mkdtemp(join(tmpdir(), 'wavespool-'))
  const remove = () => rm(directory, { recursive: true, force: true })
  const path = join(directory, name)
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      const piece = Buffer.allocUnsafeSlow(Math.min(PIECE, Math.max(1, snapshot.size)))
      for (let position = 0; position < snapshot.size; ) {
        const count = await snapshot.read(piece, position)
        if (count === 0) break
        await file.writeFile(piece.subarray(0, count))
        position += count
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    await remove()
    throw error
  }
  return { path, remove, [Symbol.asyncDispose]: remove }
}
