import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { backendNames } from '../../src/sources/capture/backend.ts'
import type { Gap, PortAudioSource } from '../../src/sources/portAudio.ts'
import { realTime } from '../realTime.ts'
import { runHost } from '../rig/host.ts'
import { openMicrophone, type Recording, record } from '../rig/recording.ts'
import { Rig, whyNoRig } from '../rig/rig.ts'
import { channelOf, tone, toneBreaks, writeRamp, writeWav } from '../rig/signals.ts'
import { secondsMissing, unexplainedRampBreaks, Witness } from '../rig/witness.ts'

/** One of the backends, in turn: a long test runs with both at once. */
const backendOf = (i: number) => backendNames[i % backendNames.length]!

/** Faults that only show after a while, or with many microphones at once. */
describe.skipIf(whyNoRig)(`microphones for long ${whyNoRig ?? ''}`, realTime, () => {
  let rig: Rig
  beforeEach(async () => {
    rig = (await Rig.start()).enter()
  })
  afterEach(() => rig?.stop())

  test('a hundred starts and stops leave no process, handle or descriptor', async () => {
    const first = openMicrophone(pcmFormat(), { backend: backendOf(0) }).resume()
    await first.ready
    first.destroy()
    await once(first, 'close')
    const descriptors = () => readdirSync('/proc/self/fd').length
    const before = { descriptors: descriptors(), resources: process.getActiveResourcesInfo().length }
    for (let round = 0; round < 25; round++) {
      const sources = Array.from({ length: 4 }, (_, i) =>
        openMicrophone(pcmFormat(), { backend: backendOf(i) }).resume(),
      )
      await Promise.all(sources.map((source) => source.ready))
      const ends = sources.map((source) => once(source, 'close'))
      for (const [i, source] of sources.entries()) {
        if (i < 2) source.stop()
        else source.destroy()
      }
      await Promise.all(ends)
      for (const { pid } of sources) expect(() => process.kill(pid!, 0)).toThrow()
    }
    await sleep(100)
    expect(descriptors()).toBeLessThanOrEqual(before.descriptors + 2)
    expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before.resources + 2)
    expect(rig.recorders()).toBe(0)
  })

  test('four captures do not slow down the thread pool of the program', async () => {
    const median = async () => {
      const took: number[] = []
      for (let i = 0; i < 200; i++) {
        const from = performance.now()
        await readFile(import.meta.filename)
        took.push(performance.now() - from)
      }
      return took.sort((a, b) => a - b)[100]!
    }
    const idle = await median()
    const sources = Array.from({ length: 4 }, (_, i) =>
      openMicrophone(pcmFormat({ sampleRate: 48_000 }), { backend: backendOf(i) }).resume(),
    )
    await Promise.all(sources.map((source) => source.ready))
    const busy = await median()
    for (const source of sources) source.destroy()
    await Promise.all(sources.map((source) => once(source, 'close')))
    expect(busy - idle).toBeLessThan(5)
  })

  test('a program that is paused for 5 s loses no audio', async () => {
    const path = await writeRamp(rig.directory, 'paused.wav', RATE, 9)
    const recorded = (backend: string) => join(rig.directory, `paused-${backend}.pcm`)
    const witness = await Witness.start(join(rig.directory, 'paused-witness.pcm'), rig.env)
    const result = await runHost(
      `
      import { createWriteStream } from 'node:fs'
      const { pcmFormat, portAudio } = wavespool
      const sources = ${JSON.stringify(backendNames.map((backend) => [backend, recorded(backend)]))}.map(([backend, path]) => {
        const source = portAudio(pcmFormat({ sampleRate: ${RATE} }), { backend })
        source.pipe(createWriteStream(path))
        source.once('end', () => {
          const seconds = (stoppedAt - source.startedAt.wall) / 1000
          console.log(JSON.stringify({ backend, seconds, gaps: source.gaps }))
        })
        return source
      })
      let stoppedAt
      process.once('SIGTERM', () => {
        stoppedAt = Date.now()
        for (const source of sources) source.stop()
      })
      await Promise.all(sources.map((source) => source.ready))
      console.log('ready')
      `,
      {
        env: rig.env,
        onStart: async (child) => {
          await once(child.stdout!, 'data')
          const player = rig.play(path)
          await sleep(1500)
          child.kill('SIGSTOP')
          await sleep(5000)
          child.kill('SIGCONT')
          await player.done
          await sleep(300)
          child.kill('SIGTERM')
        },
      },
    )
    const witnessed = await witness.end()
    expect(result).toMatchObject({ code: 0, stderr: '' })
    const told = result.stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line))
    expect(told.map(({ backend }) => backend).sort()).toEqual([...backendNames].sort())
    for (const { backend, seconds, gaps } of told) {
      judge({ pcm: await readFile(recorded(backend)), gaps, seconds }, witnessed, 9)
    }
  })

  test('half a minute at 16, 44.1 and 48 kHz, mono and stereo, has its length and no unreported gap', async () => {
    const path = await writeWav(rig.directory, 'half.wav', RATE, tone(RATE, 32, 997))
    const formats = [16_000, 44_100, 48_000].flatMap((sampleRate) =>
      [1, 2].map((channels) => pcmFormat({ sampleRate, channels })),
    )
    const witness = await Witness.start(join(rig.directory, 'half-witness.pcm'), rig.env)
    const recordings = formats.map((format, i) => record(format, { backend: backendOf(i) }))
    await Promise.all(recordings.map(({ source }) => source.ready))
    const player = rig.play(path, { latency: 1000 })
    await sleep(31_000)
    const stopped = await stopAll(recordings)
    const witnessed = toneBreakCount(await witness.end(), RATE)
    player.stop()
    for (const { format, pcm, source } of recordings) {
      const { gaps } = source
      const missing = secondsMissing({ ...format, pcm: pcm(), gaps, seconds: stopped(source) })
      expect(Math.abs(missing)).toBeLessThan(SECONDS_OF_LATENCY)
      const breaks = toneBreakCount(channelOf(pcm(), format.channels, 0), format.sampleRate)
      expect(breaks).toBeLessThanOrEqual(gaps.length + witnessed)
    }
  }, 100_000)

  test('an event loop that is blocked for five times 3 s loses no audio and grows the memory by less than 40 MB', async () => {
    const path = await writeRamp(rig.directory, 'blocked.wav', RATE, 18)
    const witness = await Witness.start(join(rig.directory, 'blocked-witness.pcm'), rig.env)
    const recordings = backendNames.map((backend) => record(pcmFormat({ sampleRate: RATE }), { backend }))
    await Promise.all(recordings.map(({ source }) => source.ready))
    const player = rig.play(path, { latency: 500 })
    const before = process.memoryUsage().rss
    for (let i = 0; i < 5; i++) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000)
      await sleep(100)
    }
    const growth = process.memoryUsage().rss - before
    await player.done
    await sleep(700)
    const stopped = await stopAll(recordings)
    const witnessed = await witness.end()
    // The recordings lie in this process as well: 1.7 MB each.
    expect(growth).toBeLessThan(40e6)
    for (const { pcm, source } of recordings) {
      judge({ pcm: pcm(), gaps: source.gaps, seconds: stopped(source) }, witnessed, 18)
    }
  }, 150_000)
})

