import type { Readable } from 'node:stream'
import { type Container, fileKind, MARK_BYTES } from '../format/containers.ts'
import { id3Bytes } from '../format/id3.ts'

/** The audio behind a tag with a larger picture is not recognised. */
const MAX_BYTES = 2 ** 25

/**
 * The start of a stream, long enough to tell its kind; the stream still delivers the rest.
 *
 * @returns a promise, rejected with the error of the stream
 */
export async function firstBytes(stream: Readable): Promise<Uint8Array> {
  const pieces: Buffer[] = []
  let length = 0
  let wanted = MARK_BYTES
  return new Promise((resolve, reject) => {
    const settle = () => {
      stream.off('data', onData).off('end', settle).off('error', reject).pause()
      resolve(Buffer.concat(pieces))
    }
    const onData = (bytes: Buffer) => {
      pieces.push(bytes)
      length += bytes.length
      if (wanted === MARK_BYTES && length >= MARK_BYTES) {
        wanted = Math.min(MAX_BYTES, MARK_BYTES + (id3Bytes(Buffer.concat(pieces)) ?? 0))
      }
      if (length >= wanted) settle()
    }
    stream.on('data', onData).once('end', settle).once('error', reject)
  })
}

/** Returns the container of a compressed file by its first bytes, ID3 tag included; undefined for any other file. */
export function compressedContainer(head: Uint8Array): Exclude<Container, 'wav'> | undefined {
  const { container } = fileKind(head.subarray(id3Bytes(head) ?? 0)) ?? fileKind(head) ?? {}
  return container === 'wav' ? undefined : container
}
