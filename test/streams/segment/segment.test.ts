import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { VoiceDetector } from '../../../src/dsp/voice/detector.ts'
import { type PcmFormat, pcmFormat } from '../../../src/format/pcmFormat.ts'
import { readWavHeader } from '../../../src/format/readWavHeader.ts'
import { makeWavHeader } from '../../../src/format/wavHeader.ts'
import type { VirtualFile } from '../../../src/sinks/virtualFile.ts'
import {
  type Segment,
  type SegmentBegin,
  type SegmentOptions,
  segment,
} from '../../../src/streams/segment.ts'
import { chunkings, formats, pattern } from '../../format/arbitraries.ts'

// As where it is not installed: nothing here but one test needs it.
vi.mock('@echogarden/fvad-wasm', () => {
  throw new Error('not installed')
})

const format = pcmFormat({ channels: 2 })
const ARG_TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const ARG_RANGE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' })
const PARTIAL = expect.objectContaining({ code: 'ERR_WAVESPOOL_PARTIAL_FRAME' })

interface Read {
  name: string
  start: number
  end: number
  pcm: Buffer
}

/** A segment with its samples; its header must have the right sizes. */
async function readSegment({ file, start, end }: Segment, format: PcmFormat): Promise<Read> {
  const bytes = await file.toBuffer()
  const header = readWavHeader(bytes)!
  expect(header.format).toEqual(format)
  expect(header.dataBytes).toBe((end - start) * format.bytesPerFrame)
  expect(bytes.length).toBe(header.dataStart + header.dataBytes + (header.dataBytes % 2))
  const pcm = bytes.subarray(header.dataStart, header.dataStart + header.dataBytes)
  await file.dispose()
  return { name: file.name, start, end, pcm }
}

async function readAll(
  source: Readable,
  format: PcmFormat,
  options: SegmentOptions,
): Promise<{ read: Read[]; error: unknown }> {
  const read: Read[] = []
  try {
    const stage = segment(format, options)
    source.on('error', (error) => stage.destroy(error))
    for await (const each of source.pipe(stage)) read.push(await readSegment(each, format))
    return { read, error: undefined }
  } catch (error) {
    return { read, error }
  }
}

/** Takes all sound for speech, by the first sample of its frame. */
function loudDetector(frameSamples: number, sampleRate = 16_000, wait = false): VoiceDetector {
  const isSpeech = (frame: Float32Array) => frame[0] !== 0
  return {
    sampleRate,
    frameSamples,
    isSpeech: wait ? async (frame: Float32Array) => isSpeech(frame) : isSpeech,
  }
}

/** Frames of stereo s16le, silent and not, in turn. */
function bursts(...lengths: number[]): Uint8Array {
  return Buffer.concat(
    lengths.map((frames, i) => (i % 2 === 0 ? Buffer.alloc(frames * 4) : Buffer.alloc(frames * 4, 7))),
  )
}

/** Waits until a count has begun and does not change any more. */
async function settled(count: () => number): Promise<void> {
  let last = -1
  for (let quiet = 0; quiet < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    quiet = count() > 0 && count() === last ? quiet + 1 : 0
    last = count()
  }
}

test('samples that look like another WAV file are samples', async () => {
  const samples = pattern(4000)
  samples.set(makeWavHeader(format), 2000)
  const { read } = await readAll(Readable.from([samples]), format, { every: { frames: 1000 } })
  expect(read).toEqual([{ name: 'segment-0001.wav', start: 0, end: 1000, pcm: Buffer.from(samples) }])
})

