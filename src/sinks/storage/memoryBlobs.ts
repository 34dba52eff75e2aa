import { Blob } from 'node:buffer'
import { copyBytes } from './copyBytes.ts'

const PIECE = 4 * 2 ** 20

/**
 * One copy of bytes in shared memory, which is the Blobs' own. Of shared memory a Blob would make two at a time: so it
 * gets piece after piece by way of memory that is not shared.
 */
export function memoryBlobs(bytes: Uint8Array): Blob[] {
  const piece = new Uint8Array(Math.min(PIECE, bytes.length))
  const blobs: Blob[] = []
  for (let at = 0; at < bytes.length; at += PIECE) {
    blobs.push(new Blob([piece.subarray(0, copyBytes(bytes.subarray(at, at + PIECE), piece))]))
  }
  return blobs
}
