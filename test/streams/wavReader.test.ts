import { Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import { type PcmFormat, pcmFormat } from '../../src/format/pcmFormat.ts'
import type { WavInfo } from '../../src/format/readWavHeader.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { VirtualFile } from '../../src/sinks/virtualFile.ts'
import { limit } from '../../src/streams/limit.ts'
import { meter } from '../../src/streams/meter.ts'
import { wavHeader } from '../../src/streams/wavHeader.ts'
import { type Truncation, WavReaderKernel, wavReader } from '../../src/streams/wavReader.ts'
import { chunkings, formats, pattern } from '../format/arbitraries.ts'
import { chunkOf, entryOf, infoOf, insert } from '../format/riff.ts'
import { rifxFile } from '../format/riffFiles.ts'
import { runKernel } from './kernels.ts'

const ARG_TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const WAV = expect.objectContaining({ code: 'ERR_WAVESPOOL_WAV' })
const TRUNCATED = expect.objectContaining({ code: 'ERR_WAVESPOOL_TRUNCATED' })

/** The result of the kernel for a file that comes in these pieces. */
function read(...pieces: Uint8Array[]) {
  const kernel = new WavReaderKernel()
  const truncations: Truncation[] = []
  const formats: PcmFormat[] = []
  kernel.onTruncated = (truncation) => truncations.push(truncation)
  kernel.onFormat = (format) => formats.push(format)
  const { out, error } = runKernel(kernel, pieces)
  return { kernel, out, pcm: Buffer.concat(out), error, truncations, formats }
}

/** A header with these sizes, right or wrong. */
function headerWith(sizes: { riff?: number; data: number }, format = pcmFormat()): Buffer {
  const header = Buffer.from(makeWavHeader(format))
  header.writeUInt32LE(sizes.riff ?? 0xffffffff, 4)
  header.writeUInt32LE(sizes.data, header.length - 4)
  return header
}

test('puts out every sample in whole frames, for every format, header and chunking', () => {
  const files = fc
    .record({
      format: formats,
      frames: fc.nat(40),
      rf64: fc.boolean(),
      isOpen: fc.boolean(),
      before: fc.constantFrom(Buffer.alloc(0), infoOf(entryOf('INAM', 'x')), chunkOf('bext', pattern(31))),
    })
    .map(({ format, frames, rf64, isOpen, before }) => {
      const pcm = pattern(frames * format.bytesPerFrame)
      const header = makeWavHeader(format, isOpen ? { rf64 } : { rf64, dataBytes: pcm.length })
      const tail = isOpen ? [] : [Buffer.alloc(pcm.length % 2), chunkOf('LIST', pattern(9))]
      return { format, pcm, bytes: Buffer.concat([insert(header, before), pcm, ...tail]) }
    })
  const inPieces = files.chain((file) => chunkings(file.bytes).map((pieces) => ({ ...file, pieces })))
  fc.assert(
    fc.property(inPieces, ({ format, pcm, pieces }) => {
      const result = read(...pieces)
      expect(result.error).toBeUndefined()
      expect(result.formats).toEqual([format])
      expect(result.pcm.equals(pcm)).toBe(true)
      for (const piece of result.out) expect(piece.length % format.bytesPerFrame).toBe(0)
      expect(result.truncations).toEqual([])
    }),
    { numRuns: 500 },
  )
})

describe('a length left open means to the end', () => {
  const samples = pattern(2000)
  const placeholders = [
    0,
    0x7fffefff,
    0x7ffff000,
    0x7fffffff,
    0x80000000,
    2 ** 32 - 101,
    0xfffffffe,
    0xffffffff,
  ]

  test.each(placeholders)('%i', (data) => {
    for (const riff of [0, 36, (data + 36) % 2 ** 32, 0x7fffffff, 0xffffffff]) {
      const { pcm, truncations, error } = read(headerWith({ riff, data }), samples)
      expect(error).toBeUndefined()
      expect(pcm.equals(samples)).toBe(true)
      expect(truncations).toEqual([])
    }
  })

  test('also in RF64, with an empty ds64', () => {
    for (const dataBytes of [0n, 2n ** 64n - 1n, 0xffffffffn]) {
      const header = Buffer.from(makeWavHeader(pcmFormat(), { rf64: true }))
      header.write('RF64')
      header.write('ds64', 12)
      header.writeBigUInt64LE(dataBytes, 28)
      const { pcm, truncations } = read(header, samples)
      expect(pcm.equals(samples)).toBe(true)
      expect(truncations).toEqual([])
    }
  })

  test('0 means none where another chunk follows, under every chunking', () => {
    const list = infoOf(entryOf('INAM', 'empty'))
    const file = Buffer.concat([headerWith({ riff: 36 + list.length, data: 0 }), list])
    fc.assert(
      fc.property(chunkings(file), (pieces) => {
        const { pcm, kernel, error } = read(...pieces)
        expect(error).toBeUndefined()
        expect(pcm.length).toBe(0)
        expect(kernel.tags).toEqual({ INAM: 'empty' })
      }),
    )
  })

  test('0 means none where the RIFF size counts the chunks behind, as libsndfile and sox have it', () => {
    for (const length of [2, 4, 6, 2000]) {
      const { pcm } = read(headerWith({ riff: 36 + length, data: 0 }), samples.subarray(0, length))
      expect(pcm.length).toBe(0)
    }
  })

  test('the pad byte behind odd samples of more than one byte is not taken for a cut frame', () => {
    const format = pcmFormat({ encoding: 's24le' })
    const { pcm, truncations } = read(headerWith({ data: 0xffffffff }, format), pattern(9), Buffer.alloc(1))
    expect(pcm.equals(pattern(9))).toBe(true)
    expect(truncations).toEqual([])
  })

  test('a frame that is cut off is reported', () => {
    const { pcm, truncations } = read(headerWith({ data: 0xffffffff }), pattern(101))
    expect(pcm.equals(pattern(100))).toBe(true)
    expect(truncations).toEqual([{ expectedBytes: 102, bytes: 100 }])
  })
})

describe('samples that end before the length announced', () => {
  const file = Buffer.concat([makeWavHeader(pcmFormat(), { dataBytes: 2000 }), pattern(1001)])

  test('are kept, and their end is reported', async () => {
    const reader = wavReader()
    const told: unknown[] = []
    reader.on('truncated', (truncation) => told.push(truncation))
    const pcm = await Readable.from([file]).pipe(reader).toArray()
    expect(Buffer.concat(pcm).equals(pattern(1000))).toBe(true)
    expect(told).toEqual([{ expectedBytes: 2000, bytes: 1000 }])
    expect(reader.truncation).toBe(told[0])
  })

  test("are an error with { onTruncated: 'error' }, after they have been delivered", async () => {
    const memo = new VirtualFile()
    const stages = [wavReader({ onTruncated: 'error' }), wavHeader(pcmFormat())]
    await expect(pipeline([Readable.from([file]), ...stages, memo] as never)).rejects.toThrow(TRUNCATED)
    expect((await memo.toBuffer()).subarray(44).equals(pattern(1000))).toBe(true)
    await memo.dispose()
  })

  test('are no error where the reader was stopped', async () => {
    const reader = wavReader({ onTruncated: 'error' })
    const source = Object.assign(new Readable({ read() {} }), { stop: () => source.push(null) })
    source.push(file)
    setTimeout(() => reader.stop(), 10)
    let bytes = 0
    reader.on('data', (piece) => {
      bytes += piece.length
    })
    await pipeline(source, reader)
    expect(bytes).toBe(1000)
  })

  test('a limit behind the reader is reached without an error', async () => {
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(640))
      },
    })
    endless.push(makeWavHeader(pcmFormat(), { dataBytes: 2 ** 20 }))
    const memo = new VirtualFile()
    const stages = [wavReader({ onTruncated: 'error' }), limit(pcmFormat(), { frames: 1000 })]
    await pipeline([endless, ...stages, memo] as never)
    expect(memo.size).toBe(2000)
    await memo.dispose()
  })
})

