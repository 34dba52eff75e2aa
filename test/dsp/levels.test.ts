import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { LevelMeter, measureLevels } from '../../src/dsp/levels.ts'
import type { Encoding } from '../../src/format/encoding.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { allEncodings, formats } from '../format/arbitraries.ts'

/** One sample at a time, by the book; G.711 by the formulas of ITU-T G.711, which know no table. */
const readers: Record<Encoding, (view: DataView, at: number) => number> = {
  u8: (view, at) => (view.getUint8(at) - 128) / 128,
  s16le: (view, at) => view.getInt16(at, true) / 2 ** 15,
  s24le: (view, at) => (view.getInt8(at + 2) * 2 ** 16 + view.getUint16(at, true)) / 2 ** 23,
  s32le: (view, at) => view.getInt32(at, true) / 2 ** 31,
  f32le: (view, at) => view.getFloat32(at, true),
  f64le: (view, at) => view.getFloat64(at, true),
  mulaw(view, at) {
    const code = 255 - view.getUint8(at)
    const magnitude = (2 * (code % 16) + 33) * 2 ** (Math.floor(code / 16) % 8) - 33
    return (code >= 128 ? -magnitude : magnitude) / 2 ** 13
  },
  alaw(view, at) {
    const code = view.getUint8(at) ^ 0x55
    const segment = Math.floor(code / 16) % 8
    const magnitude = (2 * (code % 16) + 1 + (segment > 0 ? 32 : 0)) * 2 ** Math.max(0, segment - 1)
    return (code >= 128 ? magnitude : -magnitude) / 2 ** 12
  },
  s16be: (view, at) => view.getInt16(at) / 2 ** 15,
  s24be: (view, at) => (view.getInt8(at) * 2 ** 16 + view.getUint16(at + 1)) / 2 ** 23,
  s32be: (view, at) => view.getInt32(at) / 2 ** 31,
  f32be: (view, at) => view.getFloat32(at),
}

const ends: Record<Encoding, [low: number, high: number]> = {
  u8: [-1, 127 / 128],
  s16le: [-1, 1 - 2 ** -15],
  s24le: [-1, 1 - 2 ** -23],
  s32le: [-1, 1 - 2 ** -31],
  f32le: [-1, 1],
  f64le: [-1, 1],
  mulaw: [-32_124 / 32_768, 32_124 / 32_768],
  alaw: [-32_256 / 32_768, 32_256 / 32_768],
  s16be: [-1, 1 - 2 ** -15],
  s24be: [-1, 1 - 2 ** -23],
  s32be: [-1, 1 - 2 ** -31],
  f32be: [-1, 1],
}

function samplesOf(bytes: Uint8Array, encoding: Encoding): number[] {
  const { bytesPerSample } = pcmFormat({ encoding })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / bytesPerSample }, (_, i) =>
    readers[encoding](view, i * bytesPerSample),
  )
}

function expected(samples: number[], [low, high]: [low: number, high: number]) {
  const numbers = samples.filter((sample) => !Number.isNaN(sample))
  const [min, max] = numbers.length > 0 ? [Math.min(...numbers), Math.max(...numbers)] : [0, 0]
  const mean = numbers.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
  return {
    min,
    max,
    peak: 20 * Math.log10(Math.max(Math.abs(min), Math.abs(max))),
    rms: 10 * Math.log10(mean),
    clipped: numbers.filter((sample) => sample <= low || sample >= high).length,
  }
}

/** Equal, but for how doubles were rounded on the way. */
function expectClose(actual: object, wanted: Record<string, number>) {
  for (const [name, value] of Object.entries(wanted)) {
    const got = actual[name as keyof typeof actual] as number
    if (Number.isFinite(value))
      expect(Math.abs(got - value) <= 1e-9 * Math.max(1, Math.abs(value)), name).toBe(true)
    else expect(got, name).toBe(value)
  }
}

/** Bytes of any value, the ends of the range among them: as floats they are huge, tiny, and no numbers. */
const anyFormat = fc
  .tuple(formats, fc.constantFrom(...allEncodings))
  .map(([{ sampleRate, channels }, encoding]) => pcmFormat({ sampleRate, channels, encoding }))
