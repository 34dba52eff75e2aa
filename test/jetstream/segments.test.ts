import { EventEmitter, once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { pcmFormat, type Segment, segment, VirtualFile } from '../../src/index.ts'
import {
  ensureStreams,
  followRecording,
  publishRecording,
  type QueuedSegment,
  queueSegments,
  readTexts,
  resumeSegments,
  workSegments,
} from '../../src/jetstream/index.ts'
import { assertRamp, ramp } from '../../src/testing/index.ts'
import { realTime } from '../realTime.ts'
import { type Nats, startNats, whyNoNats } from './nats.ts'

const format = pcmFormat({ sampleRate: 8000 })
const seconds = 5

describe.skipIf(whyNoNats)('segments', realTime, () => {
  let nats: Nats
  beforeEach(async () => {
    nats = await startNats(1)
  })
  afterEach(() => nats?.stop())

  const source = () => ramp(format, { duration: { seconds }, pace: 'fast' })
  /** Hears whether a segment is the part of the ramp that it says to be. */
  const transcribe = async ({ file, start, end }: QueuedSegment) => {
    await assertRamp(file, format, { from: start, duration: { frames: end - start } })
    return `${start} to ${end}`
  }
  const expected = (id: string) =>
    Array.from({ length: seconds }, (_, i) => [i * 8000, (i + 1) * 8000] as const).map(([start, end]) => ({
      id,
      start,
      end,
      text: `${start} to ${end}`,
    }))
  const allTexts = async (prefix: string, id: string, count = seconds) => {
    const whole = async () => {
      const texts = await readTexts(nats.js, id, { prefix })
      expect(texts.length).toBeGreaterThanOrEqual(count)
      return texts
    }
    return vi.waitFor(whole, { timeout: 30_000, interval: 100 })
  }

  test('become one text each, even where they are queued several times', async () => {
    const { js } = nats
    await ensureStreams(js, { prefix: 'twice' })
    for (let i = 0; i < 2; i++) {
      const cut = segment(format, { every: { seconds: 1 } })
      await pipeline(source(), cut, queueSegments(js, 'call', { prefix: 'twice' }))
    }
    const workers = workSegments(js, transcribe, { prefix: 'twice', concurrency: 3 })
    expect(await allTexts('twice', 'call')).toEqual(expected('call'))
    const again = segment(format, { every: { seconds: 1 } })
    await pipeline(source(), again, queueSegments(js, 'call', { prefix: 'twice' }))
    await sleep(500)
    await workers.stop()
    expect(await readTexts(js, 'call', { prefix: 'twice' })).toEqual(expected('call'))
    const { state } = await (await js.jetstreamManager()).streams.info('twice-segments')
    expect(state.messages).toBe(0)
  })

  test('carry only their place, and the worker reads the recording', async () => {
    const { js } = nats
    await ensureStreams(js, { prefix: 'place' })
    await pipeline(source(), publishRecording(js, 'call', format, { prefix: 'place' }))
    const cut = segment(format, { every: { seconds: 1 } })
    await pipeline(source(), cut, queueSegments(js, 'call', { prefix: 'place', audio: 'place' }))
    const workers = workSegments(js, transcribe, { prefix: 'place' })
    expect(await allTexts('place', 'call')).toEqual(expected('call'))
    await workers.stop()
  })

  test('are cut again from the place where the process that cut them died', async () => {
    const { js } = nats
    await ensureStreams(js, { prefix: 'cut' })
    expect(await resumeSegments(js, 'call', { prefix: 'cut' })).toBe(0)
    await pipeline(source(), publishRecording(js, 'call', format, { prefix: 'cut' }))
    const half = ramp(format, { duration: { seconds: 2 }, pace: 'fast' })
    await pipeline(
      half,
      segment(format, { every: { seconds: 1 } }),
      queueSegments(js, 'call', { prefix: 'cut' }),
    )
    const workers = workSegments(js, transcribe, { prefix: 'cut' })
    const frame = await resumeSegments(js, 'call', { prefix: 'cut' })
    expect(frame).toBe(16_000)
    await allTexts('cut', 'call', 2)
    expect(await resumeSegments(js, 'call', { prefix: 'cut' })).toBe(16_000) // the jobs are gone, the texts are there
    const rest = followRecording(js, 'call', { prefix: 'cut', start: frame * format.bytesPerFrame })
    const again = segment(format, { every: { seconds: 1 } })
    await pipeline(rest, again, queueSegments(js, 'call', { prefix: 'cut', offset: frame }))
    expect(await allTexts('cut', 'call')).toEqual(expected('call'))
    await workers.stop()
  })

  test('are tried again, and kept with their audio when they fail for good', async () => {
    const { js } = nats
    await ensureStreams(js, { prefix: 'failing' })
    const cut = segment(format, { every: { seconds: 1 } })
    await pipeline(source(), cut, queueSegments(js, 'call', { prefix: 'failing' }))
    const attempts: number[] = []
    const workers = workSegments(
      js,
      async (queued) => {
        attempts[queued.start / 8000] = queued.attempt
        if (queued.start === 8000 && queued.attempt < 3) throw new Error('the service is busy')
        if (queued.start === 16_000) throw new Error('no speech\nat all')
        return transcribe(queued)
      },
      { prefix: 'failing', attempts: 3, backoffSeconds: 0.05 },
    )
    const [failed] = await once(workers, 'failed')
    expect(failed).toMatchObject({ id: 'call', start: 16_000, end: 24_000, attempt: 3 })
    const texts = expected('call')
    texts.splice(2, 1)
    expect(await allTexts('failing', 'call', seconds - 1)).toEqual(texts)
    await workers.stop()
    expect(attempts).toEqual([1, 3, 3, 1, 1])
    const manager = await js.jetstreamManager()
    const kept = await manager.streams.getMessage('failing-failed', {
      last_by_subj: 'failing.failed.call.16000-24000',
    })
    expect(kept?.header.get('Wavespool-Error')).toBe('no speech at all')
    expect(kept?.header.get('Wavespool-Attempts')).toBe('3')
    assertRamp(kept!.data, format, { from: 16_000, duration: { seconds: 1 } })
    expect((await manager.streams.info('failing-segments')).state.messages).toBe(0)
  })

  test('stay with a slow worker, and go to another one when the first stops at once', async () => {
    const { js } = nats
    await ensureStreams(js, { prefix: 'slow', ackWaitSeconds: 1 })
    const cut = segment(format, { every: { seconds } })
    await pipeline(source(), cut, queueSegments(js, 'call', { prefix: 'slow' }))
    const attempts: number[] = []
    const begun = new EventEmitter()
    const isBegun = once(begun, 'work')
    const stuck = workSegments(
      js,
      async ({ attempt }) => {
        attempts.push(attempt)
        begun.emit('work')
        return new Promise<string>(() => {})
      },
      { prefix: 'slow' },
    )
    await isBegun
    await sleep(2500)
    expect(attempts).toEqual([1])
    await stuck.stop({ now: true })
    const other = workSegments(js, async ({ attempt }) => `attempt ${attempt}`, { prefix: 'slow' })
    expect(await allTexts('slow', 'call', 1)).toMatchObject([{ start: 0, end: 40_000, text: 'attempt 2' }])
    await other.stop()
  })

  test('go on being worked on when the server was silent for longer than a worker waits', async () => {
    const { js, servers } = nats
    await ensureStreams(js, { prefix: 'silent' })
    const consumer = await js.consumers.get('silent-segments', 'workers')
    const fetch = vi.spyOn(Object.getPrototypeOf(consumer), 'fetch')
    const workers = workSegments(js, transcribe, { prefix: 'silent' })
    try {
      await vi.waitFor(() => expect(fetch).toHaveBeenCalledTimes(1), 10_000)
      process.kill(servers.pid(0)!, 'SIGSTOP')
      // The client gives the first request up for missing heartbeats.
      await vi.waitFor(() => expect(fetch).toHaveBeenCalledTimes(2), 30_000)
    } finally {
      process.kill(servers.pid(0)!, 'SIGCONT')
      fetch.mockRestore()
    }
    await pipeline(
      source(),
      segment(format, { every: { seconds: 1 } }),
      queueSegments(js, 'call', { prefix: 'silent' }),
    )
    expect(await allTexts('silent', 'call')).toEqual(expected('call'))
    await workers.stop()
  })

  test('that are invalid, or too large for a message, fail before any is queued', async () => {
    const { js } = nats
    await ensureStreams(js, { prefix: 'large' })
    const stereo = pcmFormat({ channels: 8 })
    const cut = segment(stereo, { every: { seconds: 6 } })
    const queue = pipeline(
      ramp(stereo, { duration: { seconds: 6 }, pace: 'fast' }),
      cut,
      queueSegments(js, 'call', { prefix: 'large' }),
    )
    await expect(queue).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_FULL' })
    const file = new VirtualFile()
    const wrong = queueSegments(js, 'call', { prefix: 'large' })
    wrong.write({ file, start: 0 } as Segment)
    expect(await once(wrong, 'error')).toMatchObject([{ code: 'ERR_WAVESPOOL_ARG_TYPE' }])
  })
})
