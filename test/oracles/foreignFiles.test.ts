import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, describe, expect, test } from 'vitest'
import type { Encoding } from '../../src/format/encoding.ts'
import { type PcmFormat, pcmFormat } from '../../src/format/pcmFormat.ts'
import { readWavHeader } from '../../src/format/readWavHeader.ts'
import { type Truncation, type WavReader, wavReader } from '../../src/streams/wavReader.ts'
import { wavEncodings } from '../format/arbitraries.ts'
import { hasTool, run, soxEncodings } from './tools.ts'

const directory = mkdtempSync(join(tmpdir(), 'wavespool-foreign-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const rates = [8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 192_000]
/** An odd number of frames at some rates, so that odd data gets its pad byte. */
const SECONDS = 0.0173

interface Sample {
  path: string
  format: PcmFormat
}

const samples = (writer: string, encoding: Encoding): Sample[] =>
  [1, 2, 6].flatMap((channels) =>
    rates.map((sampleRate) => ({
      path: join(directory, `${writer}-${encoding}-${channels}-${sampleRate}.wav`),
      format: pcmFormat({ encoding, channels, sampleRate }),
    })),
  )

/** The arguments that make sox write noise to `to`. */
function soxNoise({ channels, sampleRate, encoding }: PcmFormat, ...to: string[]): string[] {
  const kind = ['-r', `${sampleRate}`, '-c', `${channels}`, ...soxEncodings[encoding]]
  return ['-V1', '-R', '-n', ...kind, ...to, 'synth', `${SECONDS}`, 'pinknoise', 'vol', '0.5']
}

const randomSamples = Array(6).fill('floor(65536*random(0)-32768)/65536').join('|')
/** An odd number of frames, of values that sox too can hold exactly, which counts in 32-bit integers. */
const ffmpegSource = [
  '-v',
  'error',
  '-f',
  'lavfi',
  '-i',
  `aevalsrc=${randomSamples}:c=5.1:s=48000:d=0.0173125`,
]
const layouts: Record<number, string> = {
  1: 'mono|c0=c0',
  2: 'stereo|c0=c0|c1=c1',
  6: '5.1|c0=c0|c1=c1|c2=c2|c3=c3|c4=c4|c5=c5',
}

/** The arguments that make ffmpeg write its source to `to`: the same samples at every rate. */
function ffmpegOutput({ channels, sampleRate, encoding }: PcmFormat, ...to: string[]): string[] {
  const filter = `pan=${layouts[channels]},asetrate=${sampleRate}`
  return [
    '-map',
    '0',
    '-af',
    filter,
    '-c:a',
    `pcm_${encoding}`,
    '-metadata',
    'title=Äpfel',
    '-f',
    'wav',
    ...to,
  ]
}

/** One process for each file, as sox writes no more. */
function writeBySox(files: Sample[]): void {
  for (const { path, format } of files) run('sox', soxNoise(format, path))
}

/** One process for all files. */
function writeByFfmpeg(files: Sample[], ...options: string[]): void {
  const outputs = files.flatMap(({ path, format }) => ffmpegOutput(format, ...options, path))
  run('ffmpeg', [...ffmpegSource, ...outputs])
}

/** The samples that sox reads, in the encoding of the file. */
const extractBySox = (path: string) => run('sox', ['-D', path, '-t', 'raw', '-'])

async function read(reader: WavReader): Promise<{ pcm: Buffer; truncations: Truncation[] }> {
  const truncations: Truncation[] = []
  reader.on('truncated', (truncation: Truncation) => truncations.push(truncation))
  return { pcm: Buffer.concat(await reader.toArray()), truncations }
}

const writers = {
  sox: (files: Sample[]) => writeBySox(files),
  ffmpeg: (files: Sample[]) => writeByFfmpeg(files),
  'ffmpeg -rf64 always': (files: Sample[]) => writeByFfmpeg(files, '-rf64', 'always'),
}

describe.runIf(hasTool('sox') && hasTool('ffmpeg')).each(Object.entries(writers))(
  'files written by %s',
  (writer, write) => {
    test.each(wavEncodings)('in %s are read as sox extracts them', async (encoding) => {
      const files = samples(writer.replaceAll(' ', ''), encoding)
      write(files)
      for (const { path, format } of files) {
        const wanted = extractBySox(path)
        expect(wanted.length).toBeGreaterThan(100 * format.bytesPerFrame)
        const reader = createReadStream(path, { highWaterMark: 777 }).pipe(wavReader())
        const { pcm, truncations } = await read(reader)
        expect(reader.format, path).toEqual(format)
        expect(pcm.equals(wanted), path).toBe(true)
        expect(truncations).toEqual([])
        if (writer !== 'sox') expect(reader.tags).toMatchObject({ INAM: 'Äpfel' })

        const bytes = readFileSync(path)
        const { dataStart, dataBytes, blockAlign } = readWavHeader(bytes)!
        // ffmpeg counts the pad byte into the dataSize of ds64.
        const end = dataStart + dataBytes - (dataBytes % blockAlign)
        expect(bytes.subarray(dataStart, end).equals(wanted), path).toBe(true)
      }
    })
  },
)

const pipes: Record<string, (format: PcmFormat) => Buffer> = {
  sox: (format) => run('sox', soxNoise(format, '-t', 'wav', '-')),
  ffmpeg: (format) => run('ffmpeg', [...ffmpegSource, ...ffmpegOutput(format, '-')]),
}

describe.runIf(hasTool('sox') && hasTool('ffmpeg')).each(Object.entries(pipes))(
  'the output of %s into a pipe',
  (_, write) => {
    test.each(wavEncodings)('in %s is read to its end', async (encoding) => {
      for (const channels of [1, 2, 6]) {
        const format = pcmFormat({ encoding, channels, sampleRate: 11_025 })
        const bytes = write(format)
        const reader = Readable.from([bytes]).pipe(wavReader({ onTruncated: 'error' }))
        const { pcm } = await read(reader)
        expect(pcm.equals(run('sox', ['-V1', '-D', '-t', 'wav', '-', '-t', 'raw', '-'], bytes))).toBe(true)
        expect(reader.format).toEqual(format)
      }
    })
  },
)
