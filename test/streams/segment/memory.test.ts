import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { pcmFormat } from '../../../src/format/pcmFormat.ts'
import { type Segment, type SegmentOptions, segment } from '../../../src/streams/segment.ts'

const format = pcmFormat()
setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Half a second of noise and half a second of silence in turn, for ever: some 200 kB a segment at most. */
function* turns(seconds: number): Generator<Buffer> {
  const loud = Buffer.alloc(3200)
  for (let at = 0; at < loud.length; at += 2) loud.writeInt16LE(((at * 7919) % 20_000) - 10_000, at)
  const quiet = Buffer.alloc(3200)
  for (let i = 0; i < seconds * 10; i++) yield i % 10 < 5 ? loud : quiet
}

const detector = {
  sampleRate: 16_000,
  frameSamples: 160,
  isSpeech: (frame: Float32Array) => frame.some((sample) => sample !== 0),
}

async function grownBy(
  options: SegmentOptions,
): Promise<{ heap: number; outside: number; segments: number }> {
  let count = 0
  let before = process.memoryUsage()
  const segments: AsyncIterable<Segment> = Readable.from(turns(6000)).pipe(segment(format, options))
  for await (const { file } of segments) {
    await file.dispose()
    count++
    if (count !== 500 && count % 1000 !== 0) continue
    for (let i = 0; i < 3; i++) {
      collect()
      await new Promise((resolve) => setTimeout(resolve, 20)) // memory is given back in the background
    }
    if (count === 500) before = process.memoryUsage()
  }
  collect()
  await new Promise((resolve) => setTimeout(resolve, 100))
  const after = process.memoryUsage()
  const outside = after.rss - after.heapTotal - (before.rss - before.heapTotal) // how large V8 makes its heap is its own affair
  return { heap: after.heapUsed - before.heapUsed, outside, segments: count }
}

test.each([
  ['by time', { every: { seconds: 1 } }],
  ['at pauses', { silence: { milliseconds: 300 }, detector }],
  ['at pauses, by libfvad', { silence: { milliseconds: 300 }, maxLength: { seconds: 1 } }],
] as [string, SegmentOptions][])(
  'memory stays where it is over 6,000 s of segments that are disposed, %s',
  async (_, options) => {
    const { heap, outside, segments } = await grownBy(options)
    expect(segments).toBeGreaterThan(4000)
    expect(heap).toBeLessThan(2 ** 21)
    // The samples of all of it are 192 MB. What Node holds outside the heap differs by some 20 MB from version to version.
    expect(outside).toBeLessThan(192e6 / 4)
  },
)