describe('by time', () => {
  const input = formats.chain((format) =>
    fc.nat(600).chain((length) =>
      fc.record({
        format: fc.constant(format),
        bytes: fc.constant(pattern(length)),
        chunks: chunkings(pattern(length)),
        every: fc.integer({ min: 1, max: 40 }),
      }),
    ),
  )

  test('the segments together are the input, under every chunking, and the rest of a frame an error', async () => {
    await fc.assert(
      fc.asyncProperty(input, async ({ format, bytes, chunks, every }) => {
        const source = Readable.from(chunks.filter((chunk) => chunk.length > 0))
        const { read, error } = await readAll(source, format, { every: { frames: every } })
        const frames = Math.floor(bytes.length / format.bytesPerFrame)
        expect(read.map(({ start, end }) => [start, end])).toEqual(
          Array.from({ length: Math.ceil(frames / every) }, (_, i) => [
            i * every,
            Math.min(frames, (i + 1) * every),
          ]),
        )
        const whole = bytes.subarray(0, frames * format.bytesPerFrame)
        expect(Buffer.concat(read.map(({ pcm }) => pcm)).equals(whole)).toBe(true)
        if (bytes.length === whole.length) expect(error).toBeUndefined()
        else expect(error).toEqual(PARTIAL)
      }),
      { numRuns: 100 },
    )
  })

  test('segments have numbered names, and the storage that is asked for', async () => {
    const names: string[] = []
    const stage = segment(format, {
      every: { frames: 10 },
      name: 'talk.take.wav',
      storage: (name) => {
        names.push(name)
        return 'memory'
      },
    })
    const { length } = await Readable.from([pattern(85)])
      .pipe(stage)
      .on('error', () => {})
      .take(3)
      .toArray()
    expect(length).toBe(3)
    expect(names).toEqual(['talk.take-0001.wav', 'talk.take-0002.wav', 'talk.take-0003.wav'])
  })

  test('segments can be files on a disk, which stay there', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'wavespool-segments-'))
    const storage = (name: string) => ({ path: join(directory, name) })
    const bytes = pattern(4000)
    const { read } = await readAll(Readable.from([bytes]), format, { every: { frames: 400 }, storage })
    expect(read.map(({ end }) => end)).toEqual([400, 800, 1000])
    const files = await Promise.all(read.map(({ name }) => readFile(join(directory, name))))
    await rm(directory, { recursive: true })
    expect(files.map((wav) => readWavHeader(wav)?.dataBytes)).toEqual([1600, 1600, 800])
    expect(Buffer.concat(files.map((wav) => wav.subarray(44))).equals(bytes)).toBe(true)
  })

  test('waits for a slow storage', async () => {
    let pending = 0
    let most = 0
    class Slow {
      size = 0
      bytes = Buffer.alloc(0)
      async append(chunks: readonly Uint8Array[]) {
        const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
        pending += length
        most = Math.max(most, pending)
        await new Promise((resolve) => setTimeout(resolve, 1))
        pending -= length
        this.bytes = Buffer.concat([this.bytes, ...chunks])
        this.size = this.bytes.length
      }
      read(target: Uint8Array, position: number) {
        return this.bytes.copy(target, 0, position)
      }
      write(bytes: Uint8Array, position: number) {
        this.bytes.set(bytes, position)
      }
      truncate(size: number) {
        this.bytes = this.bytes.subarray(0, size)
        this.size = size
      }
      dispose() {}
    }
    const bytes = pattern(400_000)
    const chunks = Array.from({ length: 100 }, (_, i) => bytes.subarray(i * 4000, (i + 1) * 4000))
    const options = { every: { frames: 30_000 }, storage: () => new Slow() }
    const { read, error } = await readAll(Readable.from(chunks), format, options)
    expect(error).toBeUndefined()
    expect(Buffer.concat(read.map(({ pcm }) => pcm)).equals(bytes)).toBe(true)
    expect(most).toBeLessThan(80_000) // the high-water mark of a Writable is 64 KiB at most
  })
})

