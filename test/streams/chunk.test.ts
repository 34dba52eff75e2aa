import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { VirtualFile } from '../../src/sinks/virtualFile.ts'
import { chunk } from '../../src/streams/chunk.ts'
import { limit } from '../../src/streams/limit.ts'
import { wavHeader } from '../../src/streams/wavHeader.ts'
import { chunkings, pattern } from '../format/arbitraries.ts'

const format = pcmFormat({ channels: 2 })
const ARG_TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const ARG_RANGE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' })
const PARTIAL = expect.objectContaining({ code: 'ERR_WAVESPOOL_PARTIAL_FRAME' })

test('for await gets exactly one window an iteration', async () => {
  const bytes = pattern(4000)
  const setting = fc.record({ chunks: chunkings(bytes), window: fc.integer({ min: 1, max: 90 }) })
  await fc.assert(
    fc.asyncProperty(setting, fc.nat(3), async ({ chunks, window }, pause) => {
      let at = 0
      for await (const piece of Readable.from(chunks).pipe(chunk(format, { frames: window }))) {
        expect(piece.equals(bytes.subarray(at, at + window * 4))).toBe(true)
        at += piece.length
        for (let i = 0; i < pause; i++) await new Promise(setImmediate)
      }
      expect(at).toBe(bytes.length)
    }),
    { numRuns: 25 },
  )
})

test('overlapping windows to "data"', async () => {
  const stream = Readable.from([pattern(400)]).pipe(chunk(format, { frames: 40 }, { hop: { frames: 10 } }))
  const windows: Buffer[] = []
  stream.on('data', (piece) => windows.push(piece))
  await new Promise((resolve) => stream.on('end', resolve))
  expect(windows.length).toBe(7)
  for (const [i, piece] of windows.entries()) {
    expect(piece.equals(pattern(400).subarray(i * 40, i * 40 + 160))).toBe(true)
  }
})

test.each([
  ['limit', () => [limit(format, { seconds: 1 }), wavHeader(format)]],
  ['chunk', () => [chunk(format, { frames: 7 }), wavHeader(format)]],
  ['wavHeader', () => [wavHeader(format)]],
] as const)(
  'half a frame at the end of %s fails after the whole frames are in the file',
  async (_, stages) => {
    const file = new VirtualFile()
    const done = pipeline([Readable.from([pattern(150), pattern(53)]), ...stages(), file] as never)
    await expect(done).rejects.toThrow(PARTIAL)
    const bytes = await file.toBuffer()
    expect(bytes.readUInt32LE(40)).toBe(200)
    expect(bytes.subarray(44).equals(Buffer.concat([pattern(150), pattern(50)]))).toBe(true)
  },
)

test('the error of a limit comes after the audio up to it', async () => {
  const file = new VirtualFile()
  const stages = [limit(format, { frames: 30 }, { onLimit: 'error' }), wavHeader(format)]
  const done = pipeline([Readable.from([pattern(77), pattern(200)]), ...stages, file] as never)
  await expect(done).rejects.toThrow(expect.objectContaining({ code: 'ERR_WAVESPOOL_LIMIT' }))
  const bytes = await file.toBuffer()
  expect(bytes.readUInt32LE(40)).toBe(120)
  expect(bytes.subarray(44).equals(Buffer.concat([pattern(77), pattern(43)]))).toBe(true)
})

test.each([
  ['exceeded', 100, 'ERR_WAVESPOOL_WAV', 100],
  ['cut short', 400, undefined, 200],
])('dataBytes %s: the file is right', async (_, dataBytes, code, kept) => {
  const file = new VirtualFile()
  const done = pipeline(Readable.from([pattern(200)]), wavHeader(format, { dataBytes }), file)
  if (code) await expect(done).rejects.toThrow(expect.objectContaining({ code }))
  else await done
  const bytes = await file.toBuffer()
  expect(bytes.readUInt32LE(4)).toBe(36 + kept)
  expect(bytes.readUInt32LE(40)).toBe(kept)
  expect(bytes.subarray(44).equals(pattern(200).subarray(0, kept))).toBe(true)
})

test('bad arguments throw at once', () => {
  const span = { frames: 10 }
  for (const make of [chunk, limit, wavHeader] as ((...args: unknown[]) => unknown)[]) {
    for (const bad of [undefined, null, {}, 's16le', { sampleRate: 1 }]) {
      expect(() => make(bad, span)).toThrow(ARG_TYPE)
    }
  }
  for (const make of [chunk, limit] as ((...args: unknown[]) => unknown)[]) {
    expect(() => make(format)).toThrow(ARG_TYPE)
    expect(() => make(format, { frames: 0 })).toThrow(ARG_RANGE)
  }
  expect(() => chunk(format, span, null as never)).toThrow(ARG_TYPE)
  expect(() => chunk(format, span, { hop: { frames: 11 } })).toThrow(ARG_RANGE)
  expect(() => chunk(format, span, { hop: { frames: 0 } })).toThrow(ARG_RANGE)
  expect(() => chunk(format, span, { hop: 5 as never })).toThrow(ARG_TYPE)
  expect(() => chunk(format, span, { tail: 'cut' as never })).toThrow(ARG_TYPE)
  expect(() => limit(format, span, { onLimit: 'end' as never })).toThrow(ARG_TYPE)
  expect(() => limit(format, span, { source: {} as never })).toThrow(ARG_TYPE)
})
