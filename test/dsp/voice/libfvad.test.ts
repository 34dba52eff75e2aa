import { expect, test, vi } from 'vitest'
import { LibfvadDetector } from '../../../src/dsp/voice/libfvad.ts'
import { pcmFormat } from '../../../src/format/pcmFormat.ts'
import { speech } from '../../../src/testing/speech.ts'

interface Library {
  _malloc(bytes: number): number
  _fvad_new(): number
}

const loaded = vi.hoisted(() => ({ library: undefined as Library | undefined }))

vi.mock('@echogarden/fvad-wasm', async (original) => {
  const { default: create } = await original<{ default: (options: object) => Promise<Library> }>()
  return {
    default: async (options: object) => {
      loaded.library = await create(options)
      return loaded.library
    },
  }
})

/** The part of these samples that it takes for speech. */
async function share(sampleRate: number, samples: Float32Array): Promise<number> {
  const detector = new LibfvadDetector(sampleRate)
  await detector.open()
  let speech = 0
  let frames = 0
  for (let at = 0; at + detector.frameSamples <= samples.length; at += detector.frameSamples) {
    frames++
    if (detector.isSpeech(samples.subarray(at, at + detector.frameSamples))) speech++
  }
  detector.close()
  return speech / frames
}

async function voice(sampleRate: number): Promise<Float32Array> {
  const format = pcmFormat({ sampleRate, encoding: 'f32le' })
  const chunks = await speech(format, { pause: { frames: 1 }, duration: { seconds: 10 } }).toArray()
  return new Float32Array(Uint8Array.from(Buffer.concat(chunks)).buffer)
}

/** White, from a linear congruential generator (Numerical Recipes), as good as any here. */
function noise(count: number, level: number): Float32Array {
  let state = 1
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state / 2 ** 31 - 1) * level * Math.sqrt(3)
  })
}

test.each([8000, 16_000, 32_000, 48_000])(
  'hears speech and no silence at %i Hz, its own rate',
  async (rate) => {
    expect(new LibfvadDetector(rate).sampleRate).toBe(rate)
    expect(await share(rate, await voice(rate))).toBeGreaterThan(0.85)
    expect(await share(rate, new Float32Array(rate * 10))).toBe(0)
  },
)

test('hears streams of other rates at the nearest that it knows', () => {
  const heard = [11_025, 22_050, 44_100, 96_000, 4000].map((rate) => new LibfvadDetector(rate).sampleRate)
  expect(heard).toEqual([8000, 16_000, 16_000, 16_000, 8000])
})

test.each([0.003, 0.03, 0.1, 0.3])('hears no speech in noise of level %d', async (level) => {
  const samples = noise(16_000 * 20, level)
  expect(await share(16_000, samples)).toBeLessThan(0.02)
})

test.each([-40, -20, -3])('hears speech whose peak is at %i dBFS', async (level) => {
  const samples = (await voice(16_000)).map((sample) => sample * 10 ** ((level + 6) / 20))
  expect(await share(16_000, samples)).toBeGreaterThan(0.7)
})

test('is deterministic, and independent of other detectors', async () => {
  const samples = await voice(16_000)
  const [a, b] = await Promise.all([share(16_000, samples), share(16_000, samples)])
  expect(a).toBe(b)
  expect(await share(16_000, samples)).toBe(a)
})

test('frees its memory, which the next detector gets', async () => {
  const open = async () => {
    const detector = new LibfvadDetector(48_000)
    await detector.open()
    detector.isSpeech(new Float32Array(960))
    return detector
  }
  ;(await open()).close()
  const places = [vi.spyOn(loaded.library!, '_malloc'), vi.spyOn(loaded.library!, '_fvad_new')]
  for (let i = 0; i < 100; i++) {
    const detector = await open()
    detector.close()
    detector.close() // harmless
  }
  for (const { mock } of places) {
    expect(mock.results).toHaveLength(100)
    expect(new Set(mock.results.map(({ value }) => value)).size).toBe(1)
  }
})
