import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodings } from '../../src/format/encoding.ts'
import { pcmFormat, requireFormat } from '../../src/format/pcmFormat.ts'
import { formats } from './arbitraries.ts'

const ARG_TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const ARG_RANGE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' })

describe('pcmFormat', () => {
  test('is 16 kHz, mono, s16le without arguments', () => {
    expect(pcmFormat()).toEqual({
      sampleRate: 16_000,
      channels: 1,
      encoding: 's16le',
      bytesPerSample: 2,
      bytesPerFrame: 2,
      bytesPerSecond: 32_000,
    })
  })

  test('derives the sizes of every encoding and is frozen', () => {
    fc.assert(
      fc.property(formats, (format) => {
        const { bytesPerSample } = encodings[format.encoding]
        expect(format.bytesPerSample).toBe(bytesPerSample)
        expect(format.bytesPerFrame).toBe(bytesPerSample * format.channels)
        expect(format.bytesPerSecond).toBe(format.bytesPerFrame * format.sampleRate)
        expect(Object.isFrozen(format)).toBe(true)
      }),
    )
  })

  test('takes its own result, and does not change the options', () => {
    const options = Object.freeze({ channels: 2 })
    expect(pcmFormat(pcmFormat(options))).toEqual(pcmFormat(options))
  })

  test.each<[unknown]>([
    [null],
    ['s16le'],
    [16_000],
    [{ sampleRate: '16000' }],
    [{ channels: null }],
    [{ channels: 1n }],
    [{ encoding: 's16me' }],
    [{ encoding: 'toString' }],
    [{ encoding: 16 }],
    [{ rate: 16_000 }],
    [{ sample_rate: 16_000 }],
  ])('refuses the kind of %o', (options) => {
    expect(() => pcmFormat(options as never)).toThrow(ARG_TYPE)
    expect(() => pcmFormat(options as never)).toThrow(TypeError)
  })

  test.each([
    { sampleRate: 0 },
    { sampleRate: -1 },
    { sampleRate: 44_100.5 },
    { sampleRate: Number.NaN },
    { sampleRate: Number.POSITIVE_INFINITY },
    { sampleRate: 2 ** 32 },
    { channels: 0 },
    { channels: 1025 },
    { channels: 1.5 },
    { sampleRate: 2 ** 31, channels: 2 },
  ])('refuses the value of %o', (options) => {
    expect(() => pcmFormat(options)).toThrow(ARG_RANGE)
    expect(() => pcmFormat(options)).toThrow(RangeError)
  })
})

describe('requireFormat', () => {
  test('takes a PcmFormat, and a plain object with all fields', () => {
    const format = pcmFormat()
    expect(requireFormat(format, 'x()')).toBe(format)
    expect(requireFormat({ sampleRate: 8000, channels: 1, encoding: 'alaw' }, 'x()')).toEqual(
      pcmFormat({ sampleRate: 8000, encoding: 'alaw' }),
    )
  })

  test.each([undefined, null, 's16le', {}, { sampleRate: 8000, channels: 1 }, { encoding: 's16le' }])(
    'refuses %o, as it guesses no format',
    (format) => {
      expect(() => requireFormat(format, 'x()')).toThrow(ARG_TYPE)
      expect(() => requireFormat(format, 'x()')).toThrow(/^x\(\) takes the PCM format first/)
    },
  )
})
