import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { VirtualFile } from '../../src/sinks/virtualFile.ts'
import { backendNames } from '../../src/sources/capture/backend.ts'
import { listDevices } from '../../src/sources/listDevices.ts'
import { portAudio } from '../../src/sources/portAudio.ts'
import { limit } from '../../src/streams/limit.ts'
import { wavHeader } from '../../src/streams/wavHeader.ts'
import { realTime } from '../realTime.ts'
import { record } from '../rig/recording.ts'
import { Rig, whyNoRig } from '../rig/rig.ts'
import {
  channelOf,
  decodeText,
  encodeText,
  rampBreaks,
  silence,
  tone,
  toneLevel,
  writeRamp,
  writeWav,
} from '../rig/signals.ts'

const sentence = 'The quick brown fox jumps over the lazy dog, 0123456789 times.'

/** The contract that every backend keeps. */
describe.skipIf(whyNoRig).each(backendNames)(
  `a microphone through %s ${whyNoRig ?? ''}`,
  realTime,
  (backend) => {
    let rig: Rig
    beforeEach(async () => {
      rig = (await Rig.start()).enter()
    })
    afterEach(() => rig?.stop())

    test('a sentence comes back through limit, wavHeader and a VirtualFile, at three formats at once', async () => {
      const path = `${rig.directory}/text.wav`
      await encodeText(path, sentence)
      const formats = [
        pcmFormat({ sampleRate: 48_000 }),
        pcmFormat({ sampleRate: 44_100 }),
        pcmFormat({ sampleRate: 16_000, channels: 2 }),
      ]
      const recordings = formats.map((format) => {
        const file = new VirtualFile({ name: 'memo.wav' })
        const source = portAudio(format, { backend })
        const cap = limit(format, { seconds: 6 })
        const done = pipeline(source, cap, wavHeader(format), file)
        done.catch(() => {}) // it is awaited later
        return { format, file, source, cap, done }
      })
      await Promise.all(recordings.map(({ cap }) => once(cap, 'data')))
      await rig.play(path, { latency: 500 }).done
      for (const { format, file, source, done } of recordings) {
        await done
        expect(source.destroyed).toBe(true)
        expect(file.format).toEqual(format)
        expect(file.duration).toBeCloseTo(6, 6)
        const { channels, sampleRate } = format
        const one = channelOf((await file.toBuffer()).subarray(44), channels, channels - 1)
        const samples = new Int16Array(one.buffer.slice(one.byteOffset, one.byteOffset + one.length))
        const floats = Float64Array.from(samples, (x) => x / 32767)
        const judged = await writeWav(rig.directory, 'judged.wav', sampleRate, floats)
        expect(await decodeText(judged), `${sampleRate} Hz`).toContain(sentence)
      }
    })

    test('a tone that plays until stop() is in the file to its end', async () => {
      const path = await writeWav(
        rig.directory,
        'tail.wav',
        48_000,
        silence(48_000, 0.1),
        tone(48_000, 3, 1000),
      )
      const format = pcmFormat({ sampleRate: 48_000 })
      const { source, done, pcm } = record(format, { backend })
      await once(source, 'data')
      const player = rig.play(path)
      await sleep(1500)
      const before = pcm().length
      source.stop()
      await done
      player.stop()
      expect(pcm().length).toBeGreaterThan(before)
      expect(toneLevel(pcm().subarray(-960), 48_000, 1000)).toBeGreaterThan(0.3)
    })

    test('every sample of a ramp comes in order, in whole frames', async () => {
      const path = await writeRamp(rig.directory, 'ramp.wav', 48_000, 2)
      const format = pcmFormat({ sampleRate: 48_000 })
      const { source, done, pcm } = record(format, { backend })
      await once(source, 'data')
      await rig.play(path).done
      await sleep(200)
      source.stop()
      await done
      expect(pcm().length % format.bytesPerFrame).toBe(0)
      expect(rampBreaks(pcm())).toEqual([])
    })

    test('records s16le, s24le, s32le and f32le', async () => {
      const path = await writeWav(rig.directory, 'tone.wav', 48_000, tone(48_000, 3, 1000))
      const recordings = (['s16le', 's24le', 's32le', 'f32le'] as const).map((encoding) =>
        record(pcmFormat({ sampleRate: 48_000, encoding }), { backend }),
      )
      await Promise.all(recordings.map(({ source }) => once(source, 'data')))
      const player = rig.play(path)
      await sleep(1000)
      for (const { source } of recordings) source.stop()
      await Promise.all(recordings.map(({ done }) => done))
      player.stop()
      for (const { source, pcm } of recordings) {
        const { encoding, bytesPerFrame } = source.format
        const end = pcm().subarray(-bytesPerFrame * 4800)
        const samples = Array.from({ length: 4800 }, (_, i) => {
          if (encoding === 's16le') return end.readInt16LE(i * 2) / 2 ** 15
          if (encoding === 's24le') return end.readIntLE(i * 3, 3) / 2 ** 23
          if (encoding === 's32le') return end.readInt32LE(i * 4) / 2 ** 31
          return end.readFloatLE(i * 4)
        })
        const s16 = Buffer.from(Int16Array.from(samples, (x) => x * 32767).buffer)
        expect(toneLevel(s16, 48_000, 1000), encoding).toBeCloseTo(0.5, 1)
      }
    })

    test('stop() before any audio has come ends the source; destroy() at any moment closes it', async () => {
      for (const wait of [-1, 0, 5, 60, 200, 400]) {
        const stopped = portAudio(pcmFormat(), { backend })
        const destroyed = portAudio(pcmFormat(), { backend })
        const ends = once(stopped.resume(), 'end')
        const closes = once(destroyed, 'close')
        if (wait >= 0) await sleep(wait)
        stopped.stop()
        stopped.stop()
        destroyed.destroy()
        await Promise.all([ends, closes])
        expect(stopped.errored ?? destroyed.errored).toBeNull()
      }
    })

    test('ready has the device, the rate and the start; the frames count the time since', async () => {
      const wallBefore = Date.now()
      const before = performance.now()
      const { source, done, pcm } = record(pcmFormat(), { backend })
      expect(source.startedAt).toBeUndefined()
      const started = await source.ready
      expect(started).toMatchObject({
        backend,
        sampleRate: 16_000,
        device: { name: 'default', isDefault: true },
      })
      expect(started.startedAt).toBe(source.startedAt)
      expect(started.startedAt.monotonic).toBeGreaterThan(before - 500)
      expect(started.startedAt.monotonic).toBeLessThan(performance.now())
      expect(
        Math.abs(started.startedAt.wall - wallBefore - (started.startedAt.monotonic - before)),
      ).toBeLessThan(50)
      await sleep(1000)
      source.stop()
      await done
      const seconds = (performance.now() - started.startedAt.monotonic) / 1000
      expect(source.frames).toBe(pcm().length / 2)
      expect(Math.abs(source.frames / 16_000 - seconds)).toBeLessThan(0.4)
      expect(source.gaps).toEqual([])
    })

    test('is not ready when it fails or is closed before', async () => {
      const failing = portAudio(pcmFormat(), { backend, device: 99 })
      failing.on('error', () => {})
      await expect(failing.ready).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_NO_DEVICE' })
      const closed = portAudio(pcmFormat(), { backend })
      closed.destroy()
      await expect(closed.ready).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_CAPTURE' })
    })

    test('lists devices, and finds one by its id, its name or a part of it', async () => {
      const devices = await listDevices({ backend })
      const names = devices.map(({ name }) => name)
      expect(names).toEqual(expect.arrayContaining(['default', 'desk_microphone', 'desk_headset']))
      expect(devices.filter(({ isDefault }) => isDefault)).toHaveLength(1)
      expect(devices[0]).toMatchObject({ backend, hostApi: 'ALSA' })
      expect(devices[0]!.sampleRates).toBeUndefined()
      const [first] = await listDevices({ backend, rates: true })
      // PulseAudio converts, so that all of them open.
      expect(first!.sampleRates).toEqual(expect.arrayContaining([16_000, 44_100, 48_000]))
      const headset = devices.find(({ name }) => name === 'desk_headset')!
      for (const device of [headset.id, 'desk_headset', 'HEADSET']) {
        const source = portAudio(pcmFormat(), { backend, device })
        await once(source, 'data')
        source.destroy()
        await once(source, 'close')
      }
    })

    test.each([
      ['an unknown id', 99],
      ['an unknown name', 'nonsense'],
      ['an ambiguous part of a name', 'desk'],
    ])('%s is an error that lists the devices', async (_name, device) => {
      const source = portAudio(pcmFormat(), { backend, device })
      const [error] = await once(source.resume(), 'error')
      expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_NO_DEVICE' })
      expect(error.message).toMatch(/desk_microphone.*desk_headset/)
      expect(error.message).toContain(String(device))
    })

    test('more channels than the device has is an error that says what to do', async () => {
      const source = portAudio(pcmFormat({ channels: 64 }), { backend })
      const [error] = await once(source.resume(), 'error')
      expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_DEVICE' })
      expect(error.message).toMatch(/64 channels.*convert/)
    })

    test('a capture process that dies is an error after all audio that had arrived', async () => {
      const { source, pcm } = record(pcmFormat(), { backend })
      await once(source, 'data')
      await sleep(300)
      const error = once(source, 'error')
      process.kill(source.pid!, 'SIGKILL')
      expect((await error)[0]).toMatchObject({
        code: 'ERR_WAVESPOOL_CAPTURE',
        message: expect.stringContaining('SIGKILL'),
      })
      expect(pcm().length).toBeGreaterThan(0.2 * 32_000)
      expect(source.readableEnded).toBe(false)
    })
  },
)

