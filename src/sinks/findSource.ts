import { Blob } from 'node:buffer'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { fileURLToPath } from 'node:url'
import { portableName } from '../arguments.ts'
import { ArgumentTypeError, show } from '../errors.ts'
import { asBuffer } from '../storage/bytes.ts'

/** A source of a VirtualFile: the path of a file, bytes, a Blob or File, a stream of bytes. */
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

/** A source that is not open yet, with the name and the media type that it has. */
interface UnopenedSource {
  readonly name?: string | undefined
  readonly type?: string | undefined
  /** rejects with what the source fails with at once, such as ENOENT */
  open(): Promise<NodeJS.ReadableStream>
}

/** @throws {ArgumentTypeError} for what has no bytes */
export function findSource(source: VirtualFileSource): UnopenedSource {
  if (typeof source === 'string' || source instanceof URL) {
    const path = source instanceof URL ? pathOfUrl(source) : source
    return { name: portableName(basename(path)), open: () => openPath(path) }
  }
  if (source instanceof Blob) {
    const { name } = source as Blob & { name?: string }
    return {
      name: name && portableName(basename(name)),
      type: source.type,
      open: async () => Readable.fromWeb(source.stream()),
    }
  }
  if (ArrayBuffer.isView(source)) return { open: async () => whole(asBuffer(source)) }
  if (source instanceof ArrayBuffer || source instanceof SharedArrayBuffer) {
    return { open: async () => whole(Buffer.from(source)) }
  }
  if (source instanceof Readable && !source.readableObjectMode) return { open: async () => source }
  if (typeof source === 'object' && source !== null) {
    if (Symbol.asyncIterator in source) {
      const chunks = bytesOnly(source as AsyncIterable<unknown>)
      return { open: async () => Readable.from(chunks, { objectMode: false }) }
    }
    // A stream from before Node 10, or of readable-stream 1 or 2, has no iterator.
    const { on, pause, resume } = source as NodeJS.ReadableStream
    if ([on, pause, resume].every((method) => typeof method === 'function')) {
      return { open: async () => new Readable().wrap(source as NodeJS.ReadableStream) }
    }
  }
  throw new ArgumentTypeError(
    `VirtualFile.from() takes the path of a file, bytes, a Blob or a stream, got ${show(source)}`,
  )
}

function pathOfUrl(url: URL): string {
  if (url.protocol === 'file:') return fileURLToPath(url)
  throw new ArgumentTypeError(
    `VirtualFile.from() takes the URL of a file, got ${show(url.href)}; of what lies on a server it takes (await fetch(url)).body`,
  )
}

/** Rejects values that are no bytes here: the stream would throw where no caller can catch it. */
async function* bytesOnly(source: AsyncIterable<unknown>): AsyncGenerator<Uint8Array | string> {
  for await (const chunk of source) {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) {
      throw new ArgumentTypeError(`VirtualFile.from() takes a stream of bytes, got ${show(chunk)} in it`)
    }
    yield chunk
  }
}

async function openPath(path: string): Promise<Readable> {
  const stream = createReadStream(path)
  await once(stream, 'open')
  return stream
}

function whole(bytes: Buffer): Readable {
  return Readable.from(bytes.length > 0 ? [bytes] : [], { objectMode: false })
}