const pcm = anyFormat.chain((format) => {
  const byte = fc.oneof({ weight: 4, arbitrary: fc.nat(255) }, fc.constantFrom(0, 127, 128, 255))
  const length = { minLength: format.bytesPerFrame, maxLength: 200 * format.bytesPerFrame }
  return fc.array(byte, { ...length, size: 'max' }).map((bytes) => {
    const whole = bytes.slice(0, bytes.length - (bytes.length % format.bytesPerFrame))
    return { format, bytes: Uint8Array.from(whole) }
  })
})

test('agrees with a plain count, in every encoding, for any samples', () => {
  fc.assert(
    fc.property(pcm, ({ format, bytes }) => {
      const { channels, encoding } = format
      const samples = samplesOf(bytes, encoding)
      fc.pre(samples.every((sample) => !(Math.abs(sample) > 1e150))) // their squares overflow a double
      const levels = measureLevels(bytes, format)
      expectClose(levels, expected(samples, ends[encoding]))
      expect(levels.channels.length).toBe(channels)
      for (const [channel, level] of levels.channels.entries()) {
        const own = samples.filter((_, i) => i % channels === channel)
        expectClose(level, expected(own, ends[encoding]))
      }
    }),
    { numRuns: 600 },
  )
})

test('gives the very same for every cut into whole frames, at any alignment', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 9 })
  fc.assert(
    fc.property(pcm, cuts, fc.nat(7), ({ format, bytes }, counts, offset) => {
      const meter = new LevelMeter(format)
      const shifted = new Uint8Array(bytes.length + offset)
      shifted.set(bytes, offset)
      for (let at = offset, i = 0; at < shifted.length; i++) {
        const end = at + counts[i % counts.length]! * format.bytesPerFrame
        meter.add(shifted.subarray(at, end))
        at = end
      }
      expect(meter.frames).toBe(bytes.length / format.bytesPerFrame)
      expect(meter.take()).toEqual(measureLevels(bytes, format))
    }),
    { numRuns: 300 },
  )
})

test('gives the very same without WebAssembly', async () => {
  vi.stubGlobal('WebAssembly', undefined)
  vi.resetModules()
  const plain = await import('../../src/dsp/levels.ts')
  fc.assert(
    fc.property(pcm, ({ format, bytes }) => {
      expect(plain.measureLevels(bytes, format)).toEqual(measureLevels(bytes, format))
    }),
  )
  vi.unstubAllGlobals()
})

test('pieces longer than a block are measured to their end', () => {
  for (const encoding of allEncodings) {
    const format = pcmFormat({ encoding, channels: 3 })
    const bytes = Buffer.alloc(20_001 * format.bytesPerFrame)
    const silence = measureLevels(bytes, format)
    bytes.fill(0x3f, bytes.length - format.bytesPerSample)
    const { channels } = measureLevels(bytes, format)
    expect(channels.slice(0, 2)).toEqual(silence.channels.slice(0, 2))
    expect(channels[2]).not.toEqual(silence.channels[2])
  }
})

describe('the scale of dBFS', () => {
  const format = pcmFormat({ encoding: 'f32le' })
  const measure = (sample: (i: number) => number) =>
    measureLevels(new Uint8Array(Float32Array.from({ length: 16_000 }, (_, i) => sample(i)).buffer), format)

  test('a square of full scale has a peak and an RMS of 0, a sine an RMS of -3.01', () => {
    expect(measure((i) => (i % 2 ? 1 : -1))).toMatchObject({ peak: 0, rms: 0, clipped: 16_000 })
    const sine = measure((i) => Math.sin((i * Math.PI) / 8))
    expect(sine.peak).toBeCloseTo(0, 6)
    expect(sine.rms).toBeCloseTo(-3.0103, 4)
  })

  test('silence is at -Infinity, samples beyond full scale are above 0, and NaN is ignored', () => {
    const silence = { min: 0, max: 0, peak: -Infinity, rms: -Infinity, clipped: 0 }
    expect(measure(() => 0)).toEqual({ ...silence, channels: [silence] })
    expect(measure(() => 2)).toMatchObject({ peak: 20 * Math.log10(2), clipped: 16_000 })
    expect(measure(() => Number.NaN)).toMatchObject(silence)
    expect(measureLevels(new Uint8Array(0), format)).toMatchObject(silence)
  })

  test('the ends of the range are distinguished from the values next to them', () => {
    const samples = Int16Array.of(32_767, -32_768, 32_766, -32_767, 0)
    expect(measureLevels(new Uint8Array(samples.buffer), pcmFormat()).clipped).toBe(2)
  })
})
