import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pcmFormat, segment } from '../../src/index.ts'
import {
  ensureStreams,
  followRecording,
  queueSegments,
  readTexts,
  workSegments,
} from '../../src/jetstream/index.ts'
import { ramp } from '../../src/testing/index.ts'
import { realTime } from '../realTime.ts'
import { type Nats, startNats, whyNoNats } from './nats.ts'
import { rampAt } from './rampAt.mjs'

/** How many processes die: `npm run test:kills` takes more of them. */
const KILLS = Number(process.env.WAVESPOOL_KILLS ?? 4)
const format = pcmFormat()

interface Told {
  begin?: number
  gap?: number
  acknowledged?: number
  file?: string
  ended?: number
}

describe.skipIf(whyNoNats)(`kill -9, ${KILLS} times`, realTime, () => {
  let nats: Nats
  let folder: string
  const children = new Set<ChildProcess>()
  const start = (script: string, args: string[], stderr: 'inherit' | 'ignore' = 'inherit') => {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, script), nats.servers.urls[0]!, ...args],
      {
        stdio: ['ignore', 'pipe', stderr],
      },
    )
    children.add(child)
    child.once('exit', () => children.delete(child))
    return child
  }

  beforeEach(async () => {
    nats = await startNats(1)
    folder = await mkdtemp(join(tmpdir(), 'wavespool-killed-'))
  })
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL')
    await nats?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('of a recorder: all acknowledged audio is there once, the rest is reported as gaps', {
    timeout: 180_000,
  }, async () => {
    await ensureStreams(nats.js)
    const beganAt = Date.now()
    const acknowledged: { from: number; to: number }[] = []
    const gaps: { at: number; bytes: number }[] = []
    let oldPath = ''
    let frames = 0
    for (let kill = 0; ; kill++) {
      const args = [
        'call',
        join(folder, `${kill}`),
        kill % 3 === 2 ? '' : oldPath,
        `${beganAt}`,
        kill === KILLS ? '3' : '1000',
      ]
      const child = start('ingest.mjs', args)
      let end = -1
      const lines = createInterface({ input: child.stdout! })
      const isRecording = new Promise<void>((resolve) => {
        lines.on('line', (line) => {
          const told: Told = JSON.parse(line)
          if (told.begin !== undefined) {
            end = told.begin
            if (told.gap) gaps.push({ at: told.begin - told.gap, bytes: told.gap })
          }
          if (told.acknowledged !== undefined) {
            acknowledged.push({ from: end, to: told.acknowledged })
            end = told.acknowledged
            resolve()
          }
          if (told.file) oldPath = told.file
          frames = told.ended ?? frames
        })
      })
      const closed = once(child, 'close')
      if (kill >= KILLS) {
        expect(await closed).toEqual([0, null])
        break
      }
      await Promise.race([isRecording, closed])
      await sleep(Math.random() * 700)
      child.kill('SIGKILL')
      expect(await closed).toEqual([null, 'SIGKILL'])
    }

    const follower = followRecording(nats.js, 'call', { onGap: 'fill' })
    const bytes = await buffer(follower)
    expect(bytes.length).toBe(2 * frames)
    expect(follower.gaps.length).toBeGreaterThan(0)
    // A process that died may have told a gap only to itself: those that were told are all there.
    for (const gap of gaps) expect(follower.gaps).toContainEqual({ ...gap, frames: gap.bytes / 2 })
    const wanted = rampAt(0, bytes.length / 2)
    for (const { at, bytes: length } of follower.gaps) wanted.fill(0, at, at + length)
    expect(bytes.equals(wanted)).toBe(true)
    for (const { from, to } of acknowledged) {
      const lost = follower.gaps.filter(({ at, bytes: length }) => at < to && at + length > from)
      expect(lost, `${from} to ${to}`).toEqual([])
    }
    const missing = follower.gaps.reduce((sum, gap) => sum + gap.frames, 0) / format.sampleRate
    console.log(
      `${KILLS} recorders died; ${missing.toFixed(2)} s of ${(frames / format.sampleRate).toFixed(2)} s were never sent`,
    )
  })

  test('of a worker between text and acknowledgement: one text for each segment', {
    timeout: 300_000,
  }, async () => {
    const prefix = 'dying'
    const { js } = nats
    await ensureStreams(js, { prefix, ackWaitSeconds: 2 })
    const cut = segment(format, { every: { milliseconds: 100 } })
    const source = ramp(format, { duration: { milliseconds: KILLS * 100 }, pace: 'fast' })
    await pipeline(source, cut, queueSegments(js, 'call', { prefix }))
    let died = 0
    const lane = async () => {
      while (died < KILLS) {
        died++
        const [, signal] = await once(start('dyingWorker.mjs', [prefix]), 'exit')
        expect(signal).toBe('SIGKILL')
      }
    }
    await Promise.all([lane(), lane()])
    const workers = workSegments(js, async ({ start: from, end }) => `${from} to ${end}`, {
      prefix,
      attempts: 100,
    })
    const manager = await js.jetstreamManager()
    while ((await manager.streams.info(`${prefix}-segments`)).state.messages > 0) await sleep(100)
    await workers.stop()
    const texts = await readTexts(js, 'call', { prefix })
    expect(texts).toEqual(
      Array.from({ length: KILLS }, (_, i) => {
        const [from, end] = [i * 1600, (i + 1) * 1600]
        return { id: 'call', start: from, end, text: `${from} to ${end}` }
      }),
    )
    expect((await manager.streams.info(`${prefix}-texts`)).state.messages).toBe(KILLS)
    expect((await manager.streams.info(`${prefix}-failed`)).state.messages).toBe(0)
  })
})