test('a length that is no multiple of a frame ends with the last whole frame', () => {
  const format = pcmFormat({ channels: 2 })
  const { pcm, truncations } = read(headerWith({ riff: 36 + 103, data: 103 }, format), pattern(104))
  expect(pcm.equals(pattern(100))).toBe(true)
  expect(truncations).toEqual([])
})

test('tags in front of the samples are known with the format, those behind at the end', async () => {
  const header = insert(makeWavHeader(pcmFormat(), { dataBytes: 3000 }), infoOf(entryOf('INAM', 'Äpfel')))
  const behind = Buffer.concat([
    chunkOf('cue ', pattern(5)),
    infoOf(entryOf('INAM', 'no'), entryOf('IART', 'me')),
  ])
  const reader = wavReader()
  const told: unknown[] = []
  reader.on('format', (format) => told.push(format, reader.tags.INAM, reader.tags.IART))
  Readable.from([header, pattern(3000), behind]).pipe(reader)
  expect(Buffer.concat(await reader.toArray()).equals(pattern(3000))).toBe(true)
  expect(reader.header).toMatchObject({
    dataBytes: 3000,
    dataStart: header.length,
  } satisfies Partial<WavInfo>)
  expect(told).toEqual([pcmFormat(), 'Äpfel', undefined])
  expect(reader.tags).toEqual({ INAM: 'Äpfel', IART: 'me' })
})

