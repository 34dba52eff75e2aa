import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pcmFormat } from '../../src/index.ts'
import { assertRamp, RampError, ramp } from '../../src/testing/index.ts'

const encodings = ['u8', 's16le', 's24le', 's32le', 'f32le', 'f64le'] as const

function breakOf(act: () => unknown): RampError {
  try {
    act()
  } catch (error) {
    if (error instanceof RampError) return error
  }
  throw new Error('no RampError')
}

describe('assertRamp', () => {
  it('accepts a whole ramp in any chunking and from any frame, and finds any missing frame', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...encodings),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 2, max: 5000 }),
        fc.nat(),
        async (encoding, channels, chunk, frames, seed) => {
          const format = pcmFormat({ encoding, channels })
          const bytes = await buffer(ramp(format, { chunk: { frames: chunk }, duration: { frames } }))
          expect(assertRamp(bytes, format, { duration: { frames } })).toBe(frames)
          const cut = seed % (frames - 1)
          const tail = bytes.subarray((cut + 1) * format.bytesPerFrame)
          expect(assertRamp(tail, format, { from: cut + 1 })).toBe(frames - cut - 1)
          const holed = Buffer.concat([bytes.subarray(0, cut * format.bytesPerFrame), tail])
          const error = breakOf(() => assertRamp(holed, format))
          expect(error.code).toBe('ERR_WAVESPOOL_RAMP')
          expect(error.frame).toBe(cut)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('names the frame of a break, the expected sample and the actual one', async () => {
    const format = pcmFormat({ channels: 2 })
    const bytes = await buffer(ramp(format, { duration: { frames: 40_000 } }))
    bytes.copy(bytes, 20_000 * 4, 20_010 * 4, 20_020 * 4)
    const error = breakOf(() => assertRamp(bytes, format))
    expect(error).toMatchObject({ frame: 20_000, expected: 40_000, got: 40_020 })
    expect(error.message).toBe('the ramp breaks at frame 20000, channel 0: expected sample 40000, got 40020')
  })

  it('reports ends that come too early, too late, or in the middle of a frame', async () => {
    const format = pcmFormat()
    const bytes = await buffer(ramp(format, { duration: { frames: 100 } }))
    const early = breakOf(() => assertRamp(bytes, format, { duration: { frames: 101 } }))
    expect(early.message).toBe('the ramp ends at frame 100; expected 101 frames')
    const late = breakOf(() => assertRamp(bytes, format, { duration: { frames: 99 } }))
    expect(late).toMatchObject({ frame: 99, got: 99 })
    const half = breakOf(() => assertRamp(bytes.subarray(0, 199), format))
    expect(half.message).toBe('the ramp ends 1 bytes into frame 99; a frame has 2')
  })

  it('refuses data that are no bytes, and encodings that a ramp cannot have', () => {
    const code = 'ERR_WAVESPOOL_ARG_TYPE'
    expect(() => assertRamp('text' as never, pcmFormat())).toThrow(expect.objectContaining({ code }))
    expect(() => assertRamp(Buffer.alloc(2), pcmFormat({ encoding: 'mulaw' }))).toThrow(
      expect.objectContaining({ code }),
    )
  })
})
