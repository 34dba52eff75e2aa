import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WavespoolError } from '../../src/errors.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { scanWavHeader } from '../../src/format/readWavHeader.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { VirtualFile } from '../../src/sinks/virtualFile.ts'
import { type Truncation, WavReaderKernel, wavReader } from '../../src/streams/wavReader.ts'
import { chunkings, pattern, wavEncodings } from '../format/arbitraries.ts'
import { chunkOf, entryOf, infoOf, insert } from '../format/riff.ts'
import {
  chunkOfSize,
  ds64Chunk,
  fmtChunk,
  id3Tag,
  riffFile,
  rifxFile,
  wave64File,
} from '../format/riffFiles.ts'
import { runKernel } from './kernels.ts'

const corpus = join(import.meta.dirname, '../format/malformed')
const load = (name: string) => readFileSync(join(corpus, `${name}.wav`))

/** The result for every file of the corpus; the files hold 20 bytes of samples, pattern(20), where they are whole. */
const recovered: Record<string, number | Truncation> = {
  'bits-12': 20,
  'block-align-0': 20,
  'block-align-3': 20,
  'byte-rate-0': 20,
  'chunk-of-no-name': 20,
  'chunks-of-size-0': 20,
  'data-cut-off': { expectedBytes: 20, bytes: 10 },
  'data-cut-within-a-frame-of-open-size': { expectedBytes: 20, bytes: 18 },
  'data-size-0': 0, // RIFF counts the chunks behind it
  'data-size-0-then-2-bytes': 0,
  'data-size-0-then-list': 0,
  'data-size-7ffff000': 20,
  'data-size-ffffffff': 20,
  'data-size-odd': 18,
  'data-twice': 20,
  'fmt-twice': 20,
  'info-entry-longer-than-its-list': 20,
  'info-entry-of-no-name': 20,
  'list-odd-without-pad': 20,
  'list-of-2-bytes': 20,
  'list-of-itself': 20,
  'rf64-longer-than-the-file': { expectedBytes: 2 ** 40, bytes: 20 },
  'rf64-of-0-bytes': 20,
  'rf64-of-2-64-bytes': 20,
  'rf64-with-a-size-of-its-own': { expectedBytes: 2 ** 40, bytes: 20 }, // ds64 counts, as libsndfile and ffmpeg have it
  'rf64-with-ds64-of-8-bytes': 20,
  'rf64-without-ds64': 20,
  'riff-size-0': 20,
  'riff-size-too-large': 20,
  'trailing-bytes': 20,
  'trailing-chunk-longer-than-the-file': 20,
}
const refused: Record<string, string> = {
  avi: 'holds "AVI "',
  'bits-0': '0 bits',
  'channels-0': '0 channels',
  'channels-65535': 'not know',
  'channels-65535-block-align-65535': 'frames of 65535 bytes',
  'data-header-cut-off': 'ends before its samples',
  'data-missing': 'ends before its samples',
  empty: 'ends before its samples',
  'extensible-of-18-bytes': 'needs 40',
  'extensible-of-another-family': 'format tag 65534',
  'extensible-of-size-16': 'needs 40',
  'fmt-behind-data': 'no fmt chunk',
  'fmt-missing': 'no fmt chunk',
  'fmt-of-14-bytes': 'needs 16',
  'fmt-of-4-gib': 'ends before its samples',
  'list-longer-than-the-file': 'ends before its samples',
  'rate-0': '0 Hz',
  'rate-4294967295': 'not know',
  'riff-alone': 'ends before its samples',
  rifx: 'RIFX file ends before its samples',
  'tag-adpcm': 'format tag 17',
  'tag-mp3': 'format tag 85',
  text: 'holds "e fu"',
}

function read(pieces: readonly Uint8Array[]) {
  const kernel = new WavReaderKernel()
  let truncation: Truncation | undefined
  kernel.onTruncated = (told) => {
    truncation = told
  }
  let hasNext = false
  kernel.onNext = () => {
    hasNext = true
    return false
  }
  const { out, error } = runKernel(kernel, pieces)
  return { kernel, out, pcm: Buffer.concat(out), error, truncation, hasNext }
}

