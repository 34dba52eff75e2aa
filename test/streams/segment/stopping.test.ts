import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable, type Stream, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../../src/format/pcmFormat.ts'
import { readWavHeader } from '../../../src/format/readWavHeader.ts'
import type { VirtualFile } from '../../../src/sinks/virtualFile.ts'
import { limit } from '../../../src/streams/limit.ts'
import { type Segment, type SegmentBegin, type Segmenter, segment } from '../../../src/streams/segment.ts'
import { ramp } from '../../../src/testing/ramp.ts'
import { speech } from '../../../src/testing/speech.ts'
import { tone } from '../../../src/testing/tone.ts'
import { pattern } from '../../format/arbitraries.ts'
import { Ticking } from '../ticking.ts'

const format = pcmFormat()
const every = { milliseconds: 40 }
const directory = mkdtempSync(join(tmpdir(), 'wavespool-segments-'))
afterAll(() => rmSync(directory, { recursive: true }))

function collect(milliseconds = 0) {
  const segments: Segment[] = []
  const stream = new Writable({
    objectMode: true,
    highWaterMark: 1, // a sink that is destroyed loses the segments in its buffer
    write(each: Segment, _encoding, callback) {
      segments.push(each)
      setTimeout(callback, milliseconds)
    },
  })
  return { stream, segments, frames: () => segments.at(-1)?.end ?? 0 }
}

async function closed(...streams: Stream[]): Promise<void> {
  for (const stream of streams as Readable[]) {
    if (!stream.closed) await once(stream, 'close').catch(() => {})
    expect(stream.destroyed).toBe(true)
  }
}

describe('stop()', () => {
  test('travels to the source, which delivers all that it has captured', async () => {
    const source = ramp(format, { pace: 'realtime' })
    const stage = segment(format, { every })
    const sink = collect()
    setTimeout(() => stage.stop(), 130)
    await pipeline(source, limit(format, { seconds: 60 }), stage, sink.stream)
    const bytes = Buffer.concat(
      await Promise.all(sink.segments.map(async ({ file }) => (await file.toBuffer()).subarray(44))),
    )
    expect(bytes.length).toBe(sink.frames() * 2)
    expect(bytes.length).toBeGreaterThan(1000)
    const all = Buffer.concat(await ramp(format, { duration: { frames: sink.frames() } }).toArray())
    expect(bytes.equals(all)).toBe(true)
    await closed(source)
  })

  test('cuts behind a foreign source, and closes it', async () => {
    const source = new Ticking()
    const foreign = new PassThrough()
    const stage = segment(format, { every })
    const sink = collect()
    setTimeout(() => stage.stop(), 30)
    await pipeline(source, foreign, stage, sink.stream)
    expect(sink.frames()).toBeGreaterThan(0)
    expect(sink.frames() * 2).toBeLessThanOrEqual(source.delivered)
    await closed(source, foreign)
  })

  test('while the source is idle and the detector works puts the audio that had come into the last segment', async () => {
    const source = new Readable({ read() {} })
    source.push(Buffer.alloc(1001, 1))
    const isSpeech = () => new Promise<boolean>((resolve) => setTimeout(resolve, 2, true))
    const detector = { sampleRate: 16_000, frameSamples: 50, isSpeech }
    const stage = segment(format, { silence: every, minSpeech: { frames: 1 }, detector })
    const sink = collect()
    setTimeout(() => stage.stop(), 10)
    await pipeline(source, stage, sink.stream)
    expect(sink.segments).toMatchObject([{ start: 0, end: 500 }])
    await closed(source)
  })

  test('before anything has come, and twice', async () => {
    const source = new Ticking()
    const stage = segment(format, { silence: every })
    stage.stop()
    stage.stop()
    const sink = collect()
    await pipeline(source, stage, sink.stream)
    expect(sink.segments).toEqual([])
    await closed(source)
  })

  test('without a reader keeps all accepted audio for a later reader', async () => {
    const source = new Ticking()
    const stage = source.pipe(segment(format, { every, highWaterMark: 1 }))
    await new Promise((resolve) => setTimeout(resolve, 60))
    const accepted = source.delivered - source.readableLength
    stage.stop()
    await new Promise((resolve) => setTimeout(resolve, 10))
    const segments: Segment[] = await stage.toArray()
    expect(segments.at(-1)!.end * 2).toBe(accepted)
    await closed(source)
  })
})

