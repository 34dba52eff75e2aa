import { Readable, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { expect, test } from 'vitest'
import {
  limit,
  pcmFormat,
  type TimelineGap,
  type TimelineItem,
  type TimelineLate,
  timeline,
  VirtualFile,
  wavHeader,
} from '../../../src/index.ts'
import { manualClock, ramp, tone } from '../../../src/testing/index.ts'

const phone = pcmFormat({ sampleRate: 8000 })
const ARG_TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const ARG_RANGE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' })
const tracks = ['caller', 'agent'] as const
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** 20 ms whose every sample is `value`. */
function packet(track: string, at: number, value: number, frames = 160): TimelineItem {
  return { track, at, data: Buffer.from(new Int16Array(frames).fill(value).buffer) }
}

const samplesOf = (bytes: Buffer) => new Int16Array(Uint8Array.from(bytes).buffer)
const channelOf = (bytes: Buffer, channel: number) => samplesOf(bytes).filter((_, i) => i % 2 === channel)

test('two tracks of packets become one stereo WAV, with silence where nothing came', async () => {
  const call = timeline(phone, { tracks })
  const memo = new VirtualFile()
  const told: TimelineGap[] = []
  call.on('gap', (gap: TimelineGap) => told.push(gap))
  const items = Array.from({ length: 3000 }, (_, n) => [
    packet('caller', n * 160, 1),
    // silent for a minute
    ...(n < 10 || n >= 2990 ? [packet('agent', n * 160, 2)] : []),
  ]).flat()
  expect(call.format).toEqual(pcmFormat({ sampleRate: 8000, channels: 2 }))
  await pipeline(Readable.from(items), call, wavHeader(call.format), memo)
  expect(memo.duration).toBe(60)
  expect(memo.format).toEqual(call.format)
  const bytes = await memo.createReadStream({ header: false }).toArray().then(Buffer.concat)
  expect(channelOf(bytes, 0).every((sample) => sample === 1)).toBe(true)
  expect(channelOf(bytes, 1).every((sample, i) => sample === (i < 1600 || i >= 478_400 ? 2 : 0))).toBe(true)
  expect(told).toEqual([{ track: 'agent', at: 1600, frames: 476_800 }])
  expect(call.gaps).toEqual(told)
})

test('audio that comes late or twice is reported and left out', async () => {
  const call = timeline(phone, { tracks, window: { milliseconds: 100 } })
  const late: TimelineLate[] = []
  call.on('late', (stretch: TimelineLate) => late.push(stretch))
  const items = [
    packet('caller', 0, 1),
    packet('caller', 1600, 1),
    packet('agent', 0, 2),
    packet('caller', 1600, 9),
  ]
  await pipeline(Readable.from(items), call, async (chunks) => {
    for await (const _ of chunks);
  })
  expect(late).toEqual([
    { track: 'agent', at: 0, frames: 160, cause: 'late' },
    { track: 'caller', at: 1600, frames: 160, cause: 'duplicate' },
  ])
})

test('a jump beyond maxGap fails after all audio in front of it', async () => {
  const call = timeline(phone, { tracks, maxGap: { seconds: 10 } })
  const memo = new VirtualFile()
  const items = [packet('caller', 0, 1), packet('agent', 0, 2), packet('caller', 80_161, 1)]
  const done = pipeline(Readable.from(items), call, wavHeader(call.format), memo)
  await expect(done).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_TIMELINE' })
  expect(memo.duration).toBe(0.02)
})

test('the silence of a jump comes as fast as it is read, in bounded pieces', async () => {
  const call = timeline(phone, { tracks, maxGap: { seconds: 3600 } })
  let most = 0
  let bytes = 0
  const slow = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      bytes += chunk.length
      most = Math.max(most, call.readableLength)
      setImmediate(callback)
    },
  })
  await pipeline(Readable.from([packet('caller', 0, 1), packet('caller', 28_800_000, 1)]), call, slow)
  expect(bytes).toBe(28_800_160 * 4)
  expect(most).toBeLessThan(200_000)
})

