import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
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
import { allEncodings } from '../format/arbitraries.ts'
import { hasTool, run } from './tools.ts'

/** An odd number of frames, so that odd data gets its pad byte. */
const FRAMES = 1001

interface Judged {
  label: string
  path: string
  format: PcmFormat
}

const directory = mkdtempSync(join(tmpdir(), 'wavespool-judges-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const judged: Judged[] = allEncodings.flatMap((encoding) =>
  [1, 2, 6].flatMap((channels) =>
    [8000, 44_100].map((sampleRate) => {
      const label = `${encoding}-${channels}-${sampleRate}`
      const format = pcmFormat({ encoding, channels, sampleRate })
      return { label, path: join(directory, `${label}.wav`), format }
    }),
  ),
)

beforeAll(async () => {
  for (const { path, format } of judged) {
    const file = new VirtualFile()
    const pcm = Buffer.alloc(FRAMES * format.bytesPerFrame)
    await pipeline(Readable.from([pcm.subarray(0, 777), pcm.subarray(777)]), wavHeader(format), file)
    await writeFile(path, await file.toBuffer())
    await file.dispose()
  }
})

const isPcm = ({ format }: Judged) => encodings[format.encoding].formatTag === 1

describe.skipIf(!hasTool('python3'))("Python's wave", () => {
  const script = `
import json, sys, wave
for path in sys.argv[1:]:
    with wave.open(path) as w:
        print(json.dumps([w.getnchannels(), w.getsampwidth(), w.getframerate(), w.getnframes(), len(w.readframes(2000))]))
`
  // It reads integer PCM only, and before 3.12 refuses WAVE_FORMAT_EXTENSIBLE, which more than two channels need.
  test('agrees on integer PCM of one and two channels', () => {
    const files = judged.filter((file) => isPcm(file) && file.format.channels <= 2)
    const lines = run('python3', ['-c', script, ...files.map(({ path }) => path)])
      .toString()
      .trim()
      .split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      files.map(({ format: f }) => [
        f.channels,
        f.bytesPerSample,
        f.sampleRate,
        FRAMES,
        FRAMES * f.bytesPerFrame,
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
  test.each(judged)('agrees on $label', ({ path, format }) => {
    const ask = (what: string) => run('soxi', [what, path]).toString().trim()
    expect([ask('-t'), ask('-c'), ask('-r'), ask('-s'), ask('-e')]).toEqual([
      'wav',
      `${format.channels}`,
      `${format.sampleRate}`,
      `${FRAMES}`,
      names[format.encoding] ?? 'Signed Integer PCM',
    ])
  })

  // Of float in WAVE_FORMAT_EXTENSIBLE it always says that something is missing, of ffmpeg's files too.
  const habit = 'sox WARN wav: wave header missing extended part of fmt chunk'
  test('reads every file without any other warning', () => {
    for (const { path, label } of judged) {
      const { status, stderr } = spawnSync('sox', ['-V2', path, '-n'])
      const warnings = stderr.toString().replace(habit, '').trim()
      expect(`${label}: ${status} ${warnings}`).toBe(`${label}: 0 `)
    }
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
})

describe.skipIf(!hasTool('sndfile-info'))('libsndfile', () => {
  test.each(judged)('agrees on $label', ({ path, format }) => {
    const shown = run('sndfile-info', [path]).toString()
    const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(shown)?.[1]?.trim()
    expect([field('Channels'), field('Sample Rate'), field('Frames')]).toEqual([
      `${format.channels}`,
      `${format.sampleRate}`,
      `${FRAMES}`,
    ])
    expect(shown).not.toMatch(/error/i)
  })
})

describe('npm wav', () => {
  test.each(judged)('agrees on $label', async ({ path, format }) => {
    const reader = new wav.Reader()
    const { createReadStream } = await import('node:fs')
    createReadStream(path).pipe(reader)
    const found = once(reader, 'format')
    let bytes = 0
    reader.on('data', (piece) => {
      bytes += piece.length
    })
    await once(reader, 'end')
    const [read] = await found
    expect(read).toMatchObject({
      channels: format.channels,
      sampleRate: format.sampleRate,
      bitDepth: format.bytesPerSample * 8,
      blockAlign: format.bytesPerFrame,
    })
    expect(bytes).toBe(FRAMES * format.bytesPerFrame)
  })
})
