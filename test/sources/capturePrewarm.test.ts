import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { backendNames } from '../../src/sources/capture/backend.ts'
import { portAudio } from '../../src/sources/portAudio.ts'
import { prewarm } from '../../src/sources/prewarm.ts'
import { realTime } from '../realTime.ts'
import { runHost } from '../rig/host.ts'
import { Rig, whyNoRig } from '../rig/rig.ts'

describe.skipIf(whyNoRig).each(backendNames)(
  `a prewarmed microphone through %s ${whyNoRig ?? ''}`,
  realTime,
  (backend) => {
    let rig: Rig
    beforeEach(async () => {
      rig = (await Rig.start()).enter()
      await toFirstAudio() // the sound server's own start-up
    })
    afterEach(() => rig?.stop())

    const toFirstAudio = async () => {
      const from = performance.now()
      const source = portAudio(pcmFormat(), { backend })
      await once(source, 'data')
      const took = performance.now() - from
      source.stop()
      source.resume()
      await once(source, 'close')
      return took
    }

    test('opens no device, and delivers audio sooner', async () => {
      const [cold, warm]: number[][] = [[], []]
      for (let i = 0; i < 5; i++) {
        cold!.push(await toFirstAudio())
        await prewarm({ backend })
        expect(rig.recorders()).toBe(0)
        warm!.push(await toFirstAudio())
      }
      const median = (took: number[]) => took.sort((a, b) => a - b)[2]!
      console.info(
        `${backend}, to the first audio: ${median(cold!).toFixed(0)} ms, prewarmed ${median(warm!).toFixed(0)} ms`,
      )
      expect(median(warm!)).toBeLessThan(median(cold!))
    })

    test('is used once, can be replaced and released, and keeps no program alive', async () => {
      const result = await runHost(
        `
      const { pcmFormat, portAudio, prewarm } = wavespool
      const backend = ${JSON.stringify(backend)}
      const one = await prewarm({ backend })
      const two = await prewarm({ backend })
      one.release()
      const sources = [portAudio(pcmFormat(), { backend }), portAudio(pcmFormat(), { backend })]
      await Promise.all(sources.map((source) => source.ready))
      two.release()
      for (const source of sources) source.resume().stop()
      const three = await prewarm({ backend })
      three.release()
      await prewarm({ backend })
      console.log('done')
      `,
        { env: rig.env },
      )
      expect(result).toEqual({ code: 0, stdout: 'done\n', stderr: '', left: [] })
    })
  },
)

describe('arguments of prewarm()', () => {
  test('wrong ones throw at once', () => {
    expect(() => prewarm({ backend: 'jack' as never })).toThrow(
      expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' }),
    )
    expect(() => prewarm(null as never)).toThrow(expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' }))
  })
})
