import { describe, expect, test } from 'vitest'
import { Converter } from '../../src/dsp/converter.ts'
import { decodeSamples } from '../../src/dsp/decode.ts'
import type { Encoding } from '../../src/format/encoding.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { allEncodings } from '../format/arbitraries.ts'
import { hasTool, run, soxEncodings } from '../oracles/tools.ts'
import { material } from './samples.ts'

function recode(from: Encoding, to: Encoding, bytes: Uint8Array): Uint8Array {
  return new Converter(pcmFormat({ encoding: from }), pcmFormat({ encoding: to }), {}, 'test').convert(bytes)
}

function numbers(bytes: Uint8Array, encoding: Encoding): Float64Array {
  const format = pcmFormat({ encoding })
  return decodeSamples(bytes, format, new Float64Array(bytes.length / format.bytesPerSample))
}

/**
 * Where sox gives something else, and by how much at most. It works with 32-bit integers: it makes floats into
 * those on the way in, and rounds to 24 bits on the way into f32le; for G.711 it rounds to 14 or 13 bits first, which
 * may end in the neighbouring code (g711.test.ts counts them). We round once, from the exact value. Everything that is
 * not named here is equal bit for bit.
 */
const deviations: Partial<Record<`${Encoding} to ${Encoding}`, number | 'a code'>> = {
  's32le to f32le': 2 ** -24, // half of sox's step of 24 bits
  'f32le to f32le': 2 ** -24,
  'f64le to f32le': 2 ** -24,
  'f32le to f64le': 2 ** -31, // sox has no +1; all else is within half a step of its 32 bits
  'f64le to f64le': 2 ** -31,
  'f64le to u8': 2 ** -7, // one unit from here on, where rounding twice goes another way than rounding once
  'f32le to s16le': 2 ** -15,
  'f64le to s16le': 2 ** -15,
  'f32le to s24le': 2 ** -23,
  'f64le to s24le': 2 ** -23,
  'f32le to s32le': 2 ** -31, // in the ties of negative samples
  'f64le to s32le': 2 ** -31,
  'mulaw to mulaw': 'a code', // the negative zero, which sox makes a positive one
  'mulaw to alaw': 'a code',
  's16le to mulaw': 'a code',
  's16le to alaw': 'a code',
  's24le to mulaw': 'a code',
  's24le to alaw': 'a code',
  's32le to mulaw': 'a code',
  's32le to alaw': 'a code',
  'f32le to mulaw': 'a code',
  'f32le to alaw': 'a code',
  'f64le to mulaw': 'a code',
  'f64le to alaw': 'a code',
}

describe.runIf(hasTool('sox'))('every encoding into every other, as sox does it', () => {
  const raw = ['-t', 'raw', '-r', '16000', '-c', '1']
  for (const from of allEncodings) {
    for (const to of allEncodings) {
      test(`${from} to ${to}`, () => {
        const input = material(from)
        const ours = recode(from, to, input)
        const command = ['-D', ...raw, ...soxEncodings[from], '-', ...raw, ...soxEncodings[to], '-']
        const judged = run('sox', command, input)
        expect(judged.length).toBe(ours.length)
        const little = `${from} to ${to}`.replaceAll('be', 'le') as keyof typeof deviations
        const deviation = deviations[little]
        if (deviation === undefined) {
          expect(Buffer.compare(ours, judged)).toBe(0)
          return
        }
        if (deviation === 'a code') {
          const steps = ours.map((code, i) => Math.abs(place(to, code) - place(to, judged[i]!)))
          expect(steps.reduce((a, b) => Math.max(a, b))).toBe(1)
          return
        }
        const [a, b] = [numbers(ours, to), numbers(judged, to)]
        const differences = a.map((sample, i) => Math.abs(sample - b[i]!))
        const most = differences.reduce((a, b) => Math.max(a, b))
        expect(most).toBeGreaterThan(0)
        expect(most).toBeLessThanOrEqual(deviation)
      })
    }
  }
})

/** The place of a code among the values that they stand for: sign and magnitude, below the inverted bits. */
function place(law: Encoding, code: number): number {
  const bits = code ^ (law === 'mulaw' ? 0xff : 0xd5)
  return bits & 0x80 ? -1 - (bits & 0x7f) : bits & 0x7f
}

describe('encodings without another program to compare with', () => {
  test.each(allEncodings)('%s comes back from each encoding that can hold all of its values', (encoding) => {
    const holders: Record<Encoding, Encoding[]> = {
      u8: ['s16le', 's24le', 's32le', 'f32le', 'f64le'],
      s16le: ['s24le', 's32le', 'f32le', 'f64le'],
      s24le: ['s32le', 'f32le', 'f64le'],
      s32le: ['f64le'],
      f32le: ['f64le'],
      f64le: [],
      mulaw: ['s16le', 's24le', 's32le', 'f32le', 'f64le'],
      alaw: ['s16le', 's24le', 's32le', 'f32le', 'f64le'],
      s16be: ['s16le', 's24le', 's32le', 'f32le', 'f64le'],
      s24be: ['s24le', 's32le', 'f32le', 'f64le'],
      s32be: ['s32le', 'f64le'],
      f32be: ['f32le', 'f64le'],
    }
    const input = material(encoding).map((byte, i) => (encoding === 'mulaw' && byte === 0x7f ? i : byte))
    if (encoding === 'mulaw') input[0x7f] = 0xff
    for (const holder of holders[encoding]) {
      const back = recode(holder, encoding, recode(encoding, holder, input))
      expect(Buffer.compare(back, input)).toBe(0)
    }
  })

  test('floats beyond the range are clipped in integers and kept in floats; NaN is silence', () => {
    const input = new Uint8Array(Float32Array.of(1, 1.5, Infinity, -1.5, -Infinity, NaN).buffer)
    const into = (to: Encoding) => [...numbers(recode('f32le', to, input), to)]
    const most = (bits: number) => 1 - 2 ** (1 - bits)
    for (const [encoding, bits] of [
      ['u8', 8],
      ['s16le', 16],
      ['s24le', 24],
      ['s32le', 32],
    ] as const) {
      expect(into(encoding)).toEqual([most(bits), most(bits), most(bits), -1, -1, 0])
    }
    expect(into('mulaw').map((x) => x * 2 ** 15)).toEqual([32_124, 32_124, 32_124, -32_124, -32_124, 0])
    expect(into('alaw').map((x) => x * 2 ** 15)).toEqual([32_256, 32_256, 32_256, -32_256, -32_256, 8])
    expect(into('f64le')).toEqual([1, 1.5, Infinity, -1.5, -Infinity, NaN])
  })

  test('a half is rounded upwards', () => {
    const input = new Uint8Array(Float64Array.from([-1.5, -0.5, 0.5, 1.5], (x) => x / 2 ** 15).buffer)
    expect([...numbers(recode('f64le', 's16le', input), 's16le')].map((x) => x * 2 ** 15 + 0)).toEqual([
      -1, 0, 1, 2,
    ])
  })

  test('bytes may lie at any alignment', () => {
    for (const encoding of allEncodings) {
      const input = material(encoding)
      const shifted = new Uint8Array(input.length + 3).subarray(3)
      shifted.set(input)
      expect(Buffer.compare(recode(encoding, 's24le', shifted), recode(encoding, 's24le', input))).toBe(0)
    }
  })
})
