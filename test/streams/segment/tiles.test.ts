import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pcmFormat, type Segment, segment, type VoiceDetector } from '../../../src/index.ts'
import { speech, tone } from '../../../src/testing/index.ts'

const format = pcmFormat({ sampleRate: 8000 })
const ARG_TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const ARG_RANGE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' })

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wavespool-tiles-'))
})
afterAll(() => rm(directory, { recursive: true }))

/** A detector that takes all sound for speech. */
const isLoud = (frameSamples = 80): VoiceDetector => ({
  sampleRate: 8000,
  frameSamples,
  isSpeech: (frame) => frame.some((sample) => sample !== 0),
})

/** Sentences and pauses of random length whose every loud sample tells its place. */
function talk(frames: number): Buffer {
  const samples = new Int16Array(frames)
  let at = 0
  for (let n = 0; at < frames; n++) {
    const length = 500 + ((n * 7919) % 6000)
    if (n % 2 === 1) for (let i = at; i < Math.min(at + length, frames); i++) samples[i] = 1 + (i % 30_000)
    at += length
  }
  return Buffer.from(samples.buffer)
}

async function cut(bytes: Buffer, size: number, options: object): Promise<{ ends: number[]; pcm: Buffer }> {
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  )
  const ends: number[] = []
  const pcm: Buffer[] = []
  let at = 0
  await pipeline(
    Readable.from(chunks),
    segment(format, options as never),
    async (segments: AsyncIterable<Segment>) => {
      for await (const { file, start, end } of segments) {
        expect(start).toBe(at)
        at = end
        ends.push(end)
        pcm.push(...(await file.createReadStream({ header: false }).toArray()))
        await file.dispose()
      }
    },
  )
  return { ends, pcm: Buffer.concat(pcm) }
}

test('at pauses: not a sample is lost, each cut lies in silence or at the limit, the same under every chunking', async () => {
  const bytes = talk(400_000)
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
  const options = () => ({
    every: { seconds: 4 },
    atPause: { silence: { milliseconds: 200 }, within: { seconds: 2 } },
    detector: isLoud(),
  })
  const { ends, pcm } = await cut(bytes, 640, options())
  expect(pcm.equals(bytes)).toBe(true)
  let start = 0
  for (const end of ends) {
    expect(end - start).toBeLessThanOrEqual(32_000)
    if (end - start < 32_000 && end < 400_000) expect(samples[end]).toBe(0)
    start = end
  }
  expect(ends.length).toBeGreaterThan(12)
  for (const size of [1, 333, 8191, bytes.length]) {
    const other = await cut(size === 1 ? bytes.subarray(0, 100_000) : bytes, size, options())
    if (size === 1) expect(other.ends.slice(0, -1)).toEqual(ends.slice(0, other.ends.length - 1))
    else expect(other.ends).toEqual(ends)
  }
})

test('at pauses of speech, by the detector that is built in', async () => {
  const source = speech(format, { duration: { seconds: 60 } })
  const stage = segment(format, { every: { seconds: 10 }, atPause: {} })
  const ends: number[] = []
  await pipeline(source, stage, async (segments: AsyncIterable<Segment>) => {
    for await (const { file, end } of segments) {
      ends.push(end)
      await file.dispose()
    }
  })
  expect(ends.at(-1)).toBe(480_000)
  expect(ends.length).toBeGreaterThan(5)
  for (const end of ends.slice(0, -1)) {
    const inPause = end % 19_200 // 0.8 s of pause, then 1.6 s of speech
    expect(inPause).toBeLessThanOrEqual(6400)
  }
})

test('three hours are cut at pauses without growing memory', async () => {
  const second = Buffer.alloc(16_000, 1)
  let left = 3 * 3600
  const source = new Readable({
    read() {
      this.push(left-- > 0 ? second : null)
    },
  })
  const stage = segment(format, {
    every: { seconds: 780 },
    atPause: {},
    detector: isLoud(4000),
    storage: (name) => ({ path: join(directory, name) }),
  })
  let [count, end, most] = [0, 0, 0]
  await pipeline(source, stage, async (segments: AsyncIterable<Segment>) => {
    for await (const segment of segments) {
      count++
      end = segment.end
      await segment.file.dispose()
      most = Math.max(most, process.memoryUsage().arrayBuffers)
    }
  })
  expect(end).toBe(3 * 3600 * 8000)
  expect(count).toBe(14)
  expect(most).toBeLessThan(64 * 2 ** 20)
})

