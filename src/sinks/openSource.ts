import { Blob } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { ArgumentTypeError, show } from '../errors.ts'
import { asBuffer } from './asBuffer.ts'

/** What a VirtualFile can be made from: the path of a file, bytes, a Blob or File, a stream of bytes. */
export type VirtualFileSource =
  | string
  | URL
  | NodeJS.ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | Blob
  | NodeJS.ReadableStream
  | ReadableStream
  | AsyncIterable<Uint8Array>

/** The bytes as a stream, with the name and the media type that the source has. */
export function openSource(source: VirtualFileSource): {
  stream: NodeJS.ReadableStream
  name?: string | undefined
  type?: string | undefined
} {
  if (typeof source === 'string' || source instanceof URL) {
    return {
      stream: createReadStream(source),
      name: basename(source instanceof URL ? source.pathname : source),
    }
  }
  if (source instanceof Blob) {
    const { name } = source as Blob & { name?: string }
    return { stream: Readable.fromWeb(source.stream()), name: name && basename(name), type: source.type }
  }
  if (ArrayBuffer.isView(source)) return { stream: whole(asBuffer(source)) }
  if (source instanceof ArrayBuffer || source instanceof SharedArrayBuffer)
    return { stream: whole(Buffer.from(source)) }
  if (source instanceof Readable) return { stream: source }
  if (typeof source === 'object' && source !== null && Symbol.asyncIterator in source) {
    return { stream: Readable.from(source as AsyncIterable<Uint8Array>, { objectMode: false }) }
  }
  throw new ArgumentTypeError(
    `VirtualFile.from() takes the path of a file, bytes, a Blob or a stream, got ${show(source)}`,
  )
}

function whole(bytes: Buffer): Readable {
  return Readable.from(bytes.length > 0 ? [bytes] : [], { objectMode: false })
}
