import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Converter, type ConvertOptions } from '../../src/dsp/converter.ts'
import { mixMatrix } from '../../src/dsp/mix.ts'
import { type PcmFormat, pcmFormat } from '../../src/format/pcmFormat.ts'
import { allEncodings } from '../format/arbitraries.ts'
import { hasTool, run } from '../oracles/tools.ts'
import { material } from './samples.ts'

const channels = fc.integer({ min: 1, max: 6 })
const gains = (inputs: number, outputs: number) => mixMatrix(inputs, outputs, 'test')

function converted(from: PcmFormat, to: PcmFormat, bytes: Uint8Array, options: ConvertOptions = {}) {
  return Buffer.from(new Converter(from, to, options, 'test').convert(bytes))
}

/** Whole frames of every kind of sample. */
function frames(format: PcmFormat): Buffer {
  const bytes = material(format.encoding, 3000)
  return bytes.subarray(0, bytes.length - (bytes.length % format.bytesPerFrame))
}

describe('the gains', () => {
  test('are those of ITU-R BS.775, divided so that the loudest channel does not clip', () => {
    const half = Math.SQRT1_2 // −3 dB
    const close = (matrix: readonly (readonly number[])[], expected: number[][]) => {
      const loudest = Math.max(...expected.map((row) => row.reduce((a, b) => a + b)))
      expect(matrix.length).toBe(expected.length)
      for (const [i, row] of matrix.entries()) {
        for (const [j, gain] of row.entries())
          expect(gain).toBeCloseTo(expected[i]![j]! / Math.max(1, loudest), 12)
      }
    }
    close(gains(2, 1), [[half, half]])
    close(gains(3, 1), [[half, half, 1]])
    close(gains(5, 1), [[half, half, 1, 0.5, 0.5]])
    close(gains(6, 1), [[half, half, 1, 0, 0.5, 0.5]])
    close(gains(6, 2), [
      [1, 0, half, 0, half, 0],
      [0, 1, half, 0, 0, half],
    ])
    close(gains(4, 2), [
      [1, 0, half, 0],
      [0, 1, 0, half],
    ])
    close(gains(6, 4), [
      [1, 0, half, 0, 0, 0],
      [0, 1, half, 0, 0, 0],
      [0, 0, 0, 0, 1, 0],
      [0, 0, 0, 0, 0, 1],
    ])
    close(gains(2, 6), [
      [1, 0],
      [0, 1],
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 0],
    ])
    close(gains(7, 1), [new Array(7).fill(1 / 7)])
  })

  test('follow the mask: 2.1, 7.1, side for back loudspeakers, and channels without a loudspeaker', () => {
    const masked = (inputs: number, outputs: number, mask: number) => mixMatrix(inputs, outputs, 'test', mask)
    expect(masked(3, 1, 0xb)).toEqual([[0.5, 0.5, 0]])
    expect(masked(4, 1, 0)).toEqual([[0.25, 0.25, 0.25, 0.25]])
    expect(gains(4, 1)).toEqual([[0.25, 0.25, 0.25, 0.25]])
    expect(masked(6, 1, 0)).toEqual([new Array(6).fill(1 / 6)])
    expect(masked(6, 2, 0x60f)).toEqual(gains(6, 2))
    const sum = 1 + 3 * Math.SQRT1_2
    const [left, right] = gains(8, 2)
    for (const [i, gain] of [1, 0, Math.SQRT1_2, 0, Math.SQRT1_2, 0, Math.SQRT1_2, 0].entries()) {
      expect(left![i]).toBeCloseTo(gain / sum, 12)
    }
    expect(right!.filter((gain) => gain > 0).length).toBe(4)
    expect(masked(8, 6, 0x63f)[4]!.filter((gain) => gain > 0).length).toBe(2) // side and back are one surround
    expect(masked(2, 1, 0xffff)).toEqual(gains(2, 1)) // a mask of more loudspeakers than channels says nothing
    for (let mask = 1; mask < 2 ** 18; mask += 37) {
      const inputs = [...mask.toString(2)].filter((bit) => bit === '1').length
      for (const outputs of [1, 2, 6]) {
        if (inputs === outputs) continue
        const sums = masked(inputs, outputs, mask).map((row) => row.reduce((a, b) => a + b))
        expect(Math.max(...sums)).toBeLessThanOrEqual(1 + 1e-12)
      }
    }
  })

  test('never let full scale clip, and waste no level where channels are mixed into fewer', () => {
    fc.assert(
      fc.property(channels, channels, (inputs, outputs) => {
        const sums = gains(inputs, outputs).map((row) => row.reduce((a, b) => a + b))
        expect(Math.max(...sums)).toBeLessThanOrEqual(1 + 1e-12)
        if (outputs < inputs) expect(Math.max(...sums)).toBeCloseTo(1, 12)
      }),
    )
  })

  test.each([
    [7, 2],
    [2, 7],
    [9, 6],
    [32, 5],
  ])('%i channels into %i are refused, with the ways out', (inputs, outputs) => {
    expect(() => gains(inputs, outputs)).toThrow(expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' }))
    expect(() => gains(inputs, outputs)).toThrow(/\{ channel \}/)
  })
})