describe('the corpus', () => {
  test('has the files that are listed here', () => {
    const names = readdirSync(corpus).map((name) => name.replace('.wav', ''))
    expect(names.toSorted()).toEqual([...Object.keys(recovered), ...Object.keys(refused)].toSorted())
  })

  test.each(Object.entries(recovered))('%s is recovered', (name, wanted) => {
    const { pcm, error, truncation } = read([load(name)])
    expect(error).toBeUndefined()
    expect(truncation).toEqual(typeof wanted === 'number' ? undefined : wanted)
    expect(pcm.equals(pattern(typeof wanted === 'number' ? wanted : wanted.bytes))).toBe(true)
  })

  test.each(Object.entries(refused))('%s is refused', (name, words) => {
    const { pcm, error } = read([load(name)])
    expect(error).toEqual(expect.objectContaining({ code: 'ERR_WAVESPOOL_WAV' }))
    expect((error as Error).message).toContain(words)
    expect(pcm.length).toBe(0)
  })
})

/** Good files of every encoding, plain, extensible, RF64, with chunks around the samples; and the corpus. */
const seeds: Buffer[] = [
  ...wavEncodings.flatMap((encoding) =>
    [1, 2, 6].map((channels) => {
      const format = pcmFormat({ encoding, channels })
      const pcm = pattern(5 * format.bytesPerFrame)
      const header = makeWavHeader(format, { dataBytes: pcm.length, rf64: channels === 2 })
      const before = channels === 6 ? [] : [infoOf(entryOf('INAM', 'a title')), chunkOf('cue ', pattern(5))]
      const pad = Buffer.alloc(pcm.length % 2)
      return Buffer.concat([insert(header, ...before), pcm, pad, infoOf(entryOf('ICMT', 'a comment'))])
    }),
  ),
  // other containers, and 24 bits of which the samples must tell how they lie
  ...[pattern(36), Buffer.alloc(36), Buffer.alloc(36, '\x01\x02\x03\0')].flatMap((pcm) => [
    rifxFile({ bits: 24 }, pcm),
    wave64File({}, pcm),
    riffFile([ds64Chunk(0, 36, 18), fmtChunk(), chunkOf('data', pcm)], { id: 'BW64' }),
    Buffer.concat([id3Tag(3), riffFile([fmtChunk(), chunkOf('data', pcm)])]),
    riffFile([fmtChunk({ bits: 24, align: 4 }), chunkOf('data', pcm)]),
    riffFile([fmtChunk({ bits: 24, align: 8, channels: 2 }), chunkOfSize('data', pcm, 0xffffffff)], {
      size: 0,
    }),
  ]),
  ...readdirSync(corpus).map((name) => readFileSync(join(corpus, name))),
]

type Mutation = (bytes: Buffer) => Buffer
const place = fc.nat(200)
const sizes = [
  0, 1, 2, 3, 7, 8, 16, 40, 255, 65_536, 0x7ffff000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
]
const names = [
  'RIFF',
  'RF64',
  'WAVE',
  'fmt ',
  'fact',
  'data',
  'LIST',
  'INFO',
  'ds64',
  'JUNK',
  'RIFX',
  'BW64',
  '\0\0\0\0',
]

/** Faults of files: a byte, a size, a name, a part that is lost, doubled or foreign, or the end. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.nat(255)).map(
    ([at, value]): Mutation =>
      (bytes) => {
        if (bytes.length > 0) bytes[at % bytes.length] = value
        return bytes
      },
  ),
  fc.tuple(place, fc.constantFrom(...sizes)).map(
    ([at, size]): Mutation =>
      (bytes) => {
        if (bytes.length >= 4) bytes.writeUInt32LE(size, at % (bytes.length - 3))
        return bytes
      },
  ),
  fc.tuple(place, fc.constantFrom(...names)).map(
    ([at, name]): Mutation =>
      (bytes) => {
        bytes.write(name, at % (bytes.length + 1), 'latin1')
        return bytes
      },
  ),
  fc.tuple(place, fc.nat(40)).map(
    ([at, count]): Mutation =>
      (bytes) => {
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + count)])
      },
  ),
  fc.tuple(place, place, fc.nat(60)).map(
    ([from, to, count]): Mutation =>
      (bytes) => {
        return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from, from + count), bytes.subarray(to)])
      },
  ),
  fc.tuple(place, fc.uint8Array({ maxLength: 20 })).map(
    ([at, foreign]): Mutation =>
      (bytes) => {
        return Buffer.concat([bytes.subarray(0, at), foreign, bytes.subarray(at)])
      },
  ),
  fc.tuple(place, fc.constantFrom(...seeds)).map(
    ([at, other]): Mutation =>
      (bytes) => {
        return Buffer.concat([bytes.subarray(0, at), other.subarray(at)])
      },
  ),
  place.map(
    (end): Mutation =>
      (bytes) =>
        bytes.subarray(0, end),
  ),
)

const malformed = fc
  .tuple(fc.constantFrom(...seeds), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([seed, mutations]) => mutations.reduce<Buffer>((bytes, mutate) => mutate(bytes), Buffer.from(seed)))

/** One frame, of at most 1024 channels of eight bytes, and the pool that Node's Buffers are cut from: 64 KiB since 24. */
const SLACK = 8192 + Buffer.poolSize

