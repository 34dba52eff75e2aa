import { once } from 'node:events'
import { getDefaultHighWaterMark, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/transport-node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pcmFormat, VirtualFile, wavHeader } from '../../src/index.ts'
import {
  ensureStreams,
  followRecording,
  publishRecording,
  type RecordingPublisher,
  resumeRecording,
} from '../../src/jetstream/index.ts'
import { assertRamp, ramp } from '../../src/testing/index.ts'
import { realTime } from '../realTime.ts'
import { type Nats, startNats, whyNoNats } from './nats.ts'

const format = pcmFormat()
/** A tenth of a second. */
const MESSAGE = 3200

describe.skipIf(whyNoNats)('a recording', realTime, () => {
  let nats: Nats
  beforeEach(async () => {
    nats = await startNats(1)
    await ensureStreams(nats.js)
  })
  afterEach(() => nats?.stop())

  const rampBytes = (frames: number) => buffer(ramp(format, { duration: { frames }, pace: 'fast' }))
  /** Writes without an end, and waits until it is stored. */
  async function store(publisher: RecordingPublisher, bytes: Uint8Array, upTo: number): Promise<void> {
    publisher.write(bytes)
    while (publisher.acknowledged < upTo) await once(publisher, 'acknowledged')
  }

  test('is followed while it goes on, into a VirtualFile, to its end', async () => {
    const { js } = nats
    const follower = followRecording(js, 'followed')
    const memo = new VirtualFile()
    const following = once(follower, 'format').then(([found]) => pipeline(follower, wavHeader(found), memo))
    const publisher = publishRecording(js, 'followed', format)
    await pipeline(ramp(format, { duration: { seconds: 2 }, pace: 'fast' }), publisher)
    await following
    expect(follower.format).toEqual(format)
    expect(publisher.acknowledged).toBe(64_000)
    await assertRamp(memo, format, { duration: { seconds: 2 } })
    expect(await resumeRecording(js, 'followed')).toEqual({ format, position: 64_000, isEnded: true })
    expect(await resumeRecording(js, 'never-begun')).toBeUndefined()
  })

  test('is read from any byte, to any byte, and from the newest one', async () => {
    const { js } = nats
    const bytes = await rampBytes(80_000)
    const publisher = publishRecording(js, 'places', format)
    await store(publisher, bytes.subarray(0, 120_000), 120_000)
    const live = buffer(followRecording(js, 'places', { start: 'live' }))
    for (const [start, end] of [
      [0, 0],
      [1, 3199],
      [100_002, 100_003],
      [64_000, 119_999],
      [118_000, 118_000],
    ] as const) {
      const part = await buffer(followRecording(js, 'places', { start, end }))
      expect(part.equals(bytes.subarray(start, end + 1)), `${start} to ${end}`).toBe(true)
    }
    await sleep(300) // until it follows
    publisher.end(bytes.subarray(120_000))
    expect((await live).equals(bytes.subarray(120_000))).toBe(true)
    expect(
      (await buffer(followRecording(js, 'places', { start: 158_000 }))).equals(bytes.subarray(158_000)),
    ).toBe(true)
    expect((await buffer(followRecording(js, 'places', { start: 170_000 }))).length).toBe(0)
  })

  test.each([1, 7, 333, 5000])('arrives whole when it is written in pieces of %i bytes', async (size) => {
    const { js } = nats
    const bytes = await rampBytes(4000)
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    )
    await pipeline(
      Readable.from(pieces, { objectMode: false }),
      publishRecording(js, `pieces-${size}`, format),
    )
    expect((await buffer(followRecording(js, `pieces-${size}`))).equals(bytes)).toBe(true)
  })

  test('that ends within a frame has all whole frames, and no end mark', async () => {
    const { js } = nats
    const source = Readable.from([Buffer.alloc(1001)], { objectMode: false })
    const publishing = pipeline(source, publishRecording(js, 'half', format))
    await expect(publishing).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_PARTIAL_FRAME' })
    expect(await resumeRecording(js, 'half')).toEqual({ format, position: 1000, isEnded: false })
  })

  test('keeps the audio that was written before it was destroyed, and is continued by another recorder', async () => {
    const { js } = nats
    const bytes = await rampBytes(40_000)
    const first = publishRecording(js, 'continued', format)
    await once(first, 'begin')
    first.write(bytes.subarray(0, 10_000))
    first.destroy()
    await once(first, 'close')
    const state = await resumeRecording(js, 'continued')
    expect(state).toEqual({ format, position: 10_000, isEnded: false })
    // From its file, of which the first 8,000 bytes are there already.
    const second = publishRecording(js, 'continued', format, { position: 2000 })
    const begun = once(second, 'begin')
    await store(second, bytes.subarray(2000, 30_000), 30_000)
    expect(await begun).toEqual([{ position: 10_000, gap: 0 }])
    second.destroy()
    await once(second, 'close')
    // It continues with the audio that comes now; the 10,000 bytes in between were never sent.
    const third = publishRecording(js, 'continued', format, { position: 40_000 })
    third.end(bytes.subarray(40_000))
    expect(await once(third, 'begin')).toEqual([{ position: 40_000, gap: 10_000 }])
    await once(third, 'close')

    const gap = { at: 30_000, bytes: 10_000, frames: 5000 }
    const reporting = followRecording(js, 'continued')
    const without = Buffer.concat([bytes.subarray(0, 30_000), bytes.subarray(40_000)])
    expect((await buffer(reporting)).equals(without)).toBe(true)
    expect(reporting.gaps).toEqual([gap])
    const filling = followRecording(js, 'continued', { onGap: 'fill' })
    const silent = Buffer.concat([bytes.subarray(0, 30_000), Buffer.alloc(10_000), bytes.subarray(40_000)])
    expect((await buffer(filling)).equals(silent)).toBe(true)
    const failing = followRecording(js, 'continued', { onGap: 'error' })
    const memo = new VirtualFile()
    await expect(pipeline(failing, memo)).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_GAP' })
    expect((await memo.toBuffer()).equals(bytes.subarray(0, 30_000))).toBe(true)
    const inside = followRecording(js, 'continued', { start: 35_000, onGap: 'fill' })
    expect((await buffer(inside)).equals(silent.subarray(35_000))).toBe(true)
    expect(inside.gaps).toEqual([{ at: 35_000, bytes: 5000, frames: 2500 }])
  })

  test('has one recorder: a second one is refused, and a superseded one fails', async () => {
    const { js } = nats
    const bytes = await rampBytes(20_000)
    const zombie = publishRecording(js, 'one', format)
    await store(zombie, bytes.subarray(0, 10_000), 10_000)
    const uninvited = publishRecording(js, 'one', format)
    expect(await once(uninvited, 'error')).toMatchObject([{ code: 'ERR_WAVESPOOL_RECORDING' }])
    const other = publishRecording(js, 'one', pcmFormat({ sampleRate: 8000 }), { position: 0 })
    expect(await once(other, 'error')).toMatchObject([{ code: 'ERR_WAVESPOOL_RECORDING' }])
    const successor = publishRecording(js, 'one', format, { position: 10_000 })
    await once(successor, 'begin')
    zombie.write(Buffer.alloc(MESSAGE, 1))
    expect(await once(zombie, 'error')).toMatchObject([{ code: 'ERR_WAVESPOOL_SUPERSEDED' }])
    successor.end(bytes.subarray(10_000))
    await once(successor, 'close')
    expect((await buffer(followRecording(js, 'one'))).equals(bytes)).toBe(true)
    const late = publishRecording(js, 'one', format, { position: 40_000 })
    expect(await once(late, 'error')).toMatchObject([{ code: 'ERR_WAVESPOOL_RECORDING' }])
  })

  test('has one recorder of several that begin at the same moment', async () => {
    const { js } = nats
    const bytes = await rampBytes(8000)
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, () =>
        pipeline(Readable.from([bytes], { objectMode: false }), publishRecording(js, 'race', format)),
      ),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason.code).toMatch(/_RECORDING$|_SUPERSEDED$/)
    }
    expect((await buffer(followRecording(js, 'race'))).equals(bytes)).toBe(true)
  })

  // A cluster of servers before 2.9.21 accepts messages of two recorders, in any order.
  test('leaves out the messages of another recorder that the server accepted', async () => {
    const { js } = nats
    const bytes = await rampBytes(40_000)
    const first = publishRecording(js, 'strays', format)
    await store(first, bytes.subarray(0, 10_000), 10_000)
    const manager = await js.jetstreamManager()
    const subject = 'wavespool.recordings.strays'
    const last = await manager.streams.getMessage('wavespool-recordings', { last_by_subj: subject })
    const stray = last!.header
    for (const name of ['Nats-Msg-Id', 'Nats-Expected-Last-Subject-Sequence']) stray.delete(name)
    stray.set('Wavespool-Recorder', 'a-zombie')
    for (const position of [10_000, 0, 50_000]) {
      stray.set('Wavespool-Position', `${position}`)
      await js.publish(subject, Buffer.alloc(3200, 0x55), { headers: stray })
    }
    await store(first, bytes.subarray(10_000, 60_000), 60_000)
    await js.publish(subject, Buffer.alloc(3200, 0x55), { headers: stray })
    first.end(bytes.subarray(60_000))
    await once(first, 'close')
    const follower = followRecording(js, 'strays')
    const strays: object[] = []
    follower.on('stray', (found) => strays.push(found))
    expect((await buffer(follower)).equals(bytes)).toBe(true)
    expect(strays).toHaveLength(4)
    expect(strays[0]).toEqual({ recorder: 'a-zombie', position: 10_000, bytes: 3200 })
    for (const start of [10_000, 11_000, 42_000, 59_998, 62_000]) {
      expect((await buffer(followRecording(js, 'strays', { start }))).equals(bytes.subarray(start))).toBe(
        true,
      )
    }
    expect(await resumeRecording(js, 'strays')).toMatchObject({ position: 80_000, isEnded: true })
  })

  test('with a hole fails there, after all audio in front of it was delivered', async () => {
    const { js } = nats
    const bytes = await rampBytes(20_000)
    const publisher = publishRecording(js, 'hole', format)
    for (let at = 0; at < 40_000; at += MESSAGE) {
      await store(publisher, bytes.subarray(at, at + MESSAGE), Math.min(at + MESSAGE, 40_000))
    }
    publisher.end()
    await once(publisher, 'close')
    const manager = await js.jetstreamManager()
    const subject = 'wavespool.recordings.hole'
    const find = async (position: number) => {
      for (let seq = 1; ; ) {
        const found = await manager.streams.getMessage('wavespool-recordings', {
          seq,
          next_by_subj: subject,
        } as never)
        const [kind, at] = [
          found!.header.get('Wavespool-Kind'),
          Number(found!.header.get('Wavespool-Position')),
        ]
        if (kind === 'audio' && at === position) return found!.seq
        seq = found!.seq + 1
      }
    }
    await manager.streams.deleteMessage('wavespool-recordings', await find(5 * MESSAGE))
    const memo = new VirtualFile()
    const failure = await pipeline(followRecording(js, 'hole'), memo).catch((error) => error)
    expect(failure).toMatchObject({ code: 'ERR_WAVESPOOL_HOLE' })
    expect(failure.message).toContain('3200 bytes at byte 16000')
    expect((await memo.toBuffer()).equals(bytes.subarray(0, 5 * MESSAGE))).toBe(true)
    const behind = await buffer(followRecording(js, 'hole', { start: 6 * MESSAGE }))
    expect(behind.equals(bytes.subarray(6 * MESSAGE))).toBe(true)
    // The oldest is gone, as by age.
    await manager.streams.purge('wavespool-recordings', { filter: subject, seq: await find(2 * MESSAGE) })
    const gone = await buffer(followRecording(js, 'hole')).catch((error) => error)
    expect(gone).toMatchObject({ code: 'ERR_WAVESPOOL_HOLE' })
    expect(gone.message).toContain('6400 bytes at byte 0')
    const rest = await buffer(followRecording(js, 'hole', { start: 6400, end: 15_999 }))
    expect(rest.equals(bytes.subarray(6400, 16_000))).toBe(true)
  })

  test('of a silent recorder fails where the options say so, and else waits', async () => {
    const { js } = nats
    const publisher = publishRecording(js, 'silent', format)
    await store(publisher, Buffer.alloc(1000), 1000) // too little for a message: it is sent after a while
    const follower = followRecording(js, 'silent', { idleSeconds: 0.5 })
    const memo = new VirtualFile()
    await expect(pipeline(follower, memo)).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_IDLE' })
    expect(memo.size).toBe(1000)
    const patient = followRecording(js, 'silent')
    const heard = buffer(patient)
    await sleep(1000)
    patient.stop()
    expect((await heard).length).toBe(1000)
    publisher.destroy()
  })

  test('stops reading its source while the buffer is full', async () => {
    const { js, servers } = nats
    const publisher = publishRecording(js, 'bounded', format, { buffer: { seconds: 1 } })
    await once(publisher, 'begin')
    await servers.kill(0)
    let written = 0
    const bytes = await rampBytes(80_000)
    for (
      ;
      written < bytes.length && publisher.write(bytes.subarray(written, written + 3200));
      written += 3200
    ) {
      await sleep(1)
    }
    expect(written).toBeLessThanOrEqual(32_000 + getDefaultHighWaterMark(false) + 2 * 3200)
    expect(written).toBeGreaterThanOrEqual(32_000)
    await servers.start(0)
    await once(publisher, 'drain')
    publisher.end(bytes.subarray(written + 3200))
    await once(publisher, 'close')
    expect((await buffer(followRecording(js, 'bounded'))).equals(bytes)).toBe(true)
  })

  test('is fetched no faster than it is read, so that its length does not matter to the memory', async () => {
    const seconds = 1000 // 32 MB, of which a reader may hold 64 messages of at most 128 KiB
    await pipeline(
      ramp(format, { duration: { seconds }, pace: 'fast' }),
      publishRecording(nats.js, 'long', format),
    )
    const js = await nats.connect()
    const { nc } = js as unknown as { nc: NatsConnection }
    const follower = followRecording(js, 'long')
    await once(follower, 'format')
    let fetched = 0
    for (let seen = -1; seen !== fetched; await sleep(500)) {
      seen = fetched
      fetched = nc.stats().inBytes
    }
    expect(fetched).toBeGreaterThan(100_000)
    expect(fetched).toBeLessThan(64 * 130 * 1024 + follower.readableHighWaterMark)
    assertRamp(await buffer(follower), format, { duration: { seconds } })
  })

  test('is refused where the streams are missing or full, and the error names the remedy', async () => {
    const { js } = nats
    const nowhere = publishRecording(js, 'call', format, { prefix: 'nowhere' })
    expect(await once(nowhere, 'error')).toMatchObject([
      { code: 'ERR_WAVESPOOL_JETSTREAM', message: expect.stringContaining('ensureStreams') },
    ])
    const follower = followRecording(js, 'call', { prefix: 'nowhere' })
    expect(await once(follower, 'error')).toMatchObject([{ code: 'ERR_WAVESPOOL_JETSTREAM' }])
    await ensureStreams(js, { prefix: 'full', recordings: { maxBytes: 50_000 } })
    const full = publishRecording(js, 'call', format, { prefix: 'full' })
    full.write(await rampBytes(40_000))
    expect(await once(full, 'error')).toMatchObject([{ code: 'ERR_WAVESPOOL_FULL' }])
    await ensureStreams(js, { prefix: 'full', recordings: { maxBytes: 500_000 } })
    const more = publishRecording(js, 'call', format, { prefix: 'full', position: full.acknowledged })
    more.end(Buffer.alloc(32_000))
    await once(more, 'close')
    expect(await resumeRecording(js, 'call', { prefix: 'full' })).toMatchObject({ isEnded: true })
    await expect(ensureStreams(js, { prefix: 'three', replicas: 3 })).rejects.toMatchObject({
      code: 'ERR_WAVESPOOL_JETSTREAM',
    })
  })

  test('fails where the servers are away for longer than the options allow', async () => {
    const alone = await startNats(1)
    await ensureStreams(alone.js)
    const publisher = publishRecording(alone.js, 'call', format, { retrySeconds: 0.5 })
    const failed = once(publisher, 'error')
    await once(publisher, 'begin')
    await alone.servers.kill(0)
    publisher.write(Buffer.alloc(MESSAGE))
    expect(await failed).toMatchObject([{ code: 'ERR_WAVESPOOL_JETSTREAM' }])
    await alone.stop()
  })
})

