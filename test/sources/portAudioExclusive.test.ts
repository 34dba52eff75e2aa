import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { backendNames } from '../../src/sources/capture/backend.ts'
import { portAudio } from '../../src/sources/portAudio.ts'
import { prewarm } from '../../src/sources/prewarm.ts'
import { realTime } from '../realTime.ts'
import { runHost } from '../rig/host.ts'
import { Rig, whyNoRig } from '../rig/rig.ts'

/** A device that one program at a time can have, as hardware without a sound server is. */
describe.skipIf(whyNoRig).each(backendNames)(
  `exclusive hardware through %s ${whyNoRig ?? ''}`,
  realTime,
  (backend) => {
    let rig: Rig
    beforeEach(async () => {
      rig = (await Rig.start({ exclusive: 'desk_headset' })).enter()
    })
    afterEach(() => rig?.stop())

    const open = async () => {
      const source = portAudio(pcmFormat(), { backend, device: 'desk_headset' }).resume()
      source.once('error', () => {})
      await source.ready
      return source
    }

    test.each(['stop', 'destroy'] as const)('is free again within 250 ms of %s()', async (how) => {
      const took: number[] = []
      for (let i = 0; i < 7; i++) {
        const source = await open()
        const from = performance.now()
        source[how]()
        await once(source, 'close')
        took.push(performance.now() - from)
        const next = await open()
        next.destroy()
        await once(next, 'close')
      }
      expect(took.sort((a, b) => a - b)[3]).toBeLessThan(250)
    })

    test('is free again when the program that had it was killed', async () => {
      const result = await runHost(
        `
      const { pcmFormat, portAudio } = wavespool
      const source = portAudio(pcmFormat(), { backend: ${JSON.stringify(backend)}, device: 'desk_headset' })
      source.once('data', () => console.log('recording'))
      `,
        {
          env: rig.env,
          onStart: (child) => child.stdout!.once('data', () => child.kill('SIGKILL')),
        },
      )
      expect(result).toMatchObject({ code: null, stdout: 'recording\n' })
      await sleep(250)
      const source = await open()
      source.destroy()
      await once(source, 'close')
    })

    test('that another program has open is not found, and the error says why', async () => {
      const holder = await open()
      await expect(open()).rejects.toMatchObject({
        code: 'ERR_WAVESPOOL_NO_DEVICE',
        message: expect.stringMatching(/desk_microphone.*another program has opened/),
      })
      holder.destroy()
      await once(holder, 'close')
    })

    test('that another program has opened since it was found fails, and the error names a likely reason', async () => {
      let refusal: unknown
      await prewarm({ backend })
      const result = await runHost(
        `
      const { pcmFormat, portAudio } = wavespool
      const source = portAudio(pcmFormat(), { backend: ${JSON.stringify(backend)}, device: 'desk_headset' })
      source.once('data', () => console.log('recording'))
      process.once('SIGTERM', () => source.destroy())
      `,
        {
          env: rig.env,
          onStart: async (child) => {
            await once(child.stdout!, 'data')
            refusal = await open().catch((error) => error)
            child.kill('SIGTERM')
          },
        },
      )
      expect(result).toMatchObject({ code: 0, stderr: '' })
      expect(refusal).toMatchObject({
        code: 'ERR_WAVESPOOL_DEVICE',
        message: expect.stringMatching(/"desk_headset".*another program may be using it/),
      })
    })
  },
)
