import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Encoding, encodings } from '../../../src/format/encoding.ts'
import { pcmFormat } from '../../../src/index.ts'
import {
  type TimelineGap,
  type TimelineItem,
  TimelineKernel,
  type TimelineLate,
} from '../../../src/streams/timeline/kernel.ts'
import { runKernel } from '../kernels.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

interface Outcome {
  bytes: Buffer
  gaps: TimelineGap[]
  late: TimelineLate[]
  error: unknown
}

function play(kernel: TimelineKernel, items: TimelineItem[]): Outcome {
  const gaps: TimelineGap[] = []
  const late: TimelineLate[] = []
  kernel.onGap = (gap) => gaps.push(gap)
  kernel.onLate = (stretch) => late.push(stretch)
  const { out, error } = runKernel(kernel as never, items as never)
  return { bytes: Buffer.concat(out), gaps, late, error }
}

/** A sample that tells its track and its place, and is never silence. */
function sampleAt(track: number, frame: number, size: number): Buffer {
  const sample = Buffer.alloc(size)
  for (let i = 0; i < size; i++) sample[i] = 1 + ((track * 31 + frame * 7 + i * 3 + (frame >> 5)) % 120)
  return sample
}

function itemOf(track: number, at: number, frames: number, size: number): TimelineItem {
  const samples = Array.from({ length: frames }, (_, i) => sampleAt(track, at + i, size))
  return { track: names[track]!, at, data: Buffer.concat(samples) }
}

/** The plainest timeline there is: a grid of samples, filled in the order in which packets come. */
function model(items: TimelineItem[], tracks: number, encoding: Encoding, window: number) {
  const size = encodings[encoding].bytesPerSample
  const grid = new Map<string, Buffer>()
  let newest = 0
  let floor = 0
  const left: string[] = []
  for (const { track, at, data } of items) {
    for (let i = 0; i * size < data.length; i++) {
      const key = `${track} ${at + i}`
      if (at + i < floor || grid.has(key)) left.push(key)
      else grid.set(key, Buffer.from(data.subarray(i * size, (i + 1) * size)))
    }
    if (data.length > 0) newest = Math.max(newest, at + data.length / size)
    floor = Math.max(floor, newest - window)
  }
  const silent = Buffer.alloc(size, encodings[encoding].silentByte)
  const out: Buffer[] = []
  const missing: string[] = []
  for (let frame = 0; frame < newest; frame++) {
    for (const track of names.slice(0, tracks)) {
      const sample = grid.get(`${track} ${frame}`)
      if (sample === undefined) missing.push(`${track} ${frame}`)
      out.push(sample ?? silent)
    }
  }
  return { bytes: Buffer.concat(out), missing: missing.sort(), left: left.sort() }
}

const framesOf = (stretches: TimelineGap[]) =>
  stretches
    .flatMap(({ track, at, frames }) => Array.from({ length: frames }, (_, i) => `${track} ${at + i}`))
    .sort()

const packets = fc
  .record({
    tracks: fc.integer({ min: 1, max: 8 }),
    encoding: fc.constantFrom<Encoding>('u8', 's16le', 's24le', 'f32le', 'f64le', 'mulaw', 'alaw'),
    window: fc.integer({ min: 1, max: 60 }),
  })
  .chain((settings) =>
    fc.record({
      settings: fc.constant(settings),
      items: fc.array(fc.tuple(fc.nat(settings.tracks - 1), fc.integer({ min: -10, max: 300 }), fc.nat(40)), {
        maxLength: 40,
      }),
    }),
  )