test('continuous streams wait for each other, so that a far faster one loses no audio', async () => {
  const call = timeline(phone, { tracks })
  const late: unknown[] = []
  call.on('late', (stretch) => late.push(stretch))
  const fast = tone(phone, { pace: 'fast', duration: { seconds: 5 } })
  const slow = Readable.from(
    (async function* () {
      for (let n = 0; n < 250; n++) {
        if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
        yield packet('', 0, 7).data
      }
    })(),
    { objectMode: false },
  )
  const [, , bytes] = await Promise.all([
    pipeline(fast, call.track('caller')),
    pipeline(slow, call.track('agent')),
    call.toArray().then(Buffer.concat),
  ])
  expect(bytes.length).toBe(5 * 8000 * 4)
  expect(channelOf(bytes, 1).every((sample) => sample === 7)).toBe(true)
  expect(late).toEqual([])
  expect(call.gaps).toEqual([])
})

test('a cap stops both microphones', async () => {
  const call = timeline(phone, { tracks })
  const sources = [ramp(phone, { pace: 'realtime' }), ramp(phone, { pace: 'realtime' })]
  const memo = new VirtualFile()
  await Promise.all([
    ...sources.map((source, i) => pipeline(source, call.track(tracks[i]!))),
    pipeline(call, limit(call.format, { milliseconds: 200 }), wavHeader(call.format), memo),
  ])
  expect(memo.duration).toBe(0.2)
  expect(sources.every(({ destroyed }) => destroyed)).toBe(true)
  const bytes = await memo.createReadStream({ header: false }).toArray().then(Buffer.concat)
  expect(channelOf(bytes, 0)).toEqual(channelOf(bytes, 1))
})

test('one microphone that fails leaves silence, and the other one goes on', async () => {
  const call = timeline(phone, { tracks })
  const broken = new Readable({ read() {} })
  broken.push(packet('', 0, 5).data)
  const failing = expect(pipeline(broken, call.track('agent'))).rejects.toThrow('unplugged')
  const good = pipeline(tone(phone, { pace: 'fast', duration: { seconds: 1 } }), call.track('caller'))
  setTimeout(() => broken.destroy(new Error('unplugged')), 20)
  const bytes = await call.toArray().then(Buffer.concat)
  await failing
  await good
  expect(bytes.length).toBe(8000 * 4)
  expect(channelOf(bytes, 1)[159]).toBe(5)
  expect(call.gaps).toEqual([{ track: 'agent', at: 160, frames: 7840 }])
})

test('a timeline that is destroyed ends the streams that are written into it', async () => {
  const call = timeline(phone, { tracks })
  const source = tone(phone, { pace: 'realtime' })
  const done = pipeline(source, call.track('caller'))
  call.destroy(new Error('enough'))
  call.on('error', () => {})
  await expect(done).rejects.toThrow('enough')
  expect(source.destroyed).toBe(true)
})

test('half a frame at the end of a stream fails that stream after all whole frames', async () => {
  const call = timeline(phone, { tracks })
  const input = call.track('caller')
  const agent = call.track('agent')
  input.end(Buffer.alloc(321, 1))
  agent.end()
  await expect(finished(input)).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_PARTIAL_FRAME' })
  expect((await call.toArray().then(Buffer.concat)).length).toBe(160 * 4)
})

test('with a pace silence flows between packets, by a clock that a test moves', async () => {
  const clock = manualClock()
  const call = timeline(phone, { tracks, window: { milliseconds: 100 }, pace: clock })
  let bytes = Buffer.alloc(0)
  call.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
  })
  const frames = () => bytes.length / 4
  clock.advance(500)
  expect(frames()).toBe(0) // the first item says when it begins
  call.write(packet('caller', 0, 1))
  await turn()
  clock.advance(1000)
  await turn()
  expect(frames()).toBe(160 + 8000 - 800)
  // time is counted from the latest packet anew: late by less than the window is in time
  call.write(packet('caller', 8000, 2))
  await turn()
  clock.advance(1000)
  await turn()
  expect(frames()).toBe(8160 + 8000 - 800)
  call.end()
  await turn()
  clock.advance(60_000)
  await finished(call)
  expect(channelOf(bytes, 0)[8000]).toBe(2)
  expect(call.gaps.filter(({ track }) => track === 'caller')).toEqual([
    { track: 'caller', at: 160, frames: 7840 },
    { track: 'caller', at: 8160, frames: frames() - 8160 },
  ])
})

