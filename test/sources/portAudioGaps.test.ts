import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { WavespoolError } from '../../src/errors.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { backendNames } from '../../src/sources/capture/backend.ts'
import type { Gap } from '../../src/sources/portAudio.ts'
import type { PortAudioOptions } from '../../src/sources/portAudioOptions.ts'
import { realTime } from '../realTime.ts'
import { type Recording, record } from '../rig/recording.ts'
import { Rig, whyNoRig } from '../rig/rig.ts'
import { rampBreaks, writeRamp } from '../rig/signals.ts'

const format = pcmFormat({ sampleRate: 48_000 })

/** Lost audio is reported, and all other audio is kept. All backends run at once, as the tests mostly wait. */
describe.skipIf(whyNoRig)(
  `microphones, when audio comes late or not at all ${whyNoRig ?? ''}`,
  realTime,
  () => {
    let rig: Rig
    beforeEach(async () => {
      rig = (await Rig.start()).enter()
    })
    afterEach(() => rig?.stop())

    test('the audio that does not fit into the queue is reported exactly, filled, or an error', async () => {
      const path = await writeRamp(rig.directory, 'ramp.wav', 48_000, 7)
      const telling = await recordAll({ queue: { seconds: 0.5 } })
      const filling = await recordAll({ queue: { seconds: 0.2 }, onGap: 'fill' })
      const failing = await recordAll({ queue: { seconds: 0.2 }, onGap: 'error' })
      const errors = failing.map(({ source }) => once(source, 'error'))
      const player = rig.play(path, { latency: 500 })
      await sleep(1000)
      block(4000)
      await sleep(1000)
      const stopped = performance.now()
      await stopAll([...telling, ...filling])
      player.stop()
      for (const { source, pcm, told } of telling) {
        expect(told).toEqual(source.gaps)
        expect(source.gaps).toMatchObject([{ cause: 'queue' }])
        const [{ at, frames }] = source.gaps as [Gap]
        expect(rampBreaks(pcm())).toEqual([expect.objectContaining({ at, missing: frames % 32_000 })])
      }
      for (const { source, chunks, pcm } of filling) {
        expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(65_536) // a gap is filled in pieces
        const seconds = (stopped - source.startedAt!.monotonic) / 1000
        expect(source.gaps[0]!.frames).toBeGreaterThan(48_000)
        expect(pcm().length).toBe(source.frames * 2)
        expect(Math.abs(source.frames / 48_000 - seconds)).toBeLessThan(0.3)
      }
      for (const [i, { source, pcm }] of failing.entries()) {
        expect(await errors[i]).toMatchObject([{ code: 'ERR_WAVESPOOL_GAP' }])
        expect(source.gaps).toHaveLength(1)
        expect(pcm().length).toBe(source.gaps[0]!.at * 2)
      }
    })

    test('the gaps contain the audio that the sound server dropped while the capture process was stopped', async () => {
      // PulseAudio keeps some 4 MB for a recording program: at 768 kB/s that is 5.5 s, and no flag tells of the rest.
      const wide = pcmFormat({ sampleRate: 96_000, channels: 2, encoding: 's32le' })
      const recordings = await recordAll({}, wide)
      await sleep(2500)
      for (const { source } of recordings) process.kill(source.pid!, 'SIGSTOP')
      await sleep(9000)
      for (const { source } of recordings) process.kill(source.pid!, 'SIGCONT')
      await sleep(4000)
      const stopped = performance.now()
      await stopAll(recordings)
      for (const { source } of recordings) {
        const seconds = (stopped - source.startedAt!.monotonic) / 1000
        const missing = source.gaps.reduce((sum, { frames }) => sum + frames, 0)
        expect(missing).toBeGreaterThan(96_000)
        // The recorded and the missing audio together last as long as the recording took.
        expect(Math.abs((source.frames + missing) / 96_000 - seconds)).toBeLessThan(0.3)
        expect(source.gaps[0]!.at).toBeGreaterThan(2 * 96_000)
      }
    })

    test('a sound server that dies is an error after the last sample', async () => {
      const recordings = await recordAll({ stallSeconds: 2 })
      const errors = recordings.map(({ source }) => once(source, 'error'))
      await sleep(500)
      process.kill(rig.serverPid, 'SIGKILL')
      for (const [i, { pcm }] of recordings.entries()) {
        expect(await errors[i]).toMatchObject([{ code: 'ERR_WAVESPOOL_DEVICE' }])
        expect(pcm().length).toBeGreaterThan(0.3 * 96_000)
      }
    })

    test('a microphone that is unplugged is an error after the last sample', async () => {
      const recordings = await recordAll({ device: 'desk_headset', stallSeconds: 2 })
      const errors = recordings.map(({ source }) => once(source, 'error'))
      await sleep(500)
      rig.unplug('virt')
      rig.unplug('other') // the last one: from any before it, the sound server goes over to another
      for (const [i, { source, pcm }] of recordings.entries()) {
        expect(await errors[i]).toMatchObject([
          { code: 'ERR_WAVESPOOL_DEVICE', message: expect.stringContaining('unplugged') },
        ])
        expect(pcm().length).toBeGreaterThan(0.3 * 96_000)
        expect(source.gaps).toEqual([])
      }
    })

    test('stop() after the sound server died still ends', async () => {
      const recordings = await recordAll({})
      const outcomes = recordings.map(
        ({ source }) =>
          new Promise((resolve) => {
            source.on('end', () => resolve('end'))
            source.on('error', (error) => resolve((error as WavespoolError).code))
          }),
      )
      process.kill(rig.serverPid, 'SIGKILL')
      await sleep(300)
      for (const { source } of recordings) source.stop()
      for (const outcome of outcomes) expect(['end', 'ERR_WAVESPOOL_DEVICE']).toContain(await outcome)
    })
  },
)

/** Records through every backend; all of them have begun. */
async function recordAll(options: PortAudioOptions, recorded = format) {
  const recordings = backendNames.map((backend) => {
    const recording = record(recorded, { ...options, backend })
    const told: unknown[] = []
    recording.source.on('gap', (gap) => told.push(gap))
    return { ...recording, told }
  })
  await Promise.all(recordings.map(({ source }) => source.ready))
  return recordings
}

async function stopAll(recordings: Recording[]): Promise<void> {
  for (const { source } of recordings) source.stop()
  await Promise.all(recordings.map(({ done }) => done))
}

/** Blocks the event loop. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
