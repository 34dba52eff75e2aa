import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { ChunkKernel } from '../../src/streams/chunk.ts'
import { LimitKernel } from '../../src/streams/limit.ts'
import { WavHeaderKernel } from '../../src/streams/wavHeader.ts'
import { chunkings, formats, pattern } from '../format/arbitraries.ts'
import { runKernel } from './kernels.ts'

const PARTIAL = expect.objectContaining({ code: 'ERR_WAVESPOOL_PARTIAL_FRAME' })
const input = formats.chain((format) =>
  fc
    .nat(600)
    .chain((length) => fc.record({ format: fc.constant(format), chunks: chunkings(pattern(length)) })),
)

/** Every stage delivers all whole frames, then complains about the rest. */
function expectEnd(error: unknown, length: number, frame: number): void {
  if (length % frame === 0) expect(error).toBeUndefined()
  else expect(error).toEqual(PARTIAL)
}

describe('LimitKernel', () => {
  test('passes exactly the cap in whole frames, under every chunking', () => {
    fc.assert(
      fc.property(input, fc.integer({ min: 1, max: 40 }), ({ format, chunks }, frames) => {
        const all = Buffer.concat(chunks)
        const frame = format.bytesPerFrame
        const cap = frames * frame
        const kernel = new LimitKernel(format, cap, { onLimit: 'stop', source: null })
        const { out, error } = runKernel(kernel, chunks)
        const kept = Math.min(cap, all.length - (all.length % frame))
        expect(Buffer.concat(out).equals(all.subarray(0, kept))).toBe(true)
        for (const piece of out) expect(piece.length % frame).toBe(0)
        expect(kernel.end).toBe(all.length >= cap ? 'stop' : undefined)
        expectEnd(error, Math.min(all.length, cap), frame)
      }),
      { numRuns: 300 },
    )
  })
})

describe('WavHeaderKernel', () => {
  test('is the header and then every whole frame, under every chunking', () => {
    fc.assert(
      fc.property(input, fc.boolean(), ({ format, chunks }, rf64) => {
        const all = Buffer.concat(chunks)
        const { out, error } = runKernel(new WavHeaderKernel(format, { rf64 }), chunks)
        const kept = all.subarray(0, all.length - (all.length % format.bytesPerFrame))
        expect(out[0]!.equals(makeWavHeader(format, { rf64 }))).toBe(true)
        expect(Buffer.concat(out.slice(1)).equals(kept)).toBe(true)
        for (const piece of out.slice(1)) expect(piece.length % format.bytesPerFrame).toBe(0)
        expectEnd(error, all.length, format.bytesPerFrame)
      }),
      { numRuns: 300 },
    )
  })

  test('dataBytes: exact with the pad byte, cut short without, and where it is exceeded delivers the announced bytes', () => {
    fc.assert(
      fc.property(input, fc.nat(60), ({ format, chunks }, frames) => {
        const all = Buffer.concat(chunks)
        const dataBytes = frames * format.bytesPerFrame
        const { out, error } = runKernel(new WavHeaderKernel(format, { dataBytes }), chunks)
        const header = makeWavHeader(format, { dataBytes })
        const data = Buffer.concat(out).subarray(header.length)
        expect(Buffer.concat(out).subarray(0, header.length).equals(header)).toBe(true)
        if (all.length > dataBytes) {
          expect(data.equals(all.subarray(0, dataBytes))).toBe(true)
          expect(error).toEqual(expect.objectContaining({ code: 'ERR_WAVESPOOL_WAV' }))
          return
        }
        const kept = all.subarray(0, all.length - (all.length % format.bytesPerFrame))
        const pad = Buffer.alloc(all.length === dataBytes ? dataBytes % 2 : 0)
        expect(data.equals(Buffer.concat([kept, pad]))).toBe(true)
        expectEnd(error, all.length, format.bytesPerFrame)
      }),
      { numRuns: 300 },
    )
  })

  test('an empty stream is a header', () => {
    expect(runKernel(new WavHeaderKernel(pcmFormat(), {}), [])).toEqual({
      out: [Buffer.from(makeWavHeader(pcmFormat()))],
      error: undefined,
    })
  })
})

describe('ChunkKernel', () => {
  const silences: Record<string, number> = { u8: 0x80, mulaw: 0xff, alaw: 0xd5 }
  const windows = fc
    .integer({ min: 1, max: 20 })
    .chain((window) => fc.record({ window: fc.constant(window), hop: fc.integer({ min: 1, max: window }) }))

  test('cuts as a plain loop would, under every chunking, hop and tail', () => {
    const tails = fc.constantFrom('keep' as const, 'pad' as const, 'drop' as const)
    fc.assert(
      fc.property(input, windows, tails, ({ format, chunks }, { window, hop }, tail) => {
        const frame = format.bytesPerFrame
        const all = Buffer.concat(chunks)
        const whole = all.subarray(0, all.length - (all.length % frame))
        const expected: Buffer[] = []
        let at = 0
        for (; at + window * frame <= whole.length; at += hop * frame) {
          expected.push(whole.subarray(at, at + window * frame))
        }
        const shown = at === 0 ? 0 : at + (window - hop) * frame
        if (whole.length > shown && tail !== 'drop') {
          const padding = Buffer.alloc(window * frame, silences[format.encoding] ?? 0)
          const rest = whole.subarray(at)
          expected.push(tail === 'keep' ? rest : Buffer.concat([rest, padding]).subarray(0, window * frame))
        }
        const kernel = new ChunkKernel(format, window * frame, hop * frame, tail)
        const { out, error } = runKernel(kernel, chunks)
        expect(out.length).toBe(expected.length)
        for (const [i, piece] of out.entries()) expect(piece.equals(expected[i]!)).toBe(true)
        expectEnd(error, all.length, frame)
      }),
      { numRuns: 600 },
    )
  })
})
