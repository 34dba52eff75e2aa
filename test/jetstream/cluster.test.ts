import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JetStreamClient } from '@nats-io/jetstream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { pcmFormat, segment } from '../../src/index.ts'
import {
  ensureStreams,
  followRecording,
  publishRecording,
  queueSegments,
  type RecordingPublisher,
  readTexts,
  workSegments,
} from '../../src/jetstream/index.ts'
import { realTime } from '../realTime.ts'
import { type Nats, startNats, whyNoNats } from './nats.ts'
import { rampAt } from './rampAt.mjs'

/** `npm run test:kills` takes 50, and kills all three servers in turn instead of the leader alone. */
const CALLS = Number(process.env.WAVESPOOL_CALLS ?? 20)
const VICTIMS = process.env.WAVESPOOL_CALLS ? 3 : 1
const format = pcmFormat({ sampleRate: 8000 })
const TICK_MS = 100
/** The time within which a cluster reacts. */
const soon = { timeout: 60_000, interval: 200 }

describe.skipIf(whyNoNats)('three servers', realTime, () => {
  let nats: Nats
  beforeEach(async () => {
    nats = await startNats(3)
    await ensureStreams(nats.js, { replicas: 3, ackWaitSeconds: 3 })
  })
  afterEach(() => nats?.stop())

  async function clusterOf(stream: string) {
    const manager = await nats.js.jetstreamManager(false)
    const { cluster } = await manager.streams.info(stream)
    return cluster!
  }

  const leaderOf = (stream: string) =>
    vi.waitFor(async () => {
      const leader = nats.servers.names.indexOf((await clusterOf(stream)).leader ?? '')
      expect(leader).toBeGreaterThanOrEqual(0)
      return leader
    }, soon)

  /** All three hold all of the stream. */
  const inStep = (stream: string) =>
    vi.waitFor(async () => {
      const { replicas = [] } = await clusterOf(stream)
      expect(replicas.filter(({ current, offline }) => current && !offline).length).toBe(2)
    }, soon)

  // Debian's version accepts messages of both for a moment, since its servers check the expected sequence in different
  // orders.
  test('hold one recording where recorders begin at the same moment, and while a superseded one goes on', async () => {
    const { js } = nats
    const other = await nats.connect()
    const frames = 8000
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const id = `rivals-${n}`
        const write = async (client: JetStreamClient, sample: number, position?: number) => {
          const bytes = Buffer.alloc(2 * frames, sample)
          const pieces = Array.from({ length: 10 }, (_, i) => bytes.subarray(i * 1600, (i + 1) * 1600))
          const publisher = publishRecording(client, id, format, position === undefined ? {} : { position })
          const source = Readable.from(pieces, { objectMode: false })
          return pipeline(source, publisher).catch((error) => error.code as string)
        }
        const zombie = publishRecording(js, id, format)
        const superseded = once(zombie, 'error')
        zombie.write(Buffer.alloc(1600, 1))
        await once(zombie, 'acknowledged')
        // It must not come to the rivals' end before they have begun.
        let left = 8
        const timer = setInterval(() => left-- > 0 && zombie.write(Buffer.alloc(1600, 1)), 5)
        const rivals = await Promise.all([write(js, 2, 1600), write(other, 3, 1600)])
        clearInterval(timer)
        zombie.write(Buffer.alloc(1600, 1))
        const [error] = await superseded
        expect(error.code).toMatch(/_SUPERSEDED$/)
        const follower = followRecording(js, id)
        const again = followRecording(other, id, { onGap: 'fill' })
        const [bytes, same] = await Promise.all([buffer(follower), buffer(again)])
        expect(same.equals(bytes)).toBe(true)
        return { rivals, bytes }
      }),
    )
    for (const { rivals, bytes } of outcomes) {
      const done = rivals.indexOf(undefined)
      expect(rivals[1 - done]).toMatch(/_RECORDING$|_SUPERSEDED$/)
      // The audio of the superseded recorder, then that of the rival that won; of the other rival, at most audio in
      // front of it.
      const winner = done + 2
      const from = bytes.indexOf(winner)
      expect(bytes).toHaveLength(1600 + 2 * frames)
      expect(bytes.subarray(from).every((sample) => sample === winner)).toBe(true)
      expect(from).toBeGreaterThanOrEqual(1600)
      expect([...bytes.subarray(0, from)].every((sample, i, all) => sample >= (all[i - 1] ?? 1))).toBe(true)
    }
  })

  test(`lose no sample of ${CALLS} calls when ${VICTIMS === 1 ? 'their leader is' : 'each is'} killed, and when all are`, {
    timeout: 240_000,
  }, async () => {
    // The readers lose their connection together with the server.
    const readers = await nats.connect(await leaderOf('wavespool-recordings'))
    const beganAt = performance.now()
    const calls = Array.from({ length: CALLS }, (_, n) => {
      const publisher = publishRecording(nats.js, `call-${n}`, format)
      const followed = n < 5 ? buffer(followRecording(readers, `call-${n}`)) : undefined
      return { publisher, followed, last: performance.now(), longest: 0, frames: 0 }
    })
    for (const call of calls) {
      call.publisher.on('acknowledged', () => {
        call.longest = Math.max(call.longest, performance.now() - call.last)
        call.last = performance.now()
      })
    }
    const write = () => {
      const now = Math.floor(((performance.now() - beganAt) * format.sampleRate) / 1000)
      for (const call of calls) {
        call.publisher.write(rampAt(call.frames, now - call.frames))
        call.frames = now
      }
    }
    const timer = setInterval(write, TICK_MS)
    const allGoOn = async () => {
      const asked = performance.now()
      await vi.waitFor(() => expect(calls.filter(({ last }) => last < asked).length).toBe(0), soon)
    }
    await allGoOn()
    const killed: number[] = []
    const pauses: string[] = []
    while (killed.length < VICTIMS) {
      const leader = await leaderOf('wavespool-recordings')
      const victim = killed.length === 0 ? leader : [0, 1, 2].find((n) => !killed.includes(n))!
      for (const call of calls) call.longest = 0
      await nats.servers.kill(victim)
      killed.push(victim)
      await allGoOn()
      const longest = Math.max(...calls.map((call) => call.longest)) / 1000
      pauses.push(`${longest.toFixed(1)} s${victim === leader ? ' (leader)' : ''}`)
      await nats.servers.start(victim)
      await inStep('wavespool-recordings')
    }
    clearInterval(timer)
    write()
    const closed = (publisher: RecordingPublisher) => once(publisher, 'close')
    await Promise.all(
      calls.map(({ publisher }) => {
        const isClosed = closed(publisher)
        publisher.end()
        return isClosed
      }),
    )
    console.log(
      `${CALLS} calls of ${(calls[0]!.frames / 8000).toFixed(0)} s; longest pause: ${pauses.join(', ')}`,
    )
    for (const { followed, frames } of calls) {
      if (followed) expect((await followed).equals(rampAt(0, frames))).toBe(true)
    }

    // All of them die, and come back.
    await Promise.all([0, 1, 2].map((n) => nats.servers.kill(n)))
    await Promise.all([0, 1, 2].map((n) => nats.servers.start(n)))
    for (const [n, { frames }] of calls.entries()) {
      const bytes = await buffer(followRecording(nats.js, `call-${n}`))
      expect(bytes.equals(rampAt(0, frames)), `call-${n}`).toBe(true)
    }
  })

  test('keep every segment and every text when the leader of the queue is killed', {
    timeout: 120_000,
  }, async () => {
    const count = 60
    const { js } = nats
    const workers = workSegments(js, async ({ start, end }) => {
      await sleep(100)
      return `${start} to ${end}`
    })
    const source = Readable.from(
      (async function* () {
        for (let i = 0; i < count; i++) {
          yield rampAt(i * 800, 800)
          await sleep(50)
        }
      })(),
      { objectMode: false },
    )
    const queued = pipeline(
      source,
      segment(format, { every: { milliseconds: 100 } }),
      queueSegments(js, 'queued'),
    )
    await once(workers, 'text')
    const victim = await leaderOf('wavespool-segments')
    await nats.servers.kill(victim)
    await queued
    await nats.servers.start(victim)
    const allTexts = async () => expect(await readTexts(js, 'queued')).toHaveLength(count)
    await Promise.race([vi.waitFor(allTexts, soon), workers.finished])
    await workers.stop()
    expect(await readTexts(js, 'queued')).toEqual(
      Array.from({ length: count }, (_, i) => {
        const [start, end] = [i * 800, (i + 1) * 800]
        return { id: 'queued', start, end, text: `${start} to ${end}` }
      }),
    )
  })
})
