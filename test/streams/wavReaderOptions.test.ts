import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type PcmFormat, pcmFormat } from '../../src/format/pcmFormat.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { convert } from '../../src/streams/convert.ts'
import { WavReaderKernel, type WavReaderOptions, wavReader } from '../../src/streams/wavReader.ts'
import { chunkings, formats, pattern } from '../format/arbitraries.ts'
import { chunkOf, entryOf, infoOf } from '../format/riff.ts'
import { chunkOfSize, extension, fmtChunk, riffFile } from '../format/riffFiles.ts'
import { runKernel } from './kernels.ts'

const WAV = expect.objectContaining({ code: 'ERR_WAVESPOOL_WAV' })
const RANGE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' })
const TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const wanted = pcmFormat()

function wav(format: PcmFormat, pcm: Uint8Array): Buffer {
  return Buffer.concat([makeWavHeader(format, { dataBytes: pcm.length }), pcm, Buffer.alloc(pcm.length % 2)])
}

async function read(pieces: Uint8Array[], options: WavReaderOptions = {}) {
  const reader = Readable.from(pieces, { objectMode: false }).pipe(wavReader(options))
  const told: unknown[] = []
  reader.on('format', (format: unknown) => told.push(format))
  reader.on('next', () => told.push('next'))
  reader.on('truncated', () => told.push('truncated'))
  return { pcm: Buffer.concat(await reader.toArray()), told, reader }
}

describe('{ to }', () => {
  test('gives the same as convert(), for every format and chunking', async () => {
    const files = formats
      .filter(({ channels, sampleRate }) => channels !== 11 && sampleRate > 1)
      .chain((from) =>
        chunkings(wav(from, pattern(300 * from.bytesPerFrame))).map((pieces) => ({ from, pieces })),
      )
    await fc.assert(
      fc.asyncProperty(files, async ({ from, pieces }) => {
        const { pcm, told, reader } = await read(pieces, { to: wanted })
        const stage = Readable.from([pattern(300 * from.bytesPerFrame)], { objectMode: false }).pipe(
          convert(from, wanted),
        )
        expect(pcm.equals(Buffer.concat(await stage.toArray()))).toBe(true)
        expect(told).toEqual([wanted])
        expect([reader.format, reader.header?.format]).toEqual([wanted, from])
      }),
      { numRuns: 60 },
    )
  })

  test('takes one channel, and mixes by the loudspeakers that the file names', async () => {
    const format = pcmFormat({ channels: 3 })
    const pcm = Buffer.from(Int16Array.of(100, 200, 10_000, -50, -150, 10_000).buffer)
    const lfe = riffFile([
      fmtChunk({ tag: 0xfffe, channels: 3, rest: extension({ mask: 0xb }) }),
      chunkOf('data', pcm),
    ])
    const samples = async (bytes: Buffer, options: WavReaderOptions) => [
      ...new Int16Array(Uint8Array.from((await read([bytes], options)).pcm).buffer),
    ]
    expect(await samples(lfe, { to: wanted })).toEqual([150, -100])
    expect(await samples(wav(format, pcm), { to: wanted, channel: 1 })).toEqual([200, -150])
  })

  test('a file that cannot be converted to it fails, and the error names the remedies', async () => {
    const eleven = wav(pcmFormat({ channels: 11 }), pattern(2200))
    await expect(read([eleven], { to: pcmFormat({ channels: 2 }) })).rejects.toThrow(RANGE)
    await expect(read([wav(wanted, pattern(20))], { to: wanted, channel: 1 })).rejects.toThrow(RANGE)
  })

  test('is checked at once', () => {
    expect(() => wavReader({ to: { sampleRate: 16_000 } as never })).toThrow(TYPE)
    expect(() => wavReader({ channel: 0 })).toThrow(TYPE)
    expect(() => wavReader({ to: wanted, dither: 'loud' as never })).toThrow(TYPE)
    expect(() => wavReader({ to: wanted, channel: -1 })).toThrow(RANGE)
    expect(() => wavReader({ to: pcmFormat({ channels: 2 }), channel: 0 })).toThrow(RANGE)
    expect(() => wavReader({ onNext: 'all' as never })).toThrow(TYPE)
  })
})