test('tags of a big-endian file are read at any place', async () => {
  const turned = (chunk: Buffer) => {
    chunk.subarray(4, 8).reverse()
    return chunk
  }
  const list = (id: string, text: string) => {
    const entry = turned(entryOf(id, text))
    return turned(chunkOf('LIST', Buffer.concat([Buffer.from('INFO'), entry])))
  }
  const file = rifxFile({}, pattern(3000))
  const reader = wavReader()
  const bytes = [file.subarray(0, 36), list('INAM', 'in front'), file.subarray(36), list('IART', 'behind')]
  Readable.from(bytes).pipe(reader)
  expect((await reader.toArray()).length).toBeGreaterThan(0)
  expect(reader.tags).toEqual({ INAM: 'in front', IART: 'behind' })
})

test("'format' comes before the first byte of PCM", async () => {
  const reader = wavReader()
  const told: string[] = []
  reader.on('format', () => told.push('format'))
  reader.on('data', () => told.push('data'))
  expect(reader.format).toBeUndefined()
  await pipeline(Readable.from([Buffer.concat([headerWith({ data: 0 }), pattern(4)])]), reader)
  expect(told).toEqual(['format', 'data'])
})

test('a giant list in front is skipped, not held', () => {
  const kernel = new WavReaderKernel()
  const header = makeWavHeader(pcmFormat(), { dataBytes: 2 })
  const list = infoOf()
  list.writeUInt32LE(2 ** 31, 4)
  const noise = Buffer.alloc(2 ** 20)
  const out: Uint8Array[] = []
  kernel.push(header.subarray(0, 36), out)
  kernel.push(list, out)
  const before = process.memoryUsage().arrayBuffers
  for (let left = 2 ** 31 - 4; left > 0; left -= noise.length) kernel.push(noise.subarray(0, left), out)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 17)
  kernel.push(header.subarray(36), out)
  kernel.push(pattern(2), out)
  expect(Buffer.concat(out).equals(pattern(2))).toBe(true)
  expect(kernel.header?.dataStart).toBe(36 + 8 + 2 ** 31 + 8)
})

test('of many lists no more than 64 KiB are kept', () => {
  const header = makeWavHeader(pcmFormat(), { dataBytes: 2 })
  const text = Buffer.alloc(9000, 65)
  const lists = Array.from({ length: 50 }, (_, i) => infoOf(entryOf(`I${100 + i}`, text)))
  const { kernel, pcm } = read(insert(header, ...lists), pattern(2), ...lists)
  expect(Object.keys(kernel.tags)).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => `I${100 + i}`))
  expect(pcm.equals(pattern(2))).toBe(true)
})

test('an RF64 file of 5 GiB is read to its end, and the bytes behind it are not', () => {
  const dataBytes = 5 * 2 ** 30
  const kernel = new WavReaderKernel()
  const truncations: Truncation[] = []
  kernel.onTruncated = (truncation) => truncations.push(truncation)
  let bytes = 0
  const out = { push: (piece: Uint8Array) => (bytes += piece.length) }
  const block = Buffer.alloc(2 ** 26)
  kernel.push(makeWavHeader(pcmFormat(), { rf64: true, dataBytes }), out)
  for (let sent = 0; sent < dataBytes - block.length; sent += block.length) kernel.push(block, out)
  kernel.flush(out)
  expect(truncations).toEqual([{ expectedBytes: dataBytes, bytes: dataBytes - block.length }])
  kernel.push(Buffer.concat([block, infoOf(entryOf('INAM', 'long'))]), out)
  kernel.flush(out)
  expect([bytes, truncations.length, kernel.tags]).toEqual([dataBytes, 1, { INAM: 'long' }])
})