describe('limit', () => {
  test('in front of it ends the last segment exactly', async () => {
    const source = tone(format, { pace: 'realtime' })
    const sink = collect()
    await pipeline(source, limit(format, { milliseconds: 130 }), segment(format, { every }), sink.stream)
    expect(sink.segments.map(({ start, end }) => [start, end])).toEqual([
      [0, 640],
      [640, 1280],
      [1280, 1920],
      [1920, 2080],
    ])
    await closed(source)
  })
})

describe('breaking out of for await', () => {
  const sources = {
    'a source of ours': () => speech(format, { pace: 'realtime' }),
    'a foreign source': () => new Ticking(),
  }
  const chains: Record<string, (source: Readable) => Segmenter> = {
    directly: (source) => source.pipe(segment(format, { every })),
    'behind limit': (source) => source.pipe(limit(format, { seconds: 60 })).pipe(segment(format, { every })),
    'behind a foreign stage': (source) => source.pipe(new PassThrough()).pipe(segment(format, { every })),
    'behind limit and a foreign stage': (source) =>
      source
        .pipe(limit(format, { seconds: 60 }))
        .pipe(new PassThrough())
        .pipe(segment(format, { every })),
  }
  const rows = Object.keys(sources).flatMap((source) =>
    Object.keys(chains).map((chain) => ({ source, chain })),
  )

  test.each(rows)('closes $source $chain', async ({ source: name, chain }) => {
    const source = sources[name as keyof typeof sources]()
    const stage = chains[chain]!(source)
    for await (const { end } of stage) {
      if (end >= 1280) break
    }
    await closed(source, stage)
  })

  test('in a pipeline() by an error that the consumer throws rejects', async () => {
    const source = new Ticking()
    const stage = segment(format, { every })
    const done = pipeline(source, stage, async (segments: AsyncIterable<Segment>) => {
      for await (const { start } of segments) if (start > 0) throw new Error('enough')
    })
    await expect(done).rejects.toThrow('enough')
    await closed(source, stage)
  })

  test('in a pipeline() by stop() resolves', async () => {
    const source = new Ticking()
    const stage = segment(format, { every })
    let last = 0
    await pipeline(source, stage, async (segments: AsyncIterable<Segment>) => {
      for await (const { end } of segments) {
        last = end
        if (end >= 1280) stage.stop()
      }
    })
    expect(last).toBeGreaterThanOrEqual(1280)
    await closed(source, stage)
  })

  test('disposes segments that were not handed over, and keeps those that were', async () => {
    const run = async (isShared: boolean) => {
      const files: VirtualFile[] = []
      const storage = { spill: { after: 1000, directory } }
      const stage = segment(format, { every, storage, highWaterMark: 4 })
      if (isShared) stage.on('begin', ({ file }: SegmentBegin) => files.push(file))
      stage.write(Buffer.alloc(1280 * 10 + 500))
      for await (const { file } of stage) {
        await file.dispose()
        break
      }
      await closed(stage)
      return files
    }
    await run(false)
    expect(spilled()).toBe(0)
    const files = await run(true)
    expect(spilled()).toBeGreaterThan(0)
    for (const file of files.slice(1))
      expect(readWavHeader(await file.toBuffer())?.dataBytes).toBe(file.size - 44)
    for (const file of files) await file.dispose()
    expect(spilled()).toBe(0)
  })
})

/** Directories of part files that have not been given back. */
function spilled(): number {
  return existsSync(directory) ? readdirSync(directory).length : 0
}