describe('100,000 malformed files', { timeout: 180_000 }, () => {
  test('are refused by a typed error or recovered as documented, in memory of their own size', () => {
    const steps = fc.integer({ min: 1, max: 64 })
    let outcomes = { refused: 0, recovered: 0, truncated: 0 }
    fc.assert(
      fc.property(malformed, steps, (bytes, step) => {
        const before = process.memoryUsage().arrayBuffers
        const { kernel, out, error, truncation, hasNext } = read([bytes])
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(3 * bytes.length + SLACK)

        const { header, fault } = scanWavHeader(bytes)
        const pcm = Buffer.concat(out)
        if (error !== undefined) {
          outcomes = { ...outcomes, refused: outcomes.refused + 1 }
          if (!(error instanceof WavespoolError) || error.code !== 'ERR_WAVESPOOL_WAV') throw error
          if (fault !== undefined && error.message !== fault) throw error
          if (header?.format !== undefined || pcm.length > 0) throw new Error('it had a format')
        } else {
          // The samples are those that lie where the header says, in whole frames, and all of them.
          const { dataStart, dataBytes, blockAlign, isAmbiguous, isBigEndian } = header!
          const isAsItLies = !isAmbiguous && !isBigEndian
          if (isAsItLies && !bytes.subarray(dataStart, dataStart + pcm.length).equals(pcm))
            throw new Error('other samples')
          const { bytesPerFrame } = kernel.format!
          if (out.some((piece) => piece.length % bytesPerFrame !== 0)) throw new Error('a frame torn apart')
          const present = bytes.length - dataStart
          const missing = Math.min(dataBytes, present) - pcm.length
          if (isAsItLies && !hasNext && dataBytes > 0 && missing >= blockAlign)
            throw new Error(`${missing} bytes of samples were left out`)
          if (truncation === undefined) outcomes.recovered++
          else {
            outcomes.truncated++
            const came = (pcm.length / bytesPerFrame) * kernel.header!.blockAlign
            if (truncation.bytes !== came || truncation.expectedBytes <= came) throw new Error('not so')
          }
        }

        const pieces: Buffer[] = []
        for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step))
        const again = read(pieces)
        if (!again.pcm.equals(pcm)) throw new Error('another result in pieces')
        if ((again.error as Error)?.message !== (error as Error)?.message) throw again.error
        expect([again.kernel.tags, again.truncation]).toEqual([kernel.tags, truncation])
      }),
      { numRuns: 100_000 },
    )
    // All three do occur, and not seldom.
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(2000)
  })

  test('give the same samples and error in a pipeline, and are recorded by a VirtualFile', async () => {
    const inPieces = malformed.chain((bytes) => chunkings(bytes))
    await fc.assert(
      fc.asyncProperty(inPieces, async (pieces) => {
        const { pcm, error } = read(pieces)
        const got: Buffer[] = []
        const outcome = await pipeline(
          Readable.from(pieces),
          wavReader(),
          async (samples: AsyncIterable<Buffer>) => {
            for await (const piece of samples) got.push(piece)
          },
        ).catch((reason) => reason)
        expect(outcome?.message).toBe((error as Error | undefined)?.message)
        expect(Buffer.concat(got).equals(pcm)).toBe(true)

        const file = await VirtualFile.from(Buffer.concat(pieces))
        const bytes = await file.toBuffer()
        const { length } = Buffer.concat(pieces)
        expect(Math.abs(bytes.length - length)).toBeLessThanOrEqual(8192) // half a frame at the end, or the pad byte
        await file.dispose()
      }),
      { numRuns: 1000 },
    )
  })
})