/** How often a tone of 997 Hz breaks off; breaks within 20 ms count as one. */
function toneBreakCount(pcm: Buffer, sampleRate: number): number {
  const breaks = toneBreaks(pcm, sampleRate, 997)
  return breaks.filter((at, i) => i === 0 || at - breaks[i - 1]! > sampleRate / 50).length
}

const RATE = 48_000
/** the time between the call of stop() and the last frame that the source takes, on a busy machine */
const SECONDS_OF_LATENCY = 0.5

/**
 * Fails where the source lost audio that the machine delivered: time that neither the recording nor the gaps account for,
 * and breaks that the witness does not have. On a busy machine there may be gaps, if the source reports them.
 */
function judge(
  { pcm, gaps, seconds }: { pcm: Buffer; gaps: readonly Gap[]; seconds: number },
  witnessed: Buffer,
  playedSeconds: number,
): void {
  const format = pcmFormat({ sampleRate: RATE })
  expect(Math.abs(secondsMissing({ ...format, pcm, gaps, seconds }))).toBeLessThan(SECONDS_OF_LATENCY)
  expect(seconds).toBeGreaterThan(playedSeconds)
  expect(gaps.filter(({ cause }) => cause === 'queue')).toEqual([])
  expect(unexplainedRampBreaks(pcm, witnessed, gaps.length)).toEqual([])
}

/** Stops all of them; returns a function that gives the seconds for which each had been recording by then. */
async function stopAll(recordings: Recording[]): Promise<(source: PortAudioSource) => number> {
  const stoppedAt = new Map(recordings.map(({ source }) => [source, performance.now()]))
  for (const { source } of recordings) source.stop()
  await Promise.all(recordings.map(({ done }) => done))
  return (source) => (stoppedAt.get(source)! - source.startedAt!.monotonic) / 1000
}
