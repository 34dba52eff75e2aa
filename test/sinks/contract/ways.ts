import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import type { ReadableFile } from '../../../src/index.ts'

/** Every way to read a whole file, and the bytes that it gives; the samples alone where it gives samples. */
export const ways: Record<string, (file: ReadableFile) => Promise<Uint8Array>> = {
  async 'read()'(file) {
    const target = Buffer.alloc(file.size)
    return target.subarray(0, await file.read(target, 0))
  },
  async 'readSync()'(file) {
    const target = Buffer.alloc(file.size)
    return target.subarray(0, file.readSync(target, 0))
  },
  'cursor().read()': (file) => file.cursor().read(),
  'cursor().readSync()': async (file) => file.cursor().readSync(),
  async 'cursor().readInto()'(file) {
    const target = Buffer.alloc(file.size)
    return target.subarray(0, await file.cursor().readInto(target))
  },
  async 'a cursor that is iterated over'(file) {
    const pieces: Uint8Array[] = []
    for await (const piece of file.cursor()) pieces.push(piece)
    return Buffer.concat(pieces)
  },
  'toBuffer()': (file) => file.toBuffer(),
  'toFile()': async (file) => new Uint8Array(await (await file.toFile()).arrayBuffer()),
  'toInt16()': async (file) => new Uint8Array((await file.toInt16()).buffer),
  'toFloat32()': async (file) => new Uint8Array((await file.toFloat32()).buffer),
  'withPath()': (file) => file.withPath((path) => readFile(path)),
  'createReadStream()': (file) => buffer(file.createReadStream()),
  'createReadStream({ follow })': (file) => buffer(file.createReadStream({ follow: true })),
  'stream()': async (file) => Buffer.concat(await arrayFrom(file.stream())),
  'stream({ follow })': async (file) => Buffer.concat(await arrayFrom(file.stream({ follow: true }))),
  'toResponse()': async (file) => new Uint8Array(await (await file.toResponse()).arrayBuffer()),
}

async function arrayFrom(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return pieces
}
