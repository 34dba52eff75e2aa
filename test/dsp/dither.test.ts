import { describe, expect, test } from 'vitest'
import { Converter } from '../../src/dsp/converter.ts'
import { decodeSamples } from '../../src/dsp/decode.ts'
import type { Encoding } from '../../src/format/encoding.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { material } from './samples.ts'

const COUNT = 200_000

/** The errors of a conversion from f64le, in units of the target. */
function errors(to: Encoding, bits: number, signal: (i: number) => number, dither: 'tpdf' | 'none' = 'tpdf') {
  const [from, target] = [pcmFormat({ encoding: 'f64le' }), pcmFormat({ encoding: to })]
  const samples = Float64Array.from({ length: COUNT }, (_, i) => signal(i))
  const out = new Converter(from, target, { dither }, 'test').convert(new Uint8Array(samples.buffer))
  const scale = 2 ** (bits - 1)
  return decodeSamples(out, target, new Float64Array(COUNT)).map(
    (sample, i) => (sample - samples[i]!) * scale,
  )
}

const mean = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length
const product = (values: Float64Array, lag: number) => mean(values.map((x, i) => x * (values[i + lag] ?? 0)))

describe.each([
  ['u8', 8],
  ['s16le', 16],
  ['s24le', 24],
] as const)('into %s', (encoding, bits) => {
  // The total error of TPDF dither: no mean, a variance of 1/12 + 2/12 square units, whatever the signal. The bounds
  // are five standard deviations of the estimates.
  test.each([0, 0.1, 0.25, 0.5, 0.8])(
    'a signal that stands %d above a step: the error has its mean and variance',
    (offset) => {
      const values = errors(encoding, bits, () => (3 + offset) / 2 ** (bits - 1))
      expect(Math.abs(mean(values))).toBeLessThan(5 * Math.sqrt(0.25 / COUNT))
      expect(Math.abs(product(values, 0) - 0.25)).toBeLessThan(5 * Math.sqrt(0.1 / COUNT))
    },
  )

  test('the error is white', () => {
    const values = errors(encoding, bits, () => 0.3 / 2 ** (bits - 1))
    for (const lag of [1, 2, 3, 4, 7, 8, 16, 100]) {
      expect(Math.abs(product(values, lag))).toBeLessThan(5 * (0.25 / Math.sqrt(COUNT)))
    }
  })

  test('without dither, the error is constant', () => {
    const values = errors(encoding, bits, () => 3.25 / 2 ** (bits - 1), 'none')
    expect(new Set(values)).toEqual(new Set([-0.25]))
  })
})

test('a tone of half a unit survives with dither, and is lost without it', () => {
  const tone = (i: number) => (0.4 * Math.sin(i / 5)) / 2 ** 15
  const heard = (dither: 'tpdf' | 'none') => {
    const values = errors('s16le', 16, tone, dither).map((error, i) => error + tone(i) * 2 ** 15)
    return mean(values.map((value, i) => 2 * value * Math.sin(i / 5)))
  }
  expect(heard('tpdf')).toBeGreaterThan(0.38)
  expect(heard('none')).toBe(0)
})

test('the same input gives the same output', () => {
  const once = errors('s16le', 16, (i) => Math.sin(i))
  expect(errors('s16le', 16, (i) => Math.sin(i))).toEqual(once)
})

describe('dither changes no sample where no precision is lost', () => {
  test.each<[Encoding, Encoding]>([
    ['s16le', 's16le'],
    ['s16le', 's24le'],
    ['u8', 's16le'],
    ['mulaw', 's16le'],
    ['s24le', 's32le'],
    ['f64le', 'f32le'],
    ['s32le', 'f32le'],
    ['s16le', 'mulaw'],
    ['f32le', 'alaw'],
  ])('%s to %s', (from, to) => {
    const input = material(from)
    const convert = (dither: 'tpdf' | 'none') =>
      new Converter(pcmFormat({ encoding: from }), pcmFormat({ encoding: to }), { dither }, 'test').convert(
        input,
      )
    expect(Buffer.compare(convert('tpdf'), convert('none'))).toBe(0)
  })

  test('but it changes a mix, which has more bits than its source', () => {
    const stereo = pcmFormat({ channels: 2 })
    const input = new Uint8Array(Int16Array.from({ length: 2000 }, (_, i) => i).buffer)
    const out = new Converter(stereo, pcmFormat(), { dither: 'tpdf' }, 'test').convert(input)
    const exact = Int16Array.from({ length: 1000 }, (_, i) => i * 2 + 1)
    expect(Buffer.compare(out, Buffer.from(exact.buffer))).not.toBe(0)
  })
})
