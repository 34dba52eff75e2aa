import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { spanBytes, spanFrames } from '../../src/format/span.ts'
import { formats } from './arbitraries.ts'

const format = pcmFormat({ sampleRate: 48_000, channels: 2 })

describe('spanFrames', () => {
  test('0.29 s at 48 kHz is 13,920 frames, not 13,919', () => {
    expect(0.29 * 48_000).toBeLessThan(13_920)
    expect(spanFrames(format, { seconds: 0.29 })).toBe(13_920)
    expect(spanFrames(format, { milliseconds: 290 })).toBe(13_920)
    expect(spanBytes(format, { seconds: 0.29 })).toBe(13_920 * 4)
  })

  test('every decimal fraction of a second gives the same frames as in whole numbers', () => {
    fc.assert(
      fc.property(formats, fc.integer({ min: 1, max: 100_000_000 }), (f, milliseconds) => {
        const exact = (BigInt(milliseconds) * BigInt(f.sampleRate)) / 1000n
        fc.pre(exact > 0n)
        expect(spanFrames(f, { milliseconds })).toBe(Number(exact))
        expect(spanFrames(f, { seconds: milliseconds / 1000 })).toBe(Number(exact))
      }),
    )
  })

  test('bytes are rounded down to whole frames, frames are taken as they are', () => {
    fc.assert(
      fc.property(formats, fc.integer({ min: 1, max: 2 ** 40 }), (f, amount) => {
        expect(spanFrames(f, { frames: amount })).toBe(amount)
        fc.pre(amount >= f.bytesPerFrame)
        expect(spanBytes(f, { bytes: amount })).toBe(amount - (amount % f.bytesPerFrame))
      }),
    )
  })

  test.each<[unknown]>([
    [undefined],
    [null],
    [3],
    ['3s'],
    [[]],
    [{}],
    [{ minutes: 1 }],
    [{ Seconds: 1 }],
    [{ seconds: 1, frames: 1 }],
    [{ seconds: 1, milliseconds: 1000 }],
    [{ seconds: 1, extra: true }],
    [{ seconds: '1' }],
    [{ seconds: null }],
    [{ frames: 1n }],
    [{ bytes: undefined }],
  ])('refuses the kind of %o', (span) => {
    expect(() => spanFrames(format, span as never, 'limit()')).toThrow(
      expect.objectContaining({
        code: 'ERR_WAVESPOOL_ARG_TYPE',
        message: expect.stringMatching(/^limit\(\)/),
      }),
    )
  })

  test.each([
    { seconds: 0 },
    { seconds: -1 },
    { seconds: Number.NaN },
    { seconds: Number.POSITIVE_INFINITY },
    { seconds: 1e-6 },
    { seconds: 1e300 },
    { milliseconds: -0 },
    { milliseconds: 0.02 },
    { frames: 0 },
    { frames: 0.5 },
    { frames: 2.000001 },
    { frames: Number.NaN },
    { frames: Number.MAX_SAFE_INTEGER },
    { bytes: 3 },
    { bytes: -4 },
    { bytes: Number.NaN },
  ])('refuses the value of %o', (span) => {
    expect(() => spanFrames(format, span)).toThrow(
      expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' }),
    )
  })
})
