import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Encoding } from '../../../src/format/encoding.ts'
import { type PcmFormat, pcmFormat } from '../../../src/format/pcmFormat.ts'
import { readWavHeader } from '../../../src/format/readWavHeader.ts'
import { type Segment, segment } from '../../../src/streams/segment.ts'
import { hasTool, run } from '../../oracles/tools.ts'
import { type Spoken, type SpokenOptions, spoken } from './spokenMaterial.ts'

const isReady = hasTool('espeak-ng') && hasTool('sox')
/** The seconds that the stage keeps around speech by default. */
const PRE_ROLL = 0.16
const POST_ROLL = 0.06

/** Cuts at pauses of half a second, in chunks of this many bytes. */
async function cut(
  bytes: Buffer,
  format: PcmFormat,
  chunkBytes = 1764,
): Promise<{ start: number; end: number }[]> {
  const chunks = function* () {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
  }
  const places: { start: number; end: number }[] = []
  const stage = segment(format, { silence: { milliseconds: 500 } })
  for await (const { file, start, end } of Readable.from(chunks()).pipe(stage) as AsyncIterable<Segment>) {
    const wav = await file.toBuffer()
    const { dataStart, dataBytes } = readWavHeader(wav)!
    expect(
      wav
        .subarray(dataStart, dataStart + dataBytes)
        .equals(bytes.subarray(start * format.bytesPerFrame, end * format.bytesPerFrame)),
    ).toBe(true)
    places.push({ start, end })
    await file.dispose()
  }
  return places
}

function encode(samples: Float32Array, sampleRate: number, channels: number, encoding: Encoding): Buffer {
  const words: Record<string, string[]> = {
    u8: ['unsigned-integer', '8'],
    s16le: ['signed-integer', '16'],
    s24le: ['signed-integer', '24'],
    s32le: ['signed-integer', '32'],
    f32le: ['floating-point', '32'],
    f64le: ['floating-point', '64'],
    mulaw: ['mu-law', '8'],
    alaw: ['a-law', '8'],
  }
  const [kind, bits] = words[encoding]!
  const mono = ['-t', 'f32', '-c', '1', '-r', String(sampleRate), '-']
  const raw = ['-t', 'raw', '-L', '-e', kind!, '-b', bits!, '-']
  return run(
    'sox',
    ['-R', '-D', ...mono, ...raw, 'remix', ...new Array(channels).fill('1')],
    asBytes(samples),
  )
}

function asBytes(samples: Float32Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
}

interface Judgement {
  lost: string[]
  /** segments without speech */
  pure: number
  /** segments in which more than one sentence is */
  joined: number
  /** seconds between the ends of speech and those of its segment, without the audio that is kept around it */
  errors: number[]
}

function judge(
  segments: { start: number; end: number }[],
  { sentences }: Spoken,
  sampleRate: number,
): Judgement {
  const judgement: Judgement = { lost: [], pure: 0, joined: 0, errors: [] }
  const meets = (a: { start: number; end: number }, b: { start: number; end: number }) =>
    a.start < b.end && b.start < a.end
  for (const sentence of sentences) {
    const own = segments.filter((each) => meets(each, sentence))
    const [first, last] = [own[0], own.at(-1)]
    if (first === undefined || last === undefined) {
      judgement.lost.push(sentence.text)
      continue
    }
    judgement.errors.push((first.start - sentence.start) / sampleRate + PRE_ROLL)
    judgement.errors.push((last.end - sentence.end) / sampleRate - POST_ROLL)
  }
  for (const each of segments) {
    const count = sentences.filter((sentence) => meets(each, sentence)).length
    if (count === 0) judgement.pure++
    if (count > 1) judgement.joined++
  }
  return judgement
}

const share = (errors: number[], within: number) =>
  errors.filter((error) => Math.abs(error) <= within).length / errors.length

async function judged(options: SpokenOptions, { channels = 1, encoding = 'f32le' as Encoding } = {}) {
  const { sampleRate = 16_000 } = options
  const material = spoken(options)
  const format = pcmFormat({ sampleRate, channels, encoding })
  const isPlain = channels === 1 && encoding === 'f32le'
  const bytes = isPlain ? asBytes(material.samples) : encode(material.samples, sampleRate, channels, encoding)
  return judge(await cut(bytes, format), material, sampleRate)
}

const clean = { lost: [], pure: 0, joined: 0 }

describe.skipIf(!isReady)('speech in noise', () => {
  const levels = [0.3, 0.1, 0.02]

  test.each(levels)('at 20 dB, level %d: 95 of 100 boundaries within 200 ms', async (level) => {
    for (const shift of [0, 1.3]) {
      const { errors, ...rest } = await judged({ level, shift, snr: 20 })
      expect(rest).toEqual(clean)
      expect(share(errors, 0.2)).toBeGreaterThanOrEqual(0.95)
    }
  })

  test.each(levels)('at 10 dB, level %d: 90 of 100 boundaries within 400 ms', async (level) => {
    for (const shift of [0, 1.3]) {
      const { errors, ...rest } = await judged({ level, shift, snr: 10 })
      expect(rest).toEqual(clean)
      expect(share(errors, 0.4)).toBeGreaterThanOrEqual(0.9)
    }
  })

  test('at 5 dB no sentence is lost, and no segment is noise', async () => {
    const { errors: _, ...rest } = await judged({ snr: 5 })
    expect(rest).toEqual(clean)
  })

  test.each([
    [8000, 1, 'mulaw'],
    [8000, 1, 'alaw'],
    [11_025, 1, 'u8'],
    [16_000, 2, 's16le'],
    [22_050, 1, 's24le'],
    [32_000, 1, 's32le'],
    [44_100, 2, 's16le'],
    [48_000, 2, 'f32le'],
    [96_000, 1, 'f64le'],
  ] as const)('at 20 dB in %i Hz, %i channels of %s: the same', async (sampleRate, channels, encoding) => {
    const { errors, ...rest } = await judged({ sampleRate, snr: 20 }, { channels, encoding })
    expect(rest).toEqual(clean)
    expect(share(errors, 0.2)).toBeGreaterThanOrEqual(0.95)
  })

  test('is cut at the same places in every chunking', async () => {
    const format = pcmFormat({ sampleRate: 44_100, encoding: 'f32le' })
    const bytes = asBytes(spoken({ sampleRate: 44_100, snr: 15 }).samples.subarray(0, 44_100 * 20))
    const whole = await cut(bytes, format, bytes.length)
    expect(whole.length).toBeGreaterThan(3)
    for (const chunkBytes of [4, 333, 1001, 16_384])
      expect(await cut(bytes, format, chunkBytes)).toEqual(whole)
  })
})