test('wrong arguments are refused at once', () => {
  const js = { publish() {}, jetstreamManager() {} } as never
  const type = { code: 'ERR_WAVESPOOL_ARG_TYPE' }
  const range = { code: 'ERR_WAVESPOOL_ARG_RANGE' }
  const publish = (id: unknown, options: object = {}, client: unknown = js) =>
    expect(() => publishRecording(client as never, id as string, format, options))
  publish('call', {}, {}).toThrow(expect.objectContaining(type))
  for (const id of ['', 'a.b', 'a b', '*', '>', 7, undefined])
    publish(id).toThrow(expect.objectContaining(type))
  publish('call', { prefix: 'a.b' }).toThrow(expect.objectContaining(type))
  publish('call', { mesage: {} }).toThrow(expect.objectContaining(type))
  publish('call', { message: 100 }).toThrow(expect.objectContaining(type))
  publish('call', { message: { seconds: 60 } }).toThrow(expect.objectContaining(range))
  publish('call', { buffer: { milliseconds: 10 } }).toThrow(expect.objectContaining(range))
  publish('call', { position: 1 }).toThrow(expect.objectContaining(range))
  publish('call', { position: -2 }).toThrow(expect.objectContaining(range))
  publish('call', { retrySeconds: 0 }).toThrow(expect.objectContaining(range))
  const follow = (options: object) => expect(() => followRecording(js, 'call', options as never))
  follow({ start: '1' }).toThrow(expect.objectContaining(type))
  follow({ start: -1 }).toThrow(expect.objectContaining(range))
  follow({ end: 0.5 }).toThrow(expect.objectContaining(range))
  follow({ onGap: 'skip' }).toThrow(expect.objectContaining(type))
  follow({ idleSeconds: 0 }).toThrow(expect.objectContaining(range))
})
