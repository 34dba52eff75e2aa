import { closeSync, openSync, read, readSync, writeSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'

const readDescriptor = promisify(read)

/** To open a file at once costs a few microseconds, to wait for it in the pool and for its closing ten times as many. */
export async function readFileAt(path: string, target: Uint8Array, position: number): Promise<number> {
  const file = openSync(path, 'r')
  try {
    return (await readDescriptor(file, target, 0, target.length, position)).bytesRead
  } finally {
    closeSync(file)
  }
}

export function readFileAtSync(path: string, target: Uint8Array, position: number): number {
  const file = openSync(path, 'r')
  try {
    return readSync(file, target, 0, target.length, position)
  } finally {
    closeSync(file)
  }
}

export function writeFileAt(path: string, bytes: Uint8Array, position: number): void {
  const file = openSync(path, 'r+')
  try {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(file, bytes, done, bytes.length - done, position + done)
    }
  } finally {
    closeSync(file)
  }
}

/** Writes all of it, however little the disk takes at a time. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
  }
}

/** Fills the target from a position as far as there are bytes; returns how many. */
export async function fill(file: FileHandle, target: Uint8Array, position: number): Promise<number> {
  let done = 0
  while (done < target.length) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}
