import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { WavespoolError } from '../../src/errors.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { backendNames } from '../../src/sources/capture/backend.ts'
import { type Gap, portAudio } from '../../src/sources/portAudio.ts'
import type { PortAudioOptions } from '../../src/sources/portAudioOptions.ts'
import { realTime } from '../realTime.ts'
import { Rig, whyNoRig } from '../rig/rig.ts'
import { rampBreaks, writeRamp } from '../rig/signals.ts'

const format = pcmFormat({ sampleRate: 48_000 })

/** What is lost, is told; what can be kept, is kept. */
describe.skipIf(whyNoRig).each(backendNames)(
  `a microphone through %s, when audio comes late or not at all ${whyNoRig ?? ''}`,
  realTime,
  (backend) => {
    let rig: Rig
    beforeEach(async () => {
      rig = (await Rig.start()).enter()
    })
    afterEach(() => rig?.stop())

    test('a blocked event loop loses nothing', async () => {
      const path = await writeRamp(rig.directory, 'ramp.wav', 48_000, 8)
      const { source, pcm } = record({ backend })
      await source.ready
      const player = rig.play(path)
      await sleep(500)
      for (let i = 0; i < 2; i++) {
        block(3000)
        await sleep(100)
      }
      await player.done
      await sleep(200)
      source.stop()
      await once(source, 'end')
      expect(source.gaps).toEqual([])
      expect(pcm().length).toBeGreaterThan(8 * 96_000)
      expect(source.frames * 2).toBe(pcm().length)
      expect(rampBreaks(pcm())).toEqual([])
    })

    test('past the bound of the queue, the gap is told exactly', async () => {
      const path = await writeRamp(rig.directory, 'ramp.wav', 48_000, 7)
      const { source, pcm, told: events } = record({ backend, queue: { seconds: 0.5 } })
      await source.ready
      const player = rig.play(path)
      await sleep(1000)
      block(4000)
      await sleep(1000)
      source.stop()
      await once(source, 'end')
      player.stop()
      expect(events).toEqual(source.gaps)
      expect(source.gaps).toMatchObject([{ cause: 'queue' }])
      const found = rampBreaks(pcm())
      const [{ at, frames }] = source.gaps as [Gap]
      expect(found).toEqual([expect.objectContaining({ at, missing: frames % 32_000 })])
    })

    test('filled with silence, times stay true', async () => {
      const { source, pcm } = record({ backend, queue: { seconds: 0.2 }, onGap: 'fill' })
      await source.ready
      await sleep(300)
      block(3000)
      await sleep(500)
      source.stop()
      await once(source, 'end')
      const seconds = (performance.now() - source.startedAt!.monotonic) / 1000
      expect(source.gaps[0]!.frames).toBeGreaterThan(48_000)
      expect(pcm().length).toBe(source.frames * 2)
      expect(Math.abs(source.frames / 48_000 - seconds)).toBeLessThan(0.3)
    })

    test('or the recording fails there, with everything before it', async () => {
      const { source, pcm } = record({ backend, queue: { seconds: 0.2 }, onGap: 'error' })
      await source.ready
      await sleep(300)
      block(3000)
      const [error] = await once(source, 'error')
      expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_GAP' })
      expect(source.gaps).toHaveLength(1)
      expect(pcm().length).toBe(source.gaps[0]!.at * 2)
    })

    test('what the sound server swallowed while the capture process was stopped shows in the gaps', async () => {
      // PulseAudio keeps some 4 MB for a recording program: at 384 kB/s that is 11 s, and no flag tells of the rest.
      const wide = pcmFormat({ sampleRate: 48_000, channels: 2, encoding: 's32le' })
      const source = portAudio(wide, { backend }).resume()
      await source.ready
      await sleep(2500)
      process.kill(source.pid!, 'SIGSTOP')
      await sleep(18_000)
      process.kill(source.pid!, 'SIGCONT')
      await sleep(4000)
      source.stop()
      await once(source, 'end')
      const seconds = (performance.now() - source.startedAt!.monotonic) / 1000
      const missing = source.gaps.reduce((sum, { frames }) => sum + frames, 0)
      expect(missing).toBeGreaterThan(48_000)
      // What came and what is said to be missing are the time that went by.
      expect(Math.abs((source.frames + missing) / 48_000 - seconds)).toBeLessThan(0.3)
      expect(source.gaps[0]!.at).toBeGreaterThan(2 * 48_000)
    })

    test('a sound server that dies is an error after the last sample', async () => {
      const { source, pcm } = record({ backend, stallSeconds: 2 })
      await source.ready
      await sleep(500)
      process.kill(rig.serverPid, 'SIGKILL')
      const [error] = await once(source, 'error')
      expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_DEVICE' })
      expect(pcm().length).toBeGreaterThan(0.3 * 96_000)
    })

    test('a microphone that is unplugged is an error after the last sample', async () => {
      const { source, pcm } = record({ backend, device: 'desk_headset', stallSeconds: 2 })
      await source.ready
      await sleep(500)
      rig.unplug('virt')
      rig.unplug('other') // the last one: from any before it, the sound server goes over to another
      const [error] = await once(source, 'error')
      expect(error).toMatchObject({
        code: 'ERR_WAVESPOOL_DEVICE',
        message: expect.stringContaining('unplugged'),
      })
      expect(pcm().length).toBeGreaterThan(0.3 * 96_000)
      expect(source.gaps).toEqual([])
    })

    test('stop() after the sound server died still ends', async () => {
      const { source } = record({ backend })
      const outcome = new Promise((resolve) => {
        source.on('end', () => resolve('end'))
        source.on('error', (error) => resolve((error as WavespoolError).code))
      })
      await source.ready
      process.kill(rig.serverPid, 'SIGKILL')
      await sleep(300)
      source.stop()
      expect(['end', 'ERR_WAVESPOOL_DEVICE']).toContain(await outcome)
    })
  },
)

function record(options: PortAudioOptions) {
  const source = portAudio(format, options)
  const chunks: Buffer[] = []
  const told: unknown[] = []
  source.on('data', (bytes: Buffer) => chunks.push(bytes))
  source.on('gap', (gap) => told.push(gap))
  return { source, told, pcm: () => Buffer.concat(chunks) }
}

/** Blocks the event loop. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
