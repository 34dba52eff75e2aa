import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Converter } from '../../../src/dsp/converter.ts'
import { pcmFormat } from '../../../src/format/pcmFormat.ts'
import { hasTool, run } from '../../oracles/tools.ts'
import { random } from '../samples.ts'
import { polyphase } from './polyphase.ts'

/** Interleaved floats at another rate, all at once. */
async function resample(
  samples: Float32Array,
  from: number,
  to: number,
  channels = 1,
): Promise<Float32Array> {
  const [source, target] = [from, to].map((sampleRate) =>
    pcmFormat({ sampleRate, channels, encoding: 'f32le' }),
  )
  const converter = new Converter(source!, target!, {}, 'test')
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  const parts = [converter.convert(bytes), converter.finish()]
  return new Float32Array(new Uint8Array(Buffer.concat(parts)).buffer)
}

const tone = (rate: number, hertz: number, seconds = 0.5) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate))

/** The level of a tone's remains, in dB of the tone; the ends, where it sets in, are left out. */
function level(samples: Float32Array): number {
  const middle = samples.subarray(samples.length * 0.2, samples.length * 0.8)
  return 20 * Math.log10(Math.sqrt((2 * middle.reduce((sum, x) => sum + x * x, 0)) / middle.length))
}

/** Twelve tones with any phases, up to 84 % of the band that both rates have; fading in and out. */
function chord(from: number, to: number, length = Math.round(from * 0.3)): Float32Array {
  const next = random(7)
  const band = Math.min(from, to) / 2
  const tones = Array.from({ length: 12 }, (_, i) => ({
    hertz: ((i + 1) / 12) * 0.84 * band,
    phase: next() * 6.28,
  }))
  return Float32Array.from({ length }, (_, i) => {
    const fade = Math.sin((Math.PI * i) / length) ** 2
    return (
      fade * tones.reduce((sum, t) => sum + Math.sin((2 * Math.PI * t.hertz * i) / from + t.phase) / 12, 0)
    )
  })
}

/** The difference of two signals in dB of full scale, at its largest. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!))
  return 20 * Math.log10(most)
}

const rates: [number, number][] = [
  [48_000, 16_000],
  [44_100, 16_000],
  [44_101, 16_000],
  [44_100, 8000],
  [22_050, 16_000],
  [8000, 16_000],
  [16_000, 48_000],
  [16_000, 44_100],
  [96_000, 8000],
  [16_000, 15_999],
]

describe('from 48 to 16 kHz', () => {
  test('tones from 9 to 20 kHz come back at least 80 dB down', async () => {
    for (let hertz = 9000; hertz <= 20_000; hertz += 250) {
      expect(level(await resample(tone(48_000, hertz), 48_000, 16_000))).toBeLessThan(-80)
    }
  })

  test('the band is flat within 0.1 dB to 6.8 kHz', async () => {
    for (const hertz of [50, 100, 300, 1000, 2000, 3000, 4000, 5000, 6000, 6400, 6800]) {
      expect(Math.abs(level(await resample(tone(48_000, hertz), 48_000, 16_000)))).toBeLessThan(0.1)
    }
  })
})

describe.each(rates)('from %i to %i Hz', (from, to) => {
  test('gives the same samples at the same times as a plain polyphase filter', async () => {
    const input = chord(from, to)
    const ours = await resample(input, from, to)
    const reference = polyphase(input, from, to)
    expect(ours.length).toBe(reference.length)
    expect(difference(ours, reference)).toBeLessThan(-95)
  })

  test.runIf(hasTool('sox'))('gives the same as sox', async () => {
    const input = chord(from, to)
    const raw = (rate: number) => [
      '-t',
      'raw',
      '-c',
      '1',
      '-e',
      'floating-point',
      '-b',
      '32',
      '-r',
      String(rate),
    ]
    const command = ['-D', ...raw(from), '-', ...raw(to), '-', 'rate', '-v', String(to)]
    const judged = run('sox', command, new Uint8Array(input.buffer))
    const reference = new Float32Array(new Uint8Array(judged).buffer)
    const ours = await resample(input, from, to)
    expect(Math.abs(ours.length - reference.length)).toBeLessThanOrEqual(1) // its rounding is its own
    expect(difference(ours.subarray(0, reference.length), reference)).toBeLessThan(-95)
  })
})

test('any length comes out exact', async () => {
  const rate = fc.constantFrom(1000, 7999, 8000, 11_025, 16_000, 22_050, 44_100, 44_101, 48_000, 192_000)
  await fc.assert(
    fc.asyncProperty(
      rate,
      rate,
      fc.nat(3000),
      fc.integer({ min: 1, max: 3 }),
      async (from, to, frames, channels) => {
        fc.pre(from !== to)
        const out = await resample(new Float32Array(frames * channels), from, to, channels)
        expect(out.length).toBe(Math.round((frames * to) / from) * channels)
      },
    ),
    { numRuns: 200 },
  )
})

test('each channel comes out as it does alone', async () => {
  const parts = [chord(44_100, 16_000), tone(44_100, 440, 0.3), chord(44_100, 8000)]
  const frames = parts[0]!.length
  const joined = Float32Array.from({ length: frames * 3 }, (_, i) => parts[i % 3]![Math.floor(i / 3)]!)
  const out = await resample(joined, 44_100, 16_000, 3)
  for (const [channel, part] of parts.entries()) {
    expect(out.filter((_, i) => i % 3 === channel)).toEqual(await resample(part, 44_100, 16_000))
  }
})

describe('rates that cannot be converted', () => {
  test.each([
    [16_000, 62],
    [62, 16_000],
  ])('%i to %i Hz', (from, to) => {
    const [source, target] = [from, to].map((sampleRate) => pcmFormat({ sampleRate }))
    const make = () => new Converter(source!, target!, {}, 'test')
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' }))
  })

  test('the largest ratio works, both ways', async () => {
    expect((await resample(new Float32Array(25_600).fill(0.5), 256, 1)).length).toBe(100)
    const up = await resample(new Float32Array(200).fill(0.5), 1, 256)
    expect(up.length).toBe(51_200)
    expect(up[25_600]).toBeCloseTo(0.5, 4)
  })
})
