import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readWavHeader, VirtualFile } from '../../src/index.ts'
import { hasTool, run } from './tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-codecs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// Codecs that ffmpeg writes into WAV files, most of which sox refuses.
test.runIf(hasTool('ffmpeg')).each([
  ['adpcm_ms', 16_000, 'Microsoft ADPCM (format tag 2,'],
  ['adpcm_ima_wav', 16_000, 'IMA ADPCM (format tag 17,'],
  ['adpcm_yamaha', 16_000, 'Yamaha ADPCM (format tag 32,'],
  ['adpcm_swf', 22_050, 'an encoding that Wavespool does not know (format tag 21318,'],
  ['g722', 16_000, 'G.722 (format tag 655,'],
  ['g726', 8000, 'G.726 ADPCM (format tag 69,'],
  ['libmp3lame', 16_000, 'MP3 (format tag 85,'],
  ['mp2', 16_000, 'MPEG audio (format tag 80,'],
  ['ac3', 48_000, 'AC-3 (format tag 8192,'],
  ['aac', 16_000, 'AAC (format tag 255,'],
  ['wmav1', 16_000, 'Windows Media Audio 1 (format tag 352,'],
  ['wmav2', 16_000, 'Windows Media Audio (format tag 353,'],
  ['flac', 16_000, 'FLAC (format tag 61868,'],
])('%s is refused by its name, with a command that converts it', async (codec, rate, name) => {
  const [path, out] = [join(folder, `${codec}.wav`), join(folder, `${codec}-out.wav`)]
  const source = ['-v', 'error', '-f', 'lavfi', '-i', `sine=r=${rate}:d=1`]
  run('ffmpeg', [...source, '-c:a', codec, '-strict', '-2', path])
  const file = await VirtualFile.from(path)
  const { message } = await file.toFloat32().catch((error) => error)
  expect(message).toContain(name)
  expect((await file.toBuffer()).equals(readFileSync(path))).toBe(true)
  const advice = /\(ffmpeg (-i in.wav .*) out.wav\)$/.exec(message)?.[1]
  run('ffmpeg', ['-v', 'error', ...advice!.replace('in.wav', path).split(' '), out])
  expect(readWavHeader(readFileSync(out))?.format).toMatchObject({ sampleRate: rate, encoding: 's16le' })
  await file.dispose()
})
