import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import wav from 'wav'
import { encodings } from '../../src/format/encoding.ts'
import { type PcmFormat, pcmFormat } from '../../src/format/pcmFormat.ts'
import { VirtualFile } from '../../src/sinks/virtualFile.ts'
import { wavHeader } from '../../src/streams/wavHeader.ts'
import { wavEncodings } from '../format/arbitraries.ts'
import { hasTool, run } from './tools.ts'

/** An odd number of frames, so that odd data gets its pad byte. */
const FRAMES = 1001

interface Judged {
  label: string
  path: string
  format: PcmFormat
  pcm: Buffer
}

const directory = mkdtempSync(join(tmpdir(), 'wavespool-judges-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const judged: Judged[] = wavEncodings.flatMap((encoding) =>
  [1, 2, 6].flatMap((channels) =>
    [8000, 44_100].map((sampleRate) => {
      const label = `${encoding}-${channels}-${sampleRate}`
      const format = pcmFormat({ encoding, channels, sampleRate })
      return { label, path: join(directory, `${label}.wav`), format, pcm: noise(format) }
    }),
  ),
)

/** Samples that a judge can put into its own kind of number and back again. */
function noise({ encoding, channels, bytesPerSample }: PcmFormat): Buffer {
  const count = FRAMES * channels
  // A step through all residues, so that every byte takes every value. Floats of 24 bits: sox counts in integers of 32.
  const value = (i: number) => (i * 7_368_787 + channels) % 2 ** 24
  if (encoding === 'f32le' || encoding === 'f64le') {
    const floats = Float64Array.from({ length: count }, (_, i) => value(i) / 2 ** 23 - 1)
    return Buffer.from(encoding === 'f64le' ? floats.buffer : Float32Array.from(floats).buffer)
  }
  const bytes = Buffer.from(Uint8Array.from({ length: count * bytesPerSample }, (_, i) => value(i) >> 8))
  // µ-law has two zeros, of which no number tells them apart.
  return encoding === 'mulaw' ? Buffer.from(bytes.map((code) => (code === 0x7f ? 0xff : code))) : bytes
}

beforeAll(async () => {
  for (const { path, format, pcm } of judged) {
    const file = new VirtualFile()
    await pipeline(Readable.from([pcm.subarray(0, 777), pcm.subarray(777)]), wavHeader(format), file)
    await writeFile(path, await file.toBuffer())
    await file.dispose()
  }
})

/** Where a judge puts the samples that it has read. */
const rawOf = ({ path }: Judged, judge: string) => path.replace(/wav$/, `${judge}.raw`)

/** Every file of which a judge read other samples than were written. */
const misread = (judge: string, files = judged) =>
  files.filter((file) => !readFileSync(rawOf(file, judge)).equals(file.pcm)).map(({ label }) => label)

describe.skipIf(!hasTool('python3'))("Python's wave", () => {
  const script = `
import json, sys, wave
for path in sys.argv[1:]:
    with wave.open(path) as w:
        samples = w.readframes(2000)
        print(json.dumps([w.getnchannels(), w.getsampwidth(), w.getframerate(), w.getnframes(), samples.hex()]))
`
  // It reads integer PCM only, and before 3.12 refuses WAVE_FORMAT_EXTENSIBLE, which more than two channels need.
  test('agrees on integer PCM of one and two channels', () => {
    const files = judged.filter(
      ({ format }) => encodings[format.encoding].formatTag === 1 && format.channels <= 2,
    )
    const lines = run('python3', ['-c', script, ...files.map(({ path }) => path)])
      .toString()
      .trim()
      .split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      files.map(({ format: f, pcm }) => [
        f.channels,
        f.bytesPerSample,
        f.sampleRate,
        FRAMES,
        pcm.toString('hex'),
      ]),
    )
  })
})

