import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import streams from 'memory-streams'
import { expect, test } from 'vitest'
import wav from 'wav'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { VirtualFile } from '../../src/sinks/virtualFile.ts'
import { wavHeader } from '../../src/streams/wavHeader.ts'
import { pattern } from '../format/arbitraries.ts'
import { momentOf, recordings } from './headers.ts'
import { finish } from './storageContract.ts'

const format = pcmFormat({ sampleRate: 44_100, channels: 2 })
const pcm = Buffer.from(pattern(44_100))

/** In pieces of an odd length, as a pipe may cut them. */
function inPieces(bytes: Buffer): Readable {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 1237) pieces.push(bytes.subarray(at, at + 1237))
  return Readable.from(pieces)
}

/** The format and the samples that npm wav's Reader finds in a stream. */
async function readByWav(stream: Readable): Promise<{ format: wav.Format; data: Buffer }> {
  const reader = new wav.Reader()
  const found = once(reader, 'format')
  const pieces: Buffer[] = []
  stream.pipe(reader)
  reader.on('data', (piece) => pieces.push(piece))
  const [[read]] = await Promise.all([found, once(reader, 'end')])
  return { format: read, data: Buffer.concat(pieces) }
}

test('npm wav writes into a VirtualFile, and its Reader reads it', async () => {
  const file = new VirtualFile()
  const writer = new wav.Writer({ sampleRate: 44_100, channels: 2, bitDepth: 16 })
  await pipeline(inPieces(pcm), writer, file)
  expect(file).toMatchObject({ size: 44 + pcm.length, format, duration: pcm.length / format.bytesPerSecond })
  const exact = await file.toBuffer()
  expect(exact.readUInt32LE(4)).toBe(36 + pcm.length)
  expect(exact.readUInt32LE(40)).toBe(pcm.length)
  const read = await readByWav(file.createReadStream())
  expect(read.data.equals(pcm)).toBe(true)
  expect(read.format).toMatchObject({ channels: 2, sampleRate: 44_100, bitDepth: 16, audioFormat: 1 })
  await file.dispose()
})

test('a follower is piped into npm wav’s Reader while it records', async () => {
  const file = new VirtualFile()
  const read = readByWav(file.createReadStream({ follow: true }))
  await pipeline(inPieces(pcm), wavHeader(format), file)
  expect((await read).data.equals(pcm)).toBe(true)
  await file.dispose()
})

test('the reader of memory-streams is a source, and its writer takes the file', async () => {
  const recorded = recordings[0]!
  const file = new VirtualFile()
  // by pipe(), and ended by hand: it delivers every byte, but never an 'end'
  new streams.ReadableStream(recorded.bytes as never).pipe(file)
  while (file.size < momentOf(recorded, recorded.bytes.length).length) await turn()
  await finish(file)
  const sink = new streams.WritableStream()
  await pipeline(file.createReadStream(), sink as never)
  expect(sink.toBuffer().equals(momentOf(recorded, recorded.bytes.length))).toBe(true)
  await file.dispose()
})