describe('the samples', () => {
  test.each(allEncodings)('%s: one channel is picked, and spread, byte for byte', (encoding) => {
    for (const count of [1, 2, 3, 6]) {
      const [from, mono] = [pcmFormat({ encoding, channels: count }), pcmFormat({ encoding })]
      const bytes = frames(from)
      for (let channel = 0; channel < count; channel++) {
        const expected: Uint8Array[] = []
        for (let at = channel * from.bytesPerSample; at < bytes.length; at += from.bytesPerFrame) {
          expected.push(bytes.subarray(at, at + from.bytesPerSample))
        }
        const picked = converted(from, mono, bytes, { channel })
        expect(picked.equals(Buffer.concat(expected))).toBe(true)
        const spread = Buffer.concat(expected.flatMap((sample) => new Array(count).fill(sample)))
        expect(converted(mono, from, picked).equals(spread)).toBe(true)
      }
    }
  })

  test('a picked channel may change its encoding as well', () => {
    const [from, to] = [pcmFormat({ channels: 2 }), pcmFormat({ encoding: 's32le' })]
    const bytes = Buffer.from(Int16Array.of(1, 2, -3, -4).buffer)
    expect(converted(from, to, bytes, { channel: 1 })).toEqual(
      Buffer.from(Int32Array.of(2 << 16, -4 << 16).buffer),
    )
  })

  test('two become their mean, rounded once', () => {
    const bytes = Buffer.from(Int16Array.of(32_767, 32_767, -32_768, -32_768, 1, 2, -1, -2, 100, -100).buffer)
    const mono = converted(pcmFormat({ channels: 2 }), pcmFormat(), bytes)
    expect([...new Int16Array(new Uint8Array(mono).buffer)]).toEqual([32_767, -32_768, 2, -1, 0])
  })
})

// ffmpeg mixes 16-bit samples with gains that it has rounded, and its 5.1 as we do.
describe.runIf(hasTool('ffmpeg'))('ffmpeg', () => {
  test.each([
    [2, 1, 'stereo', 'mono'],
    [6, 2, '5.1', 'stereo'],
    [6, 1, '5.1', 'mono'],
    [5, 2, '5.0', 'stereo'],
    [4, 2, 'quad', 'stereo'],
    [3, 2, '3.0', 'stereo'],
  ])('mixes %i into %i channels alike, but for a unit', (inputs, outputs, from, to) => {
    const format = pcmFormat({ channels: inputs })
    const bytes = frames(format)
    const raw = (layout: string) => ['-f', 's16le', '-ar', '16000', '-channel_layout', layout]
    const filter = `aformat=sample_fmts=s16:channel_layouts=${to}`
    const judged = run(
      'ffmpeg',
      ['-v', 'error', ...raw(from), '-i', '-', '-af', filter, '-f', 's16le', '-'],
      bytes,
    )
    const ours = converted(format, pcmFormat({ channels: outputs }), bytes)
    expect(ours.length).toBe(judged.length)
    let most = 0
    for (let at = 0; at < ours.length; at += 2) {
      most = Math.max(most, Math.abs(ours.readInt16LE(at) - judged.readInt16LE(at)))
    }
    expect(most).toBeLessThanOrEqual(1)
  })
})