describe('TimelineKernel', () => {
  test('places samples in any order, and reports each hole and each sample that it left out', () => {
    fc.assert(
      fc.property(packets, ({ settings: { tracks, encoding, window }, items: places }) => {
        const size = encodings[encoding].bytesPerSample
        const format = pcmFormat({ encoding })
        const items = places.map(([track, at, frames]) => itemOf(track, at, frames, size))
        const kernel = new TimelineKernel(format, names.slice(0, tracks), 'channels', {
          window,
          maxGap: 1000,
        })
        const expected = model(items, tracks, encoding, window)
        const got = play(kernel, items)
        expect(got.error).toBeUndefined()
        expect(got.bytes.equals(expected.bytes)).toBe(true)
        expect(framesOf(got.gaps)).toEqual(expected.missing)
        expect(framesOf(got.late)).toEqual(expected.left)
        for (const [i, gap] of got.gaps.entries()) {
          const touches = got.gaps.some(
            (other, k) => k !== i && other.track === gap.track && other.at === gap.at + gap.frames,
          )
          expect(touches).toBe(false)
        }
      }),
      { numRuns: 400 },
    )
  })

  test('gives the same for every order within the window', () => {
    const ramps = fc.record({
      tracks: fc.integer({ min: 2, max: 8 }),
      count: fc.integer({ min: 1, max: 40 }),
      dropped: fc.array(fc.nat(400), { maxLength: 30 }),
      doubled: fc.array(fc.nat(400), { maxLength: 10 }),
      delays: fc.array(fc.nat(70), { minLength: 50, maxLength: 50 }),
    })
    fc.assert(
      fc.property(ramps, ({ tracks, count, dropped, doubled, delays }) => {
        const FRAMES = 10
        const WINDOW = 100
        const format = pcmFormat()
        const whole: TimelineItem[] = []
        for (let n = 0; n < count; n++) {
          for (let track = 0; track < tracks; track++) whole.push(itemOf(track, n * FRAMES, FRAMES, 2))
        }
        const sent = whole.filter((_, i) => !dropped.includes(i))
        const all = [...sent, ...sent.filter((_, i) => doubled.includes(i))]
        // a packet that arrives up to 70 frames after its time is at most 80 behind the newest end
        const arrival = new Map(all.map((item, i) => [i, item.at + delays[i % delays.length]!]))
        const shuffled = all.map((item, i) => ({ item, at: arrival.get(i)! })).sort((x, y) => x.at - y.at)
        const run = (items: TimelineItem[]) =>
          play(
            new TimelineKernel(format, names.slice(0, tracks), 'channels', { window: WINDOW, maxGap: 1000 }),
            items,
          )
        const inOrder = run(sent)
        const got = run(shuffled.map(({ item }) => item))
        expect(got.bytes.equals(inOrder.bytes)).toBe(true)
        expect(framesOf(got.gaps)).toEqual(framesOf(inOrder.gaps))
        expect(got.late.every(({ cause }) => cause === 'duplicate')).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test('puts out the samples that every track has at once, the others when they are older than the window', () => {
    const kernel = new TimelineKernel(pcmFormat(), ['a', 'b'], 'channels', { window: 100, maxGap: 1000 })
    let out = 0
    const put = (track: number, at: number, frames: number) => {
      kernel.push(itemOf(track, at, frames, 2), { push: (bytes) => (out += bytes.length / 4) })
      return out
    }
    expect(put(0, 0, 20)).toBe(0)
    expect(put(1, 0, 10)).toBe(10)
    expect(put(1, 20, 10)).toBe(10) // b lacks 10 to 20
    expect(put(1, 10, 10)).toBe(20)
    expect(put(0, 20, 5)).toBe(25)
    expect(put(0, 125, 10)).toBe(35)
  })

  test('mixes by the sum, clipped where it is too loud', () => {
    const format = pcmFormat()
    const samples = (values: number[]) => Buffer.from(Int16Array.from(values).buffer)
    const kernel = new TimelineKernel(format, ['a', 'b'], 'mix', { window: 4, maxGap: 10 })
    const { bytes } = play(kernel, [
      { track: 'a', at: 0, data: samples([1, -5, 30_000, -30_000]) },
      { track: 'b', at: 0, data: samples([2, 3, 30_000, -30_000]) },
      { track: 'b', at: 4, data: samples([7]) },
    ])
    expect([...new Int16Array(Uint8Array.from(bytes).buffer)]).toEqual([3, -2, 32_767, -32_768, 7])
  })

  test('fails for an item that jumps too far or is invalid, after all items in front of it', () => {
    const format = pcmFormat()
    const good = itemOf(0, 0, 10, 2)
    const bad = [
      itemOf(1, 1011, 1, 2),
      { ...good, track: 'z' },
      { ...good, at: 0.5 },
      { ...good, at: Number.NaN },
      { ...good, at: '5' },
      { ...good, data: Buffer.alloc(3) },
      { ...good, data: 'abcd' },
      {},
      null,
    ]
    for (const item of bad) {
      const kernel = new TimelineKernel(format, ['a', 'b'], 'channels', { window: 100, maxGap: 1000 })
      const { error } = play(kernel, [good, item as never])
      expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_TIMELINE' })
    }
    const kernel = new TimelineKernel(format, ['a', 'b'], 'channels', { window: 100, maxGap: 1000 })
    expect(play(kernel, [good, itemOf(1, 1010, 1, 2)]).error).toBeUndefined()
  })
})
