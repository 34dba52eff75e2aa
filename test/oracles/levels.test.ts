import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type Levels, measureLevels } from '../../src/dsp/levels.ts'
import type { Encoding } from '../../src/format/encoding.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { readWavHeader } from '../../src/format/readWavHeader.ts'
import { hasTool, run, soxEncodings } from './tools.ts'

const directory = mkdtempSync(join(tmpdir(), 'wavespool-levels-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** A WAV file has no big-endian samples: those lie in a file without a header. */
const isRaw = (encoding: string) => encoding.endsWith('be')

function levelsOf(path: string, encoding: Encoding): Levels {
  const bytes = readFileSync(path)
  if (isRaw(encoding)) return measureLevels(bytes, pcmFormat({ sampleRate: 8000, channels: 2, encoding }))
  const { format, dataStart, dataBytes } = readWavHeader(bytes)!
  return measureLevels(bytes.subarray(dataStart, dataStart + dataBytes), format!)
}

const all = Object.entries(soxEncodings) as [Encoding, readonly string[]][]
describe.runIf(hasTool('sox') && hasTool('ffmpeg')).each(all)(
  'the levels of noise in %s',
  (encoding, kind) => {
    const path = join(directory, `${encoding}.${isRaw(encoding) ? 'raw' : 'wav'}`)
    const soxInput = isRaw(encoding) ? ['-r', '8000', '-c', '2', ...kind, path] : [path]
    const ffmpegInput = isRaw(encoding)
      ? ['-f', encoding, '-ar', '8000', '-ac', '2', '-i', path]
      : ['-i', path]

    test('are those of sox stats, to its two digits', () => {
      run('sox', [
        '-R',
        '-n',
        '-r',
        '8000',
        '-c',
        '2',
        ...kind,
        path,
        'synth',
        '1',
        'pinknoise',
        'brownnoise',
      ])
      const { channels, peak, rms, min, max } = levelsOf(path, encoding)
      const told = spawnSync('sox', [...soxInput, '-n', 'stats']).stderr.toString()
      const row = (name: string) =>
        new RegExp(`^${name}(.*)$`, 'm').exec(told)![1]!.trim().split(/\s+/).map(Number)
      const ours = [{ peak, rms, min, max }, ...channels]
      for (const [name, key, error] of [
        ['Pk lev dB', 'peak', 0.0051],
        ['RMS lev dB', 'rms', 0.0051],
        ['Min level', 'min', 1e-6],
        ['Max level', 'max', 1e-6],
      ] as const) {
        for (const [i, value] of row(name).entries()) {
          expect(Math.abs(value - ours[i]![key]), `${name} ${value}`).toBeLessThan(error)
        }
      }
    })

    // Up to 16 bits it takes 32767 for full scale, 0.00027 dB below ours.
    const unlike = ['s24le', 's32le', 'f32le', 'f64le', 's24be', 's32be', 'f32be'].includes(encoding)
      ? 0
      : 20 * Math.log10(32_768 / 32_767)
    test('are those of ffmpeg astats, to its six digits', () => {
      const { channels, peak, rms } = levelsOf(path, encoding)
      const told = spawnSync('ffmpeg', ['-hide_banner', ...ffmpegInput, '-af', 'astats', '-f', 'null', '-'])
      const values = (name: string) =>
        [...told.stderr.toString().matchAll(new RegExp(`${name} level dB: (\\S+)`, 'g'))].map(
          (match) => +match[1]!,
        )
      for (const [name, ours] of [
        ['Peak', [...channels.map((channel) => channel.peak), peak]],
        ['RMS', [...channels.map((channel) => channel.rms), rms]],
      ] as const) {
        const theirs = values(name)
        expect(theirs.length).toBe(3)
        for (const [i, value] of theirs.entries())
          expect(Math.abs(value - unlike - ours[i]!)).toBeLessThan(1e-5)
      }
    })
  },
)