test('a header that comes byte by byte costs each byte once', () => {
  // 200,000 chunks: to begin anew with each byte would look at 160,000,000,000 of them.
  const header = makeWavHeader(pcmFormat(), { dataBytes: 2 })
  const file = Buffer.concat([insert(header, Buffer.alloc(200_000 * 8, 'abcd\0\0\0\0')), pattern(2)])
  const kernel = new WavReaderKernel()
  const out: Uint8Array[] = []
  for (let at = 0; at < file.length; at++) kernel.push(file.subarray(at, at + 1), out)
  expect(out.length).toBe(1)
})

describe('input that is no WAV file', () => {
  const adpcm = headerWith({ data: 100 })
  adpcm.writeUInt16LE(0x11, 20)
  const noFmt = Buffer.concat([headerWith({ data: 4 }).subarray(0, 12), chunkOf('data', pattern(4))])
  test.each([
    ['nothing', Buffer.alloc(0), 'ends before its samples begin'],
    ['half a header', headerWith({ data: 4 }).subarray(0, 40), 'ends before its samples begin'],
    ['RIFX', Buffer.from('RIFX\0\0\0\0WAVE'), 'RIFX file ends before its samples begin'],
    ['text', Buffer.from('Once upon a time'), 'it begins with "Once"'],
    ['another RIFF file', Buffer.from('RIFF\0\0\0\0AVI LIST'), 'holds "AVI "'],
    ['a file without fmt', noFmt, 'no fmt chunk'],
    ['ADPCM', adpcm, 'format tag 17'],
  ])('%s fails with an error that describes it', async (_, bytes, words) => {
    for (const pieces of [[bytes], [...bytes].map((byte) => Buffer.from([byte]))]) {
      const reader = wavReader()
      const error = await pipeline(Readable.from(pieces), reader, async (pcm: AsyncIterable<Buffer>) => {
        for await (const _ of pcm) throw new Error('there are no samples')
      }).catch((reason) => reason)
      expect(error).toEqual(WAV)
      expect(error.message).toContain(words)
    }
  })
})

test('a follower of a recording with odd samples is read to its last whole sample', async () => {
  const format = pcmFormat({ encoding: 's24le' })
  const memo = new VirtualFile()
  const reader = memo.createReadStream({ follow: true }).pipe(wavReader({ onTruncated: 'error' }))
  await pipeline(Readable.from([pattern(33)]), wavHeader(format), memo)
  expect(Buffer.concat(await reader.toArray()).equals(pattern(33))).toBe(true)
  await memo.dispose()
})

describe('gives the same in every composition', () => {
  const file = Buffer.concat([makeWavHeader(pcmFormat(), { dataBytes: 50_000 }), pattern(50_000)])
  const source = () =>
    Readable.from(Array.from({ length: 51 }, (_, i) => file.subarray(i * 1000, i * 1000 + 1000)))
  const ways: Record<string, () => Promise<Buffer[]> | AsyncIterable<Uint8Array>> = {
    '.pipe()': () =>
      source()
        .pipe(wavReader())
        .pipe(meter(pcmFormat(), { every: { frames: 7 } })),
    'chain()': () => source().pipe(chain([wavReader(), meter(pcmFormat(), { every: { frames: 7 } })])),
    'Duplex.toWeb()': () => {
      const web = Readable.toWeb(source()).pipeThrough(Duplex.toWeb(wavReader()))
      return web.pipeThrough(Duplex.toWeb(meter(pcmFormat(), { every: { frames: 7 } })))
    },
    'compose()': () => source().compose(wavReader()).toArray(),
  }
  test.each(Object.entries(ways))('in %s', async (_, make) => {
    const pieces: Uint8Array[] = []
    for await (const piece of await make()) pieces.push(piece)
    expect(Buffer.concat(pieces).equals(pattern(50_000))).toBe(true)
  })
})

test('bad arguments throw at once', () => {
  for (const bad of [null, 'keep', 5, { onTruncated: 'ignore' }, { onTruncated: null }]) {
    expect(() => wavReader(bad as never)).toThrow(ARG_TYPE)
  }
})