describe.skipIf(!hasTool('soxi'))('sox', () => {
  const names: Record<string, string> = {
    f32le: 'Floating Point PCM',
    f64le: 'Floating Point PCM',
    mulaw: 'u-law',
    alaw: 'A-law',
    u8: 'Unsigned Integer PCM',
  }
  test.each(['-t', '-c', '-r', '-s', '-e'])('agrees on the output of soxi %s', (what) => {
    const told = run('soxi', [what, ...judged.map(({ path }) => path)])
    const wanted = judged.map(
      ({ format: { channels, sampleRate, encoding } }) =>
        ({ '-t': 'wav', '-c': channels, '-r': sampleRate, '-s': FRAMES })[what] ??
        names[encoding] ??
        'Signed Integer PCM',
    )
    expect(told.toString().trim().split('\n')).toEqual(wanted.map(String))
  })

  // Of float in WAVE_FORMAT_EXTENSIBLE it always says that something is missing, of ffmpeg's files too.
  const habit = 'sox WARN wav: wave header missing extended part of fmt chunk'
  test('reads every sample of every file, without any other warning', () => {
    for (const file of judged) {
      const { status, stderr } = spawnSync('sox', ['-V2', '-D', file.path, '-t', 'raw', rawOf(file, 'sox')])
      const warnings = stderr.toString().replace(habit, '').trim()
      expect(`${file.label}: ${status} ${warnings}`).toBe(`${file.label}: 0 `)
    }
    expect(misread('sox')).toEqual([])
  })
})

describe.skipIf(!hasTool('ffprobe'))('ffmpeg', () => {
  test.each(judged)('agrees on $label', ({ path, format }) => {
    const entries = 'stream=codec_name,channels,sample_rate,duration_ts'
    const shown = run('ffprobe', ['-v', 'error', '-show_entries', entries, '-of', 'json', path])
    const { encoding } = format
    expect(JSON.parse(shown.toString()).streams).toEqual([
      {
        codec_name: `pcm_${encoding}`,
        channels: format.channels,
        sample_rate: `${format.sampleRate}`,
        duration_ts: FRAMES,
      },
    ])
  })

  test('reads every sample of every file', () => {
    const inputs = judged.flatMap(({ path }) => ['-i', path])
    const outputs = judged.flatMap((file, i) => {
      return ['-map', `${i}`, '-c', 'copy', '-f', 'data', rawOf(file, 'ffmpeg')]
    })
    run('ffmpeg', ['-v', 'error', ...inputs, ...outputs])
    expect(misread('ffmpeg')).toEqual([])
  })
})

describe.skipIf(!hasTool('sndfile-info') || !hasTool('sndfile-convert'))('libsndfile', () => {
  test('agrees on every header', () => {
    for (const { label, path, format } of judged) {
      const shown = run('sndfile-info', [path]).toString()
      const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(shown)?.[1]?.trim()
      expect([label, field('Channels'), field('Sample Rate'), field('Frames')]).toEqual([
        label,
        `${format.channels}`,
        `${format.sampleRate}`,
        `${FRAMES}`,
      ])
      expect(shown).not.toMatch(/error/i)
    }
  })

  test('reads every sample of every file', () => {
    for (const file of judged) run('sndfile-convert', [file.path, rawOf(file, 'sndfile')])
    expect(misread('sndfile')).toEqual([])
  })
})

describe('npm wav', () => {
  test.each(judged)('agrees on $label', async ({ path, format, pcm }) => {
    const reader = new wav.Reader()
    const found = once(reader, 'format')
    const pieces: Buffer[] = []
    reader.on('data', (piece) => pieces.push(piece))
    createReadStream(path).pipe(reader)
    await once(reader, 'end')
    const [read] = await found
    expect(read).toMatchObject({
      channels: format.channels,
      sampleRate: format.sampleRate,
      bitDepth: format.bytesPerSample * 8,
      blockAlign: format.bytesPerFrame,
    })
    expect(Buffer.concat(pieces).equals(pcm)).toBe(true)
  })
})
