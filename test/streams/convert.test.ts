import { once } from 'node:events'
import { Duplex, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import {
  type ConvertOptions,
  convert,
  type PcmFormat,
  pcmFormat,
  VirtualFile,
  wavHeader,
} from '../../src/index.ts'
import { ConvertKernel } from '../../src/streams/convert.ts'
import { allEncodings, chunkings, pattern } from '../format/arbitraries.ts'
import { runKernel } from './kernels.ts'

const ARG_TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const ARG_RANGE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' })
const PARTIAL = expect.objectContaining({ code: 'ERR_WAVESPOOL_PARTIAL_FRAME' })

/** The output of a new kernel for these chunks, and its error. */
async function converted(
  from: PcmFormat,
  to: PcmFormat,
  options: ConvertOptions,
  chunks: readonly Uint8Array[],
) {
  const kernel = new ConvertKernel(from, to, options)
  return runKernel(kernel, chunks)
}

test('a sample of NaN or infinity does not change its neighbours', async () => {
  const from = pcmFormat({ sampleRate: 48_000, channels: 2, encoding: 'f32le' })
  const tone = Float32Array.from({ length: 9600 }, (_, i) => 0.5 * Math.sin((i >> 1) / 9))
  const bytes = (samples: Float32Array) => new Uint8Array(samples.buffer)
  for (const to of [pcmFormat({ encoding: 'f32le' }), pcmFormat({ sampleRate: 48_000 })]) {
    const of = async (at: number, value: number) =>
      Buffer.concat((await converted(from, to, {}, [bytes(tone.with(at, value))])).out)
    expect((await of(4000, Number.NaN)).equals(await of(4000, 0))).toBe(true)
    expect((await of(4000, Number.POSITIVE_INFINITY)).equals(await of(4000, 1))).toBe(true)
    expect((await of(4000, Number.NEGATIVE_INFINITY)).equals(await of(4000, -1))).toBe(true)
  }
})

const format = fc
  .record({
    sampleRate: fc.constantFrom(8000, 16_000, 44_100, 48_000),
    channels: fc.constantFrom(1, 2, 3, 6),
    encoding: fc.constantFrom(...allEncodings),
  })
  .map(pcmFormat)
const options = fc.record({ dither: fc.constantFrom('none' as const, 'tpdf' as const) })

test('whole frames of the exact length, the same bytes for every chunking, then the half frame as an error', async () => {
  const input = fc.nat(4000).chain((length) => chunkings(pattern(length)))
  await fc.assert(
    fc.asyncProperty(format, format, options, input, async (from, to, options, chunks) => {
      const whole = Buffer.concat(chunks)
      const frames = Math.floor(whole.length / from.bytesPerFrame)
      const { out, error } = await converted(from, to, options, chunks)
      const atOnce = await converted(from, to, options, [whole])
      const bytes = Buffer.concat(out)
      expect(bytes.equals(Buffer.concat(atOnce.out))).toBe(true)
      expect(bytes.length).toBe(Math.round((frames * to.sampleRate) / from.sampleRate) * to.bytesPerFrame)
      for (const piece of out) expect(piece.length % to.bytesPerFrame).toBe(0)
      if (whole.length % from.bytesPerFrame === 0) expect(error).toBeUndefined()
      else expect(error).toEqual(PARTIAL)
    }),
    { numRuns: 400 },
  )
})

test('a picked channel is converted as that channel alone', async () => {
  await fc.assert(
    fc.asyncProperty(format, format, fc.nat(5), fc.nat(600), async (from, to, channel, frames) => {
      fc.pre(channel < from.channels)
      const bytes = pattern(frames * from.bytesPerFrame)
      const alone = Buffer.concat(
        Array.from({ length: frames }, (_, i) => {
          const at = i * from.bytesPerFrame + channel * from.bytesPerSample
          return bytes.subarray(at, at + from.bytesPerSample)
        }),
      )
      const target = pcmFormat({ ...to, channels: 1 })
      const picked = await converted(from, target, { channel }, [bytes])
      const expected = await converted(pcmFormat({ ...from, channels: 1 }), target, {}, [alone])
      expect(Buffer.concat(picked.out).equals(Buffer.concat(expected.out))).toBe(true)
    }),
    { numRuns: 150 },
  )
})

test('samples that stay the same are passed through without a copy', () => {
  for (const options of [{}, { channel: 0 }, { dither: 'tpdf' }] satisfies ConvertOptions[]) {
    const bytes = pattern(1000)
    const out: Uint8Array[] = []
    new ConvertKernel(pcmFormat(), pcmFormat(), options).push(bytes, { push: (piece) => out.push(piece) })
    expect(out).toEqual([bytes])
    expect(out[0]!.buffer).toBe(bytes.buffer)
  }
})

test('output lies in memory of its own, which later input does not change', () => {
  const kernel = new ConvertKernel(pcmFormat({ sampleRate: 48_000 }), pcmFormat(), {})
  const pieces: Uint8Array[] = []
  const copies: Uint8Array[] = []
  const out = {
    push: (piece: Uint8Array) => {
      pieces.push(piece)
      copies.push(Uint8Array.from(piece))
    },
  }
  for (const byte of [1, 2, 3]) kernel.push(Buffer.alloc(20_000, byte), out)
  expect(pieces).toHaveLength(3)
  for (const [i, piece] of pieces.entries()) expect(Uint8Array.from(piece)).toEqual(copies[i])
  // They may be neighbours in a pool of Node's, whose size differs from version to version, but not share a byte.
  for (const a of pieces) {
    for (const b of pieces.filter((other) => other !== a && other.buffer === a.buffer)) {
      expect(a.byteOffset + a.length <= b.byteOffset || b.byteOffset + b.length <= a.byteOffset).toBe(true)
    }
  }
})

describe('in streams', () => {
  const [from, to] = [
    pcmFormat({ sampleRate: 48_000, channels: 2, encoding: 'f32le' }),
    pcmFormat({ encoding: 's24le' }),
  ]
  const input = new Uint8Array(Float32Array.from({ length: 96_000 }, (_, i) => Math.sin(i / 50) / 2).buffer)
  const pieces = () => Array.from({ length: 100 }, (_, i) => input.subarray(i * 3840, (i + 1) * 3840))
  const expected = converted(from, to, {}, [input]).then(({ out }) => Buffer.concat(out))

  function collecting() {
    const chunks: Buffer[] = []
    const stream = new Writable({
      write(bytes, _encoding, callback) {
        chunks.push(bytes)
        callback()
      },
    })
    return { stream, bytes: () => Buffer.concat(chunks) }
  }

  test('pipeline(), chain() and .pipe()', async () => {
    for (const stage of [convert(from, to), chain([convert(from, to)])]) {
      const sink = collecting()
      await pipeline(Readable.from(pieces()), stage, sink.stream)
      expect(sink.bytes().equals(await expected)).toBe(true)
    }
    const sink = collecting()
    Readable.from(pieces()).pipe(convert(from, to)).pipe(sink.stream)
    await once(sink.stream, 'finish')
    expect(sink.bytes().equals(await expected)).toBe(true)
  })

  test('two behind each other', async () => {
    const [first, second] = [
      convert(from, pcmFormat({ encoding: 'f64le' })),
      convert(pcmFormat({ encoding: 'f64le' }), to),
    ]
    const sink = collecting()
    await pipeline(Readable.from(pieces()), first, second, sink.stream)
    expect(sink.bytes().equals(await expected)).toBe(true)
  })

  test('Duplex.toWeb()', async () => {
    const sink = collecting()
    const { readable, writable } = Duplex.toWeb(convert(from, to))
    const written = Readable.toWeb(Readable.from(pieces())).pipeTo(writable as never)
    await Promise.all([written, readable.pipeTo(Writable.toWeb(sink.stream) as never)])
    expect(sink.bytes().equals(await expected)).toBe(true)
  })

  test('half a frame at the end fails after everything in front of it is in the file', async () => {
    const file = new VirtualFile()
    const source = Readable.from([...pieces(), Buffer.alloc(5)])
    await expect(pipeline(source, convert(from, to), wavHeader(to), file)).rejects.toEqual(PARTIAL)
    expect((await file.toBuffer()).subarray(44).equals(await expected)).toBe(true)
  })

  test('an empty input gives an empty output', async () => {
    const stage = convert(from, to)
    stage.end()
    expect(await stage.toArray()).toEqual([])
  })
})

describe('bad arguments throw at once', () => {
  const stereo = pcmFormat({ channels: 2 })
  const mono = pcmFormat()

  test('formats', () => {
    for (const bad of [undefined, null, {}, 's16le', { sampleRate: 16_000 }]) {
      expect(() => convert(bad as never, mono)).toThrow(ARG_TYPE)
      expect(() => convert(mono, bad as never)).toThrow(ARG_TYPE)
      expect(() => convert(mono, bad as never)).toThrow(/second/)
    }
    expect(() => convert(pcmFormat({ channels: 9 }), stereo)).toThrow(ARG_RANGE)
    expect(() => convert(pcmFormat({ sampleRate: 192_000 }), pcmFormat({ sampleRate: 100 }))).toThrow(
      ARG_RANGE,
    )
  })

  test('options', () => {
    for (const bad of [null, 1, 'channel'])
      expect(() => convert(stereo, mono, bad as never)).toThrow(ARG_TYPE)
    for (const channel of [null, '1', true]) {
      expect(() => convert(stereo, mono, { channel: channel as never })).toThrow(ARG_TYPE)
    }
    for (const channel of [-1, 2, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => convert(stereo, mono, { channel })).toThrow(ARG_RANGE)
    }
    expect(() => convert(stereo, stereo, { channel: 1 })).toThrow(ARG_RANGE)
    for (const dither of [true, 'rpdf', 1]) {
      expect(() => convert(stereo, mono, { dither: dither as never })).toThrow(ARG_TYPE)
    }
  })
})
