import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../../src/format/pcmFormat.ts'
import { portAudio } from '../../../src/sources/portAudio.ts'
import { type Segment, type SegmentBegin, segment } from '../../../src/streams/segment.ts'
import { hasTool, run } from '../../oracles/tools.ts'
import { realTime } from '../../realTime.ts'
import { Rig, whyNoRig } from '../../rig/rig.ts'

const isReady = whyNoRig === undefined && hasTool('espeak-ng') && hasTool('sox')

describe.skipIf(!isReady)(`a microphone in front of segment ${whyNoRig ?? ''}`, realTime, () => {
  let rig: Rig
  beforeEach(async () => {
    rig = (await Rig.start()).enter()
  })
  afterEach(() => rig?.stop())

  /** A second of silence, then "one", a pause, "two", … */
  function sayNumbers(): string {
    const said = ['One hundred', 'Two thousand', 'Three million'].map((text, i) => {
      const [raw, path] = [`${rig.directory}/raw-${i}.wav`, `${rig.directory}/said-${i}.wav`]
      run('espeak-ng', ['-w', raw, text])
      run('sox', [raw, '-r', '48000', path, 'norm', '-6', 'pad', '1', '0.2'])
      return path
    })
    run('sox', [...said, `${rig.directory}/numbers.wav`])
    return `${rig.directory}/numbers.wav`
  }

  test('each sentence is a segment, followers get it from its begin, and leaving closes the device', async () => {
    const path = sayNumbers()
    const format = pcmFormat()
    const segments: Segment[] = []
    const followed: Promise<Buffer>[] = []
    const source = portAudio(format)
    const stage = source.pipe(segment(format, { silence: { milliseconds: 500 } }))
    source.on('error', () => stage.destroy())
    stage.on('begin', ({ file }: SegmentBegin) => {
      const bytes = file.createReadStream({ follow: true }).toArray().then(Buffer.concat)
      bytes.catch(() => {}) // it is awaited later
      followed.push(bytes)
    })
    await source.ready
    const player = rig.play(path)
    const late = player.done.then(() => sleep(2000)).then(() => stage.stop())
    for await (const each of stage) {
      segments.push(each)
      if (segments.length === 3) break
    }
    if (!source.closed) await once(source, 'close')
    expect(source.destroyed).toBe(true)
    await late
    expect(rig.recorders()).toBe(0)
    expect(segments).toHaveLength(3)
    for (const [i, { file, start, end }] of segments.entries()) {
      const seconds = (end - start) / format.sampleRate
      expect(seconds).toBeGreaterThan(0.5)
      expect(seconds).toBeLessThan(2)
      expect(file.duration).toBeCloseTo(seconds, 6)
      const samples = (await file.toBuffer()).subarray(44)
      expect((await followed[i]!).subarray(44).equals(samples)).toBe(true)
      if (i > 0) expect(start - segments[i - 1]!.end).toBeGreaterThan(0.4 * format.sampleRate)
      await file.dispose()
    }
  })
})