describe('WAV files behind one another', () => {
  const pcm = pattern(1000)
  const exact = wav(wanted, pcm)
  const open = Buffer.concat([makeWavHeader(wanted), pcm])
  const tagged = riffFile([fmtChunk(), chunkOf('data', pcm), infoOf(entryOf('INAM', 'a title'))])
  const odd = wav(pcmFormat({ encoding: 'u8' }), pcm.subarray(0, 999))
  const zeros = riffFile([fmtChunk(), chunkOfSize('data', pcm, 0)], { size: 0 })

  test.each([
    ['of known lengths', [exact, exact, exact]],
    ['of open lengths, as services send speech', [open, open, open]],
    ['with sizes of 0', [zeros, zeros, zeros]],
    ['with tags between', [tagged, tagged, tagged]],
    ['of all kinds', [open, tagged, exact]],
  ])('%s: are reported, and read when asked to, in every chunking', async (_name, files) => {
    await fc.assert(
      fc.asyncProperty(chunkings(Buffer.concat(files)), async (pieces) => {
        const first = await read(pieces)
        expect(first.told).toEqual([wanted, 'next'])
        expect(first.pcm.equals(pcm)).toBe(true)
        const all = await read(pieces, { onNext: 'read' })
        expect(all.told).toEqual([wanted, 'next', 'next'])
        expect(all.pcm.equals(Buffer.concat([pcm, pcm, pcm]))).toBe(true)
      }),
      { numRuns: 25 },
    )
  })

  test('of other formats are an error, or are converted to one format', async () => {
    const pieces = [Buffer.concat([odd, exact])]
    await expect(read(pieces, { onNext: 'read' })).rejects.toThrow(WAV)
    const { pcm: both } = await read(pieces, { onNext: 'read', to: wanted })
    expect(both.length).toBe(2 * 999 + 1000)
    expect(both.subarray(2 * 999).equals(pcm)).toBe(true)
  })

  test('samples that only look like the beginning of a WAV file stay samples', async () => {
    const samples = Buffer.from('RIFF and WAVE, RIFFRIFF RIF', 'latin1')
    for (const bytes of [open, Buffer.concat([makeWavHeader(wanted), samples, Buffer.alloc(1)])]) {
      for (const step of [1, 3, 7, 1000]) {
        const pieces: Buffer[] = []
        for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step))
        expect((await read(pieces)).pcm.equals(bytes.subarray(44))).toBe(true)
      }
    }
  })
})

describe('a file of chunks without an end', () => {
  test('the reader stops at zeros behind the samples, and fails soon at zeros in front of them', () => {
    const kernel = new WavReaderKernel()
    kernel.push(wav(wanted, pattern(1000)), [])
    expect(kernel.isDone).toBe(false)
    kernel.push(Buffer.alloc(8), [])
    expect(kernel.isDone).toBe(true)
    const { error } = runKernel(new WavReaderKernel(), [
      Buffer.concat([riffFile([fmtChunk()]), Buffer.alloc(8192)]),
    ])
    expect(error).toMatchObject({ message: 'this WAV file holds zeros where its samples should begin' })
  })

  test('the reader fails at endless chunks of no size, too', () => {
    const chunks = Buffer.alloc(8 * (2 ** 18 + 2), 'abcd\0\0\0\0')
    const { error } = runKernel(new WavReaderKernel(), [Buffer.concat([riffFile([fmtChunk()]), chunks])])
    expect(error).toEqual(WAV)
    const kernel = new WavReaderKernel()
    kernel.push(Buffer.concat([wav(wanted, pattern(1000)), chunks]), [])
    expect(kernel.isDone).toBe(true)
  })
})