describe('an error', () => {
  test.each([0, 1, 2])(
    'of stream %i of a pipeline destroys all streams, and loses no recorded audio',
    async (which) => {
      const source = new Ticking()
      const stage = segment(format, { every: { milliseconds: 20 }, highWaterMark: 3 })
      const followers: Promise<unknown>[] = []
      stage.on('begin', ({ file }: SegmentBegin) => {
        followers.push(
          file
            .createReadStream({ follow: true })
            .toArray()
            .catch((error) => error),
        )
      })
      const sink = collect(15)
      const streams = [source, stage, sink.stream]
      setTimeout(() => streams[which]!.destroy(new Error('broken')), 40)
      await expect(pipeline(source, stage, sink.stream)).rejects.toThrow('broken')
      await closed(...streams)
      expect(source.timer).toBeUndefined()

      const { unread } = stage
      const all = [...sink.segments, ...unread]
      let end = 0
      for (const each of all) {
        expect(each.start).toBe(end)
        end = each.end
        const bytes = await each.file.toBuffer()
        expect(readWavHeader(bytes)?.dataBytes).toBe((each.end - each.start) * 2)
        expect(bytes.length).toBe(44 + (each.end - each.start) * 2)
      }
      const last = await followers.at(-1)
      const isBrokenOff = (all.at(-1)?.end ?? 0) % 320 !== 0
      if (isBrokenOff) expect(last).toMatchObject({ message: 'broken' })
    },
  )

  test('of the source within a segment leaves it in unread, with the audio that had come', async () => {
    const source = tone(format, { errorAfter: { milliseconds: 100 }, error: new Error('unplugged') })
    const stage = segment(format, { every })
    const segments: Segment[] = []
    const done = pipeline(source, stage, async (all: AsyncIterable<Segment>) => {
      for await (const each of all) segments.push(each)
    })
    await expect(done).rejects.toThrow('unplugged')
    await closed(stage)
    const last = [...segments, ...stage.unread].at(-1)!
    expect(last.end).toBe(1600)
    expect(readWavHeader(await last.file.toBuffer())?.dataBytes).toBe((1600 - last.start) * 2)
  })

  test('of a storage makes the stage fail, and keeps the audio that was written', async () => {
    const path = join(directory, 'taken.wav')
    const stage = segment(format, { every, storage: (name) => (name.includes('0002') ? { path } : 'memory') })
    const first = segment(format, { every, storage: () => ({ path }) })
    await pipeline(Readable.from([pattern(1000)]), first, collect().stream)
    const sink = collect()
    const done = pipeline(Readable.from([pattern(3000)]), stage, sink.stream)
    await expect(done).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_STORAGE' })
    const segments = [...sink.segments, ...stage.unread]
    expect(segments[0]).toMatchObject({ start: 0, end: 640 })
    expect((await segments[0]!.file.toBuffer()).subarray(44).equals(pattern(1280))).toBe(true)
  })

  test('in a chain of .pipe(): the source is closed', async () => {
    const source = new Ticking()
    const isSpeech = () => {
      throw new Error('no')
    }
    const stage = source.pipe(
      segment(format, { silence: every, detector: { sampleRate: 16_000, frameSamples: 9, isSpeech } }),
    )
    await expect(stage.toArray()).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_DETECTOR' })
    await closed(source)
  })

  test('of half a frame at the end comes behind the last segment', async () => {
    const stage = Readable.from([pattern(1281)]).pipe(segment(format, { every: { frames: 100 } }))
    let end = 0
    const read = async () => {
      for await (const each of stage) {
        await new Promise(setImmediate)
        end = each.end
      }
    }
    await expect(read()).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_PARTIAL_FRAME' })
    expect(end).toBe(640)
  })

  test('of half a frame at the end may come after the sink has finished', async () => {
    let isFinished = false
    const starts: number[] = []
    const sink = new Writable({
      objectMode: true,
      write({ start }: Segment, _encoding, callback) {
        starts.push(start)
        callback()
      },
      final(callback) {
        isFinished = true
        callback()
      },
    })
    const done = pipeline(Readable.from([pattern(1281)]), segment(format, { every: { frames: 300 } }), sink)
    await expect(done).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_PARTIAL_FRAME' })
    expect({ isFinished, starts }).toEqual({ isFinished: true, starts: [0, 300, 600] })
  })

  test('an abort leaves all that was recorded in unread', async () => {
    const source = new Ticking()
    const stage = segment(format, { every })
    const signal = AbortSignal.timeout(30)
    const sink = collect(1000)
    await expect(pipeline(source, stage, sink.stream, { signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
    await closed(source, stage, sink.stream)
    const all = [...sink.segments, ...stage.unread]
    expect(all.length).toBeGreaterThan(0)
    for (const { file, start, end } of all) expect(file.size).toBe(44 + (end - start) * 2)
  })
})
