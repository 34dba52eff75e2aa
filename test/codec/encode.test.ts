import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BufferSource, EncodedPacketSink, FLAC, Input, MP3, OGG } from 'mediabunny'
import { afterAll, describe, expect, test } from 'vitest'
import type { Codec, EncodeOptions } from '../../src/codec/codecs.ts'
import { encode } from '../../src/codec/encode.ts'
import { type PcmFormat, pcmFormat } from '../../src/format/pcmFormat.ts'
import { convert } from '../../src/streams/convert.ts'
import { hasTool, run } from '../oracles/tools.ts'
import { headerOf, partsOf } from './flacFiles.ts'
import { chord, fileOf, inPieces, through, withoutSerial } from './signal.ts'

const directory = mkdtempSync(join(tmpdir(), 'wavespool-codec-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let files = 0

async function encoded(format: PcmFormat, frames: number, options: EncodeOptions, pieces = [4001]) {
  const pcm = chord(format, frames)
  const bytes = await fileOf(encode(format, options), inPieces(pcm, pieces))
  const path = join(directory, `${files++}.${options.codec === 'opus' ? 'ogg' : options.codec}`)
  writeFileSync(path, bytes)
  return { pcm, bytes, path }
}

/** frames that ffmpeg decodes, at the rate that the file has for it */
function framesInFfmpeg(path: string, channels: number): number {
  return (
    run('ffmpeg', ['-v', 'error', '-i', path, '-f', 's16le', '-c:a', 'pcm_s16le', '-']).length / 2 / channels
  )
}

/** samples in the packets that mediabunny finds, and the length that the file's header tells it */
async function inMediabunny(bytes: Buffer): Promise<{ rate: number; samples: number; told: number }> {
  const input = new Input({ source: new BufferSource(bytes), formats: [FLAC, MP3, OGG] })
  const track = (await input.getPrimaryAudioTrack())!
  const rate = await track.getSampleRate()
  let seconds = 0
  for await (const { duration } of new EncodedPacketSink(track).packets()) seconds += duration
  const told = ((await input.getDurationFromMetadata()) ?? 0) * rate
  return { rate, samples: Math.round(seconds * rate), told: Math.round(told) }
}

/** Samples in a file's packets that are no part of the recording; negative where mediabunny misses some that are. */
function outsideOf(codec: Codec, bytes: Buffer): number {
  if (codec === 'mp3') {
    const delays = bytes.readUIntBE(bytes.indexOf('LAME3.100') + 21, 3)
    return (delays >> 12) + (delays & 4095)
  }
  if (codec === 'opus') return 0
  const last = partsOf(bytes).frames.at(-1)
  return last && last.length < 16 ? -headerOf(last).blockSize : 0
}

const mono = pcmFormat()
const stereo = pcmFormat({ sampleRate: 44_100, channels: 2 })
const lengths = [0, 1, 46, 777, 16_001, 63_333, 160_000]

describe.runIf(hasTool('ffmpeg') && hasTool('flac') && hasTool('sox'))('FLAC', () => {
  const formats = [
    mono,
    stereo,
    pcmFormat({ sampleRate: 8000, encoding: 'u8' }),
    pcmFormat({ sampleRate: 48_000, channels: 6, encoding: 's24le' }),
  ]
  test.each(formats)(
    'holds every sample of $encoding, $channels channels at $sampleRate Hz',
    async (format) => {
      for (const frames of [1, 777, 63_333, 160_000]) {
        const { pcm, path } = await encoded(format, frames, { codec: 'flac' })
        expect(spawnSync('flac', ['-t', '-s', '-w', path]).status).toBe(0) // length and MD5 are right
        const { encoding } = format
        const back = run('ffmpeg', [
          '-v',
          'error',
          '-i',
          path,
          '-f',
          encoding,
          '-c:a',
          `pcm_${encoding}`,
          '-',
        ])
        expect(back.equals(pcm)).toBe(true)
        expect(run('sox', ['--i', '-s', path]).toString().trim()).toBe(String(frames))
      }
    },
  )

  test('of no samples is a file without samples', async () => {
    const { path } = await encoded(mono, 0, { codec: 'flac' })
    expect(spawnSync('flac', ['-t', '-s', path]).status).toBe(0)
    expect(framesInFfmpeg(path, 1)).toBe(0)
  })

  test('keeps 24 bits of floats and all of G.711', async () => {
    const floats = pcmFormat({ encoding: 'f32le' })
    const { pcm, path } = await encoded(floats, 5000, { codec: 'flac' })
    const back = run('ffmpeg', ['-v', 'error', '-i', path, '-f', 'f32le', '-c:a', 'pcm_f32le', '-'])
    const [a, b] = [pcm, back].map((bytes) => new Float32Array(Uint8Array.from(bytes).buffer))
    expect(Math.max(...a!.map((value, i) => Math.abs(value - b![i]!)))).toBeLessThanOrEqual(2 ** -24)
    const law = await encoded(pcmFormat({ encoding: 'mulaw' }), 5000, { codec: 'flac' })
    const linear = await through(convert(pcmFormat({ encoding: 'mulaw' }), mono), [law.pcm])
    expect(run('ffmpeg', ['-v', 'error', '-i', law.path, '-f', 's16le', '-']).equals(linear)).toBe(true)
  })
})

describe.runIf(hasTool('ffmpeg') && hasTool('mpg123'))('MP3', () => {
  test.each([mono, stereo, pcmFormat({ sampleRate: 8000, channels: 2 })])(
    'has exactly its length, $channels channels at $sampleRate Hz',
    async (format) => {
      const { channels, sampleRate } = format
      for (const frames of lengths) {
        const { path } = await encoded(format, frames, { codec: 'mp3' })
        expect(run('mpg123', ['-q', '-s', path]).length / 2 / channels, `mpg123, ${frames}`).toBe(frames)
        // Where fewer than 47 samples lie in frames of 576, ffmpeg keeps the decoder's delay of 529.
        const more = frames < 47 && sampleRate < 32_000 ? 529 : 0
        expect(framesInFfmpeg(path, channels), `ffmpeg, ${frames}`).toBe(frames + more)
      }
    },
  )

  test('takes a bitrate, and sample rates that MP3 does not have', async () => {
    const low = await encoded(mono, 32_000, { codec: 'mp3', bitrate: 32_000 })
    const high = await encoded(mono, 32_000, { codec: 'mp3', bitrate: 128_000 })
    expect(high.bytes.length / low.bytes.length).toBeCloseTo(4, 0)
    const odd = await encoded(pcmFormat({ sampleRate: 18_900 }), 18_900, { codec: 'mp3' })
    expect(framesInFfmpeg(odd.path, 1)).toBe(22_050)
  })
})

describe.runIf(hasTool('ffmpeg') && hasTool('opusinfo') && hasTool('opusdec'))('Opus', () => {
  test.each([mono, stereo, pcmFormat({ sampleRate: 8000, channels: 2 })])(
    'has exactly its length, $channels channels at $sampleRate Hz',
    async (format) => {
      const { channels, sampleRate } = format
      for (const frames of lengths) {
        const { path } = await encoded(format, frames, { codec: 'opus' })
        const expected = Math.round((frames * 48_000) / sampleRate)
        expect(framesInFfmpeg(path, channels), `ffmpeg, ${frames}`).toBe(expected)
        const raw = run('opusdec', ['--quiet', '--rate', '48000', path, '-'])
        expect(raw.length / 2 / channels, `opusdec, ${frames}`).toBe(expected)
        const info = run('opusinfo', [path]).toString()
        expect(info).not.toMatch(/WARNING|ERROR/i)
      }
    },
  )

  test('keeps two encoders at once apart', async () => {
    const alone = await encoded(stereo, 30_000, { codec: 'opus' })
    const all = await Promise.all(
      Array.from({ length: 12 }, () => encoded(stereo, 30_000, { codec: 'opus' })),
    )
    const decoded = (path: string) => run('opusdec', ['--quiet', '--no-dither', path, '-'])
    const first = decoded(alone.path)
    expect(all.filter(({ path }) => decoded(path).equals(first))).toHaveLength(12)
  })
})

describe('any codec', () => {
  const codecs: Codec[] = ['flac', 'mp3', 'opus']

  test.each(codecs)('%s: any chunking in, the same bytes out', async (codec) => {
    const pcm = chord(stereo, 9001)
    const decoded = async (sizes: number[]) => {
      const bytes = await fileOf(encode(stereo, { codec }), inPieces(pcm, sizes))
      return codec === 'opus' ? withoutSerial(bytes) : bytes
    }
    const whole = await decoded([pcm.length])
    for (const sizes of [[1], [3, 1000, 7], [4096]]) expect((await decoded(sizes)).equals(whole)).toBe(true)
  })

  test.each(codecs.flatMap((codec) => [mono, stereo].map((format) => ({ codec, format }))))(
    "$codec of $format.sampleRate Hz: mediabunny's packets have exactly its length",
    async ({ codec, format }) => {
      const { sampleRate } = format
      for (let frames = 0; frames <= 10 * sampleRate; frames = frames * 2 + 1 + (frames % 7)) {
        const { bytes } = await encoded(format, frames, { codec })
        const { rate, samples, told } = await inMediabunny(bytes)
        const expected = Math.round((frames * rate) / sampleRate)
        expect(samples - outsideOf(codec, bytes), `${frames}`).toBe(expected)
        if (codec === 'flac') expect(told, `${frames}`).toBe(frames)
      }
    },
  )

  test('half a frame at the end fails after everything else was encoded', async () => {
    const stage = encode(stereo, { codec: 'flac' })
    const chunks: Buffer[] = []
    stage.on('data', (chunk) => chunks.push(chunk))
    const failed = new Promise((resolve) => stage.once('error', resolve))
    stage.end(chord(stereo, 5000).subarray(1))
    expect(await failed).toMatchObject({ code: 'ERR_WAVESPOOL_PARTIAL_FRAME' })
    expect(Buffer.concat(chunks).length).toBeGreaterThan(1000)
  })

  test('wrong options throw before anything is loaded', () => {
    const anything = (options: unknown) => () => encode(stereo, options as EncodeOptions)
    expect(anything(undefined)).toThrow(/options/)
    expect(anything({})).toThrow(/codec must be/)
    expect(anything({ codec: 'aac' })).toThrow(/'flac', 'mp3' or 'opus'/)
    expect(anything({ codec: 'mp3', bitRate: 64_000 })).toThrow(/did you mean bitrate/)
    expect(anything({ codec: 'mp3', bitrate: 65_000 })).toThrow(RangeError)
    expect(anything({ codec: 'mp3', bitrate: '64k' })).toThrow(TypeError)
    expect(anything({ codec: 'opus', bitrate: 1 })).toThrow(RangeError)
    expect(anything({ codec: 'flac', bitrate: 64_000 })).toThrow(/lossless/)
    expect(() => encode(pcmFormat({ channels: 3 }), { codec: 'opus' })).toThrow(/convert\(\)/)
  })
})
