import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { measureLevels } from '../../src/dsp/levels.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { limit } from '../../src/streams/limit.ts'
import { type Level, MeterKernel, meter } from '../../src/streams/meter.ts'
import { chunkings, formats, pattern } from '../format/arbitraries.ts'
import { runKernel } from './kernels.ts'

const ARG_TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const ARG_RANGE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' })
const PARTIAL = expect.objectContaining({ code: 'ERR_WAVESPOOL_PARTIAL_FRAME' })

test('passes all whole frames and reports the levels of every stretch, in every chunking', () => {
  const input = formats.chain((format) =>
    fc
      .nat(40 * format.bytesPerFrame)
      .chain((length) => fc.record({ format: fc.constant(format), chunks: chunkings(pattern(length)) })),
  )
  fc.assert(
    fc.property(input, fc.integer({ min: 1, max: 50 }), ({ format, chunks }, every) => {
      const frame = format.bytesPerFrame
      const all = Buffer.concat(chunks)
      const whole = all.subarray(0, all.length - (all.length % frame))
      const kernel = new MeterKernel(format, every)
      const levels: Level[] = []
      kernel.onLevel = (level) => levels.push(level)
      const { out, error } = runKernel(kernel, chunks)

      expect(Buffer.concat(out).equals(whole)).toBe(true)
      for (const piece of out) expect(piece.length % frame).toBe(0)
      if (whole.length === all.length) expect(error).toBeUndefined()
      else expect(error).toEqual(PARTIAL)

      const total = whole.length / frame
      expect(levels.length).toBe(Math.ceil(total / every))
      for (const [i, level] of levels.entries()) {
        const [start, end] = [i * every, Math.min(total, (i + 1) * every)]
        const measured = measureLevels(whole.subarray(start * frame, end * frame), format)
        expect(level).toEqual({ start, end, ...measured })
      }
    }),
    { numRuns: 400 },
  )
})

test('passes on the same buffers, without a copy', () => {
  const given = [Buffer.alloc(640, 1), Buffer.alloc(1920, 2), Buffer.alloc(6, 3)]
  const out: Uint8Array[] = []
  const kernel = new MeterKernel(pcmFormat(), 100)
  for (const bytes of given) kernel.push(bytes, out)
  expect(out.length).toBe(3)
  for (const [i, bytes] of out.entries()) expect(bytes).toBe(given[i])
})

test('a pipeline gets a level every 100 ms, and one for the rest', async () => {
  const format = pcmFormat()
  const source = Readable.from(Array.from({ length: 60 }, (_, i) => Buffer.alloc(640, i)))
  const stage = meter(format, { every: { milliseconds: 100 } })
  const places: number[][] = []
  stage.on('level', ({ start, end }: Level) => places.push([start, end]))
  let bytes = 0
  stage.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  await pipeline(source, limit(format, { frames: 4000 }), stage)
  expect(bytes).toBe(8000)
  expect(places).toEqual([
    [0, 1600],
    [1600, 3200],
    [3200, 4000],
  ])
})

test('half a frame at the end fails after the last level was emitted', async () => {
  const stage = meter(pcmFormat(), { every: { seconds: 1 } })
  const told: string[] = []
  stage.on('level', ({ end }: Level) => told.push(`level to ${end}`))
  stage.on('data', () => told.push('data'))
  await expect(pipeline(Readable.from([Buffer.alloc(101)]), stage)).rejects.toThrow(PARTIAL)
  expect(told).toEqual(['data', 'level to 50'])
})

test('bad arguments throw at once', () => {
  const format = pcmFormat()
  for (const bad of [undefined, null, {}, 's16le']) {
    expect(() => meter(bad as never, { every: { seconds: 1 } })).toThrow(ARG_TYPE)
  }
  for (const bad of [undefined, null, 5, {}, { every: 5 }, { every: {} }, { seconds: 1 }]) {
    expect(() => meter(format, bad as never)).toThrow(ARG_TYPE)
  }
  expect(() => meter(format, { every: { seconds: 0 } })).toThrow(ARG_RANGE)
})