test('with a pace a voice that comes faster than real time waits, and one that paused goes on now', async () => {
  const clock = manualClock()
  const call = timeline(phone, { tracks, window: { milliseconds: 100 }, pace: clock })
  let bytes = Buffer.alloc(0)
  call.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
  })
  const late: unknown[] = []
  call.on('late', (stretch) => late.push(stretch))
  const voice = call.track('agent')
  voice.write(packet('', 0, 3, 4000).data) // half a second, at once
  const hear = async (milliseconds: number, from: number) => {
    for (let t = 0; t < milliseconds; t += 20) {
      clock.advance(20)
      call.write(packet('caller', from + t * 8, 1))
      await turn()
    }
  }
  await hear(2000, 0)
  voice.write(packet('', 0, 4, 800).data)
  await hear(1000, 16_000)
  call.end()
  voice.end()
  await finished(call)
  const [caller, agent] = [channelOf(bytes, 0), channelOf(bytes, 1)]
  expect(late).toEqual([])
  expect(caller.every((sample) => sample === 1)).toBe(true)
  expect(agent.filter((sample) => sample === 3).length).toBe(4000)
  const start = agent.indexOf(4)
  expect(start).toBeGreaterThanOrEqual(15_840)
  expect(start).toBeLessThanOrEqual(16_320)
  expect(agent.filter((sample) => sample === 4).length).toBe(800)
})

test('ten hours at full speed do not grow the memory', async () => {
  const format = pcmFormat({ sampleRate: 8000, encoding: 'mulaw' })
  const call = timeline(format, { tracks })
  const data = Buffer.alloc(8000, 1)
  let [n, most, base, bytes] = [0, 0, 0, 0]
  const source = new Readable({
    objectMode: true,
    read() {
      if (n === 72_000) this.push(null)
      else this.push({ track: tracks[n % 2], at: (n >> 1) * 8000, data })
      n++
    },
  })
  await pipeline(source, call, async (chunks) => {
    for await (const chunk of chunks) {
      bytes += chunk.length
      if (n % 6000 !== 0) continue
      const { arrayBuffers } = process.memoryUsage()
      if (n <= 12_000) base = Math.max(base, arrayBuffers)
      else most = Math.max(most, arrayBuffers)
    }
  })
  expect(bytes).toBe(36_000 * 16_000)
  expect(most - base).toBeLessThan(64 * 2 ** 20)
})

test('bad arguments throw at once', () => {
  for (const bad of [undefined, null, {}]) expect(() => timeline(bad as never, { tracks })).toThrow(ARG_TYPE)
  expect(() => timeline(pcmFormat({ channels: 2 }), { tracks })).toThrow(ARG_RANGE)
  for (const bad of [undefined, null, {}, { tracks: 'a' }, { tracks: [] }, { tracks: [1] }]) {
    expect(() => timeline(phone, bad as never)).toThrow(ARG_TYPE)
  }
  expect(() => timeline(phone, { tracks: ['a', 'a'] })).toThrow(ARG_RANGE)
  const wrong = [{ output: 'stereo' }, { pace: 'slow' }, { windows: 1 }, { window: 5 }, { maxGap: {} }]
  for (const bad of wrong) expect(() => timeline(phone, { tracks, ...bad } as never)).toThrow(ARG_TYPE)
  expect(() => timeline(phone, { tracks, window: { seconds: 0 } })).toThrow(ARG_RANGE)
  const call = timeline(phone, { tracks })
  expect(() => call.track('nobody')).toThrow(ARG_TYPE)
  expect(() => call.track('agent', { at: '5' as never })).toThrow(ARG_TYPE)
  expect(() => call.track('agent', { at: -1 })).toThrow(ARG_RANGE)
  expect(() => call.track('agent', { form: 1 } as never)).toThrow(ARG_TYPE)
})