test('a length in bytes is the size of the file, its header and its pad byte counted', async () => {
  for (const [options, limit] of [
    [{}, 1000],
    [{ channels: 3, encoding: 'u8' }, 1001],
    [{ channels: 3, encoding: 'u8' }, 1002],
    [{ encoding: 'f32le' }, 1003],
  ] as const) {
    const odd = pcmFormat({ ...options })
    const sizes: number[] = []
    const stage = segment(odd, { every: { bytes: limit } })
    stage.end(Buffer.alloc(odd.bytesPerFrame * 5000))
    for await (const { file } of stage) sizes.push((await file.toBuffer()).length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(limit)
    expect(Math.max(...sizes)).toBeGreaterThan(limit - odd.bytesPerFrame - 2)
  }
  expect(() => segment(format, { every: { bytes: 45 } })).toThrow(ARG_RANGE)
  expect(() => segment(format, { every: { bytes: 46 } })).not.toThrow()
})

test('a reader that throws in a pipeline leaves the segments that it has not read in unread', async () => {
  const stage = segment(format, { every: { seconds: 1 } })
  const source = tone(format, { duration: { milliseconds: 12_500 }, pace: 'fast' })
  let read = 0
  const done = pipeline(source, stage, async (segments: AsyncIterable<Segment>) => {
    for await (const { file } of segments) {
      if (++read < 2) {
        await file.dispose()
        continue
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
      throw new Error('transcription failed')
    }
  })
  await expect(done).rejects.toThrow('transcription failed')
  if (!stage.closed) await new Promise((resolve) => stage.once('close', resolve))
  const starts = stage.unread.map(({ start }) => start / 8000)
  expect(starts.length).toBeGreaterThan(1)
  expect(starts).toEqual(starts.map((_, i) => i + 2))
  for (const { file, start, end } of stage.unread) {
    expect(file.duration).toBe((end - start) / 8000)
    await file.dispose()
  }
})

test('segments in named files leave no listener on their files, and no warning', async () => {
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  const wide = pcmFormat({ sampleRate: 48_000, channels: 2 })
  const source = tone(wide, { duration: { seconds: 40 }, pace: 'fast' })
  const storage = (name: string) => ({ path: join(directory, `wide-${name}`) })
  let listeners = 0
  const stage = segment(wide, { every: { seconds: 8 }, storage })
  stage.on('begin', ({ file }) =>
    file.once('finish', () => (listeners = Math.max(listeners, file.listenerCount('close')))),
  )
  await pipeline(source, stage, async (segments: AsyncIterable<Segment>) => {
    for await (const { file } of segments) await file.dispose()
  })
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', note)
  expect(warnings).toEqual([])
  expect(listeners).toBeLessThan(5)
})

test('a name that numbers will make too long for a file is refused at once', () => {
  const every = { seconds: 1 }
  for (const length of [240, 250, 255]) {
    expect(() => segment(format, { every, name: `${'x'.repeat(length - 4)}.wav` })).toThrow(ARG_RANGE)
  }
  expect(() => segment(format, { every, name: `${'x'.repeat(200)}.wav` })).not.toThrow()
})

test('bad options of atPause throw at once', () => {
  const every = { seconds: 1 }
  for (const atPause of [null, 5, true, { silences: 1 }, { silence: 5 }, { within: {} }]) {
    expect(() => segment(format, { every, atPause: atPause as never })).toThrow(ARG_TYPE)
  }
  expect(() => segment(format, { every, atPause: { within: { seconds: 1 } } })).toThrow(ARG_RANGE)
  expect(() => segment(format, { every, atPause: { silence: { seconds: 0 } } })).toThrow(ARG_RANGE)
  expect(() => segment(format, { atPause: {} } as never)).toThrow(ARG_TYPE)
  expect(() => segment(format, { every, detector: isLoud() } as never)).toThrow(ARG_TYPE)
})