describe('cut()', () => {
  test('cuts behind all written audio, also that which waits', async () => {
    const cutting = fc.record({
      bytes: fc.integer({ min: 1, max: 400 }).map(pattern),
      cuts: fc.array(fc.nat(400), { maxLength: 5 }),
      every: fc.integer({ min: 1, max: 60 }),
      isLate: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(cutting, async ({ bytes, cuts, every, isLate }) => {
        const whole = bytes.subarray(0, bytes.length - (bytes.length % 4))
        const edges = [...new Set([0, ...cuts.filter((at) => at < whole.length), whole.length])].sort(
          (a, b) => a - b,
        )
        const always = { sampleRate: 16_000, frameSamples: 1, isSpeech: async () => true }
        const options: SegmentOptions = isLate
          ? {
              silence: { frames: 1 },
              minSpeech: { frames: 1 },
              maxLength: { frames: every },
              detector: always,
            }
          : { every: { frames: every } }
        const stage = segment(format, { ...options, highWaterMark: 1 })
        for (const [i, edge] of edges.entries()) {
          if (i > 0) stage.write(whole.subarray(edges[i - 1], edge))
          if (cuts.includes(edge)) stage.cut()
        }
        stage.end()
        const read: Read[] = []
        for await (const each of stage) read.push(await readSegment(each, format))
        const expected: number[] = []
        let last = 0
        for (let frame = 0; frame <= whole.length / 4; frame++) {
          const isCut = edges.some((edge) => cuts.includes(edge) && Math.floor(edge / 4) === frame)
          const isEnd = isCut || frame - last === every || frame === whole.length / 4
          if (!isEnd || frame === last) continue
          expected.push(frame)
          last = frame
        }
        expect(read.map(({ end }) => end)).toEqual(expected)
        expect(Buffer.concat(read.map(({ pcm }) => pcm)).equals(whole)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  test('hands over a segment of the audio so far, without further input', async () => {
    const stage = segment(format, { every: { seconds: 10 } })
    stage.write(pattern(80))
    stage.cut()
    const { value } = await stage[Symbol.asyncIterator]().next()
    expect(await readSegment(value, format)).toMatchObject({ start: 0, end: 20 })
    stage.cut() // nothing to cut
    stage.end(pattern(40))
    expect(await stage.toArray()).toMatchObject([{ start: 20, end: 30 }])
  })
})

describe('at pauses', () => {
  const options = {
    silence: { frames: 30 },
    preRoll: { frames: 10 },
    postRoll: { frames: 5 },
    minSpeech: { frames: 20 },
  }

  test.each([false, true])(
    'with pre-roll and post-roll, in every chunking (asynchronous: %s)',
    async (wait) => {
      // a click, a word, a word with a breath in it, one that goes on behind a pause shorter than pre- and post-roll
      const bytes = bursts(100, 10, 200, 40, 100, 25, 20, 25, 31, 40, 200)
      await fc.assert(
        fc.asyncProperty(chunkings(bytes), async (chunks) => {
          const detector = loudDetector(1, 16_000, wait)
          const source = Readable.from(chunks.filter((chunk) => chunk.length > 0))
          const { read, error } = await readAll(source, format, { ...options, detector })
          expect(error).toBeUndefined()
          expect(read.map(({ start, end }) => [start, end])).toEqual([
            [300, 355],
            [440, 525],
            [541, 596],
          ])
          for (const { start, end, pcm } of read)
            expect(pcm.equals(bytes.subarray(start * 4, end * 4))).toBe(true)
        }),
        { numRuns: wait ? 10 : 50 },
      )
    },
  )

  test('speech that goes on is cut at maxLength, without a gap; the end of the stream ends it', async () => {
    const bytes = bursts(56, 294) // the eighth frame of the detector is the last that is silent
    const maxLength = { frames: 100 }
    const { read } = await readAll(Readable.from([bytes]), format, {
      ...options,
      maxLength,
      detector: loudDetector(7),
    })
    expect(read.map(({ start, end }) => [start, end])).toEqual([
      [46, 146],
      [146, 246],
      [246, 346],
      [346, 350],
    ])
  })

  test('a detector hears one channel at its own rate, in its frames, and is opened and closed once', async () => {
    const calls: string[] = []
    const detector: VoiceDetector = {
      sampleRate: 16_000,
      frameSamples: 512,
      async open() {
        calls.push('open')
      },
      async isSpeech(frame) {
        expect(frame.length).toBe(512)
        calls.push('isSpeech')
        return frame.some((sample) => Math.abs(sample) > 0.1)
      },
      async close() {
        calls.push('close')
      },
    }
    const format = pcmFormat({ sampleRate: 48_000, channels: 2, encoding: 'mulaw' })
    const loud = Buffer.alloc(48_000 * 2, 0x00)
    const quiet = Buffer.alloc(48_000 * 2, 0xff)
    const source = Readable.from([quiet, loud, quiet, quiet])
    const { read, error } = await readAll(source, format, { silence: { seconds: 1 }, detector })
    expect(error).toBeUndefined()
    expect(read).toHaveLength(1)
    const { start, end } = read[0]!
    expect(Math.abs(start - (48_000 - 7680))).toBeLessThanOrEqual(512 * 3)
    expect(Math.abs(end - (96_000 + 2880))).toBeLessThanOrEqual(512 * 3)
    await new Promise(setImmediate)
    expect(calls.filter((call) => call !== 'isSpeech')).toEqual(['open', 'close'])
    expect(calls.length - 2).toBe(Math.floor((4 * 16_000) / 512))
  })

  test.each<[string, Partial<Record<keyof VoiceDetector, unknown>>, string]>([
    ['says something else', { isSpeech: () => 0.7 }, 'ERR_WAVESPOOL_ARG_TYPE'],
    [
      'throws',
      {
        isSpeech: () => {
          throw new Error('out of memory')
        },
      },
      'ERR_WAVESPOOL_DETECTOR',
    ],
    ['rejects', { isSpeech: () => Promise.reject(new Error('out of memory')) }, 'ERR_WAVESPOOL_DETECTOR'],
    [
      'does not open',
      { open: () => Promise.reject(new Error('no model')), isSpeech: () => true },
      'ERR_WAVESPOOL_DETECTOR',
    ],
  ])('a detector that %s is an error', async (_, broken, code) => {
    let closed = 0
    const detector = {
      sampleRate: 16_000,
      frameSamples: 8,
      close: () => closed++,
      ...broken,
    } as unknown as VoiceDetector
    const { error } = await readAll(Readable.from([bursts(100)]), format, {
      silence: { frames: 9 },
      detector,
    })
    expect(error).toMatchObject({ code })
    await new Promise(setImmediate)
    expect(closed).toBe(1)
  })
})

test('the built-in detector is loaded when it is used, and has an error code where it is missing', async () => {
  const { error } = await readAll(Readable.from([bursts(100)]), format, { silence: { seconds: 1 } })
  expect(error).toMatchObject({
    code: 'ERR_WAVESPOOL_DETECTOR',
    message: expect.stringContaining('@echogarden/fvad-wasm'),
  })
})

describe("'begin'", () => {
  test('hands over the segment that is written, to be followed live', async () => {
    const stage = segment(format, { every: { frames: 50 } })
    const followed: Promise<Buffer>[] = []
    const begun: number[] = []
    stage.on('begin', ({ file, start }: SegmentBegin) => {
      begun.push(start)
      followed.push(file.createReadStream({ follow: true }).toArray().then(Buffer.concat))
    })
    const bytes = pattern(500)
    for (let at = 0; at < bytes.length; at += 20) stage.write(bytes.subarray(at, at + 20))
    stage.end()
    const read: Segment[] = []
    for await (const each of stage) read.push(each)
    expect(begun).toEqual([0, 50, 100])
    const heard = await Promise.all(followed)
    expect(Buffer.concat(heard.map((wav) => wav.subarray(44))).equals(bytes)).toBe(true)
    expect(read.map(({ start }) => start)).toEqual(begun)
  })

  test('the file can be followed before its end is known, and read in the same tick', async () => {
    const stage = segment(format, { every: { seconds: 10 } })
    const files: VirtualFile[] = []
    stage.on('begin', ({ file }: SegmentBegin) => files.push(file))
    stage.write(pattern(40))
    expect(files[0]?.size).toBe(84)
    expect(readWavHeader(await files[0]!.toBuffer())?.dataBytes).toBe(40)
    stage.destroy()
  })

  test('a segment that its follower disposes is left out', async () => {
    const stage = segment(format, { every: { frames: 50 } })
    stage.on('begin', ({ file, start }: SegmentBegin) => {
      if (start === 50) file.dispose()
    })
    stage.end(pattern(600))
    const starts: number[] = []
    for await (const { start } of stage) starts.push(start)
    expect(starts).toEqual([0, 100])
  })
})

describe('backpressure', () => {
  test('a consumer that does not read stops the writer after a bounded number of segments', async () => {
    const block = Buffer.alloc(6400, 1)
    let produced = 0
    const source = new Readable({
      read() {
        produced += block.length
        this.push(block)
      },
    })
    const stage = source.pipe(segment(format, { every: { frames: 16_000 }, highWaterMark: 3 }))
    await settled(() => produced)
    expect(produced).toBeLessThanOrEqual(3 * 64_000 + 200_000)
    let count = 0
    for await (const { start } of stage) {
      expect(start).toBe(count++ * 16_000)
      if (count === 10) break
    }
  })

  test('a chunk of many segments is cut only as far as they are read', async () => {
    const stage = segment(format, { every: { frames: 10 }, highWaterMark: 2 })
    let begun = 0
    stage.on('begin', () => begun++)
    stage.end(pattern(40_000))
    await settled(() => begun)
    expect(begun).toBe(2)
    let count = 0
    for await (const { end } of stage) {
      expect(end).toBe(++count * 10)
      expect(begun).toBeLessThanOrEqual(count + 2)
    }
    expect(count).toBe(1000)
  })

  test('data, pipe() and pipeline() get every segment in order', async () => {
    const bytes = pattern(40_000)
    const made = () =>
      Readable.from([bytes]).pipe(segment(format, { every: { frames: 100 }, highWaterMark: 1 }))
    const byData: number[] = []
    const stage = made()
    stage.on('data', ({ start }: Segment) => byData.push(start))
    await new Promise((resolve) => stage.on('end', resolve))
    const byPipe: number[] = []
    const sink = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write({ start }: Segment, _encoding, callback) {
        byPipe.push(start)
        setImmediate(callback)
      },
    })
    await pipeline(
      Readable.from([bytes]),
      new PassThrough(),
      segment(format, { every: { frames: 100 } }),
      sink,
    )
    const expected = Array.from({ length: 100 }, (_, i) => i * 100)
    expect(byData).toEqual(expected)
    expect(byPipe).toEqual(expected)
  })
})

test('bad arguments throw at once', () => {
  const bad = (options: unknown) => () => segment(format, options as SegmentOptions)
  const silence = { seconds: 1 }
  const every = { seconds: 1 }
  for (const wrong of [undefined, null, {}, 's16le', { sampleRate: 1 }]) {
    expect(() => segment(wrong as PcmFormat, { every })).toThrow(ARG_TYPE)
  }
  for (const wrong of [
    undefined,
    null,
    5,
    {},
    { every: 5 },
    { every, silence },
    { every, preRoll: silence },
    { preRoll: silence },
    { silence: 3 },
    { silence, minSpeech: 1 },
    { silence, detector: {} },
    { silence, detector: { sampleRate: 0.5, frameSamples: 1, isSpeech() {} } },
    { every, name: 5 },
    { every, storage: 'disk' },
    { every, storage: { path: '/tmp/x.wav' } },
    { every, storage: null },
  ]) {
    expect(bad(wrong)).toThrow(ARG_TYPE)
  }
  for (const wrong of [
    { every: { frames: 0 } },
    { silence: { frames: 10 }, postRoll: { frames: 11 } },
    { silence, maxLength: { seconds: -1 } },
    { every, highWaterMark: 0 },
    { every, name: 'a/b.wav' },
    { every, name: 'a/b.wav', storage: () => 'memory' },
  ]) {
    expect(bad(wrong)).toThrow(ARG_RANGE)
  }
})
