import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import { gate, limit, pcmFormat } from '../../src/index.ts'
import { GateKernel } from '../../src/streams/gate.ts'
import { ramp, tone } from '../../src/testing/index.ts'
import { chunkings, formats, pattern } from '../format/arbitraries.ts'
import { runKernel } from './kernels.ts'

const ARG_TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const silences: Record<string, number> = { u8: 0x80, mulaw: 0xff, alaw: 0xd5 }

test('passes the audio between its changes, exact to the frame, in every chunking', () => {
  const input = formats.chain((format) =>
    fc.record({
      format: fc.constant(format),
      chunks: fc.nat(600).chain((length) => chunkings(pattern(length))),
      closed: fc.constantFrom('drop' as const, 'silence' as const),
      turns: fc.array(fc.nat(600), { maxLength: 8 }).map((turns) => turns.sort((a, b) => a - b)),
    }),
  )
  fc.assert(
    fc.property(input, ({ format, chunks, closed, turns }) => {
      const kernel = new GateKernel(format, closed)
      for (const byte of turns) kernel.turn(byte)
      expect(kernel.isOpen).toBe(turns.length % 2 === 0)
      const all = Buffer.concat(chunks)
      const frame = format.bytesPerFrame
      const expected: Buffer[] = []
      for (let at = 0; at + frame <= all.length; at += frame) {
        const isOpen = turns.filter((byte) => byte <= at).length % 2 === 0
        if (isOpen) expected.push(all.subarray(at, at + frame))
        else if (closed === 'silence') expected.push(Buffer.alloc(frame, silences[format.encoding] ?? 0))
      }
      const { out, error } = runKernel(kernel, chunks)
      expect(Buffer.concat(out).equals(Buffer.concat(expected))).toBe(true)
      for (const piece of out) expect(piece.length % frame).toBe(0)
      expect((error as { code?: string } | undefined)?.code).toBe(
        all.length % frame === 0 ? undefined : 'ERR_WAVESPOOL_PARTIAL_FRAME',
      )
    }),
    { numRuns: 300 },
  )
})

test.each(['drop', 'silence'] as const)(
  'pauses behind all written bytes, also those that wait (%s)',
  async (closed) => {
    const format = pcmFormat()
    const stage = gate(format, { closed })
    // without a reader, writes are held back
    for (let i = 0; i < 40; i++) stage.write(Buffer.alloc(1000, 1))
    stage.close()
    expect(stage.isOpen).toBe(false)
    stage.write(Buffer.alloc(3001, 2))
    stage.open()
    stage.write(Buffer.alloc(501, 3))
    stage.end()
    const bytes = Buffer.concat(await stage.toArray())
    const pause = closed === 'drop' ? Buffer.alloc(0) : Buffer.alloc(3002)
    const expected = Buffer.concat([Buffer.alloc(40_000, 1), pause, Buffer.alloc(500, 3)])
    expect(bytes.length).toBe(expected.length)
    expect(bytes.equals(expected)).toBe(true)
  },
)

test('a pause leaves one stretch out of a ramp', async () => {
  const format = pcmFormat()
  const source = ramp(format, { pace: 'realtime', duration: { seconds: 10 } })
  const stage = gate(format)
  const values: number[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      for (let at = 0; at < chunk.length; at += 2) values.push(chunk.readUInt16LE(at))
      callback()
    },
  })
  const done = pipeline(source, stage, sink)
  const until = async (isReached: () => boolean) => {
    while (!isReached()) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await until(() => values.length > 1000)
  stage.close()
  const heard = values.length
  await new Promise((resolve) => setTimeout(resolve, 150))
  expect(values.length).toBe(heard)
  stage.open()
  await until(() => values.length > heard + 1000)
  stage.stop()
  await done
  const jumps = values.filter((value, i) => i > 0 && value !== (values[i - 1]! + 1) % 65_536)
  expect(jumps.length).toBe(1)
})

test('a cap behind a gate counts only the audio that passes', async () => {
  const format = pcmFormat()
  const source = tone(format, { pace: 'realtime' })
  const stage = gate(format)
  stage.close()
  setTimeout(() => stage.open(), 50)
  let bytes = 0
  await pipeline(source, stage, limit(format, { frames: 1000 }), async (chunks) => {
    for await (const chunk of chunks) bytes += chunk.length
  })
  expect(bytes).toBe(2000)
  expect(source.destroyed).toBe(true)
})

test('in a chain it stays a stream of its own, so that it knows the written bytes', async () => {
  const format = pcmFormat()
  const stage = gate(format)
  const chained = chain([stage, limit(format, { seconds: 10 }, { source: null })])
  chained.write(Buffer.alloc(1000, 1))
  await new Promise((resolve) => setImmediate(resolve))
  stage.close()
  chained.write(Buffer.alloc(1000, 2))
  await new Promise((resolve) => setImmediate(resolve))
  stage.open()
  chained.end(Buffer.alloc(1000, 3))
  const bytes = Buffer.concat(await chained.toArray())
  expect(bytes.equals(Buffer.concat([Buffer.alloc(1000, 1), Buffer.alloc(1000, 3)]))).toBe(true)
})

test('a failure upstream keeps the audio that had passed', async () => {
  const stage = gate(pcmFormat())
  const kept: Buffer[] = []
  stage.on('data', (chunk) => kept.push(chunk))
  await expect(pipeline(Readable.from([Buffer.alloc(101)]), stage)).rejects.toMatchObject({
    code: 'ERR_WAVESPOOL_PARTIAL_FRAME',
  })
  expect(Buffer.concat(kept).length).toBe(100)
})

test('bad arguments throw at once', () => {
  for (const bad of [undefined, null, {}, 's16le']) expect(() => gate(bad as never)).toThrow(ARG_TYPE)
  for (const bad of [null, 5, 'drop', { closed: 'mute' }, { closed: null }, { open: true }]) {
    expect(() => gate(pcmFormat(), bad as never)).toThrow(ARG_TYPE)
  }
})
