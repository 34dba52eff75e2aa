import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { MemoryStorage } from './memoryStorage.ts'

/** A stretch of the file, in memory or, once it is sealed, in a file of its own. */
export interface Part {
  readonly start: number
  readonly capacity: number
  length: number
  memory: MemoryStorage | undefined
  path: string | undefined
}

/** Where in which part a position lies, and how many bytes of what is asked for it holds. */
export interface Place {
  part: Part
  offset: number
  count: number
}

export function makePart(start: number, capacity: number, memory = new MemoryStorage(capacity)): Part {
  memory.truncate(0)
  return { start, capacity, length: 0, memory, path: undefined }
}

/** Node's file functions take shared memory in a Buffer only. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

export function overwritePart(part: Part, bytes: Uint8Array, position: number): void {
  const file = openSync(part.path!, 'r+')
  try {
    writeSync(file, bytes, 0, bytes.length, position)
  } finally {
    closeSync(file)
  }
}

/** The part that holds a position, and how much of what is asked for it holds. */
export function locate(parts: readonly Part[], length: number, position: number): Place {
  let low = 0
  let high = parts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (parts[middle]!.start <= position) low = middle
    else high = middle - 1
  }
  const part = parts[low]!
  const offset = position - part.start
  return { part, offset, count: Math.min(length, part.length - offset) }
}

/** Reads from a sealed part. */
export async function readPart({ part, offset, count }: Place, target: Uint8Array): Promise<number> {
  const file = await open(part.path!, 'r')
  try {
    return (await file.read(target, 0, count, offset)).bytesRead
  } finally {
    await file.close()
  }
}

export function readPartSync({ part, offset, count }: Place, target: Uint8Array): number {
  const file = openSync(part.path!, 'r')
  try {
    return readSync(file, target, 0, count, offset)
  } finally {
    closeSync(file)
  }
}