describe('arguments of portAudio()', () => {
  test.each([
    [() => portAudio(undefined as never), 'ERR_WAVESPOOL_ARG_TYPE', /pcmFormat/],
    [() => portAudio(pcmFormat({ encoding: 'u8' })), 'ERR_WAVESPOOL_ARG_RANGE', /convert/],
    [() => portAudio(pcmFormat({ encoding: 'mulaw' })), 'ERR_WAVESPOOL_ARG_RANGE', /convert/],
    [() => portAudio(pcmFormat(), null as never), 'ERR_WAVESPOOL_ARG_TYPE', /options/],
    [() => portAudio(pcmFormat(), { device: {} as never }), 'ERR_WAVESPOOL_ARG_TYPE', /device/],
    [() => portAudio(pcmFormat(), { device: -1 }), 'ERR_WAVESPOOL_ARG_RANGE', /device/],
    [
      () => portAudio(pcmFormat(), { backend: 'jack' as never }),
      'ERR_WAVESPOOL_ARG_TYPE',
      /naudiodon, koffi/,
    ],
    [() => portAudio(pcmFormat(), { queue: { seconds: 0 } }), 'ERR_WAVESPOOL_ARG_RANGE', /queue.seconds/],
    [() => portAudio(pcmFormat(), { queue: 60 as never }), 'ERR_WAVESPOOL_ARG_TYPE', /queue/],
    [() => portAudio(pcmFormat(), { stallSeconds: -1 }), 'ERR_WAVESPOOL_ARG_RANGE', /stallSeconds/],
    [() => portAudio(pcmFormat(), { onGap: 'skip' as never }), 'ERR_WAVESPOOL_ARG_TYPE', /onGap/],
    [() => portAudio(pcmFormat(), { device: '' }), 'ERR_WAVESPOOL_ARG_RANGE', /device/],
    [() => portAudio(pcmFormat(), { divice: 1 } as never), 'ERR_WAVESPOOL_ARG_TYPE', /divice/],
  ])('wrong ones throw at once: %s', (call, code, message) => {
    expect(call).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }))
  })
})
