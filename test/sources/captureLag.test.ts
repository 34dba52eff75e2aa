import { describe, expect, test } from 'vitest'
import { LagDetector } from '../../src/sources/capture/child/lag.ts'

const RATE = 1000
const FRAMES = 10

/** Runs reads of 10 ms through a detector; each is given as the second at which it came. */
function detect(times: number[], overflowed: (i: number) => boolean = () => false) {
  const gaps: { at: number; frames: number; cause: string }[] = []
  let frames = 0
  const detector = new LagDetector(RATE, 1, {
    pcm: (bytes) => {
      expect(bytes[0]).toBe((frames / FRAMES) % 256)
      frames += bytes.length
    },
    gap: (missing, cause) => gaps.push({ at: frames, frames: missing, cause }),
  })
  for (const [i, time] of times.entries()) {
    detector.push({ bytes: Buffer.alloc(FRAMES, i % 256), overflowed: overflowed(i) }, time)
  }
  detector.flush()
  expect(frames).toBe(times.length * FRAMES)
  return gaps
}

const steady = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + (i + 1) * 0.01)

describe('the detector of lost audio', () => {
  test('reports nothing for a steady device, for jitter, for drift, and for a busy machine', () => {
    expect(detect(steady(1000))).toEqual([])
    expect(detect(steady(1000).map((time, i) => time + (i % 3 === 0 ? 0.02 : 0)))).toEqual([])
    expect(detect(steady(60_000).map((time) => time * 1.0005))).toEqual([])
    // two seconds without a read, after which all audio was still there
    expect(detect(steady(1000).map((time) => (time > 4 && time < 6 ? 6 : time)))).toEqual([])
  })

  test('finds half a second that is missing, and says where', () => {
    const [gap, ...more] = detect([...steady(400), ...steady(400, 4.5)])
    expect(more).toEqual([])
    expect(gap).toMatchObject({ at: 4000, cause: 'clock' })
    expect(gap!.frames).toBeGreaterThanOrEqual(490)
    expect(gap!.frames).toBeLessThanOrEqual(510)
  })

  test('puts the gap behind the audio that the device still had when it was read again', () => {
    // Stopped from 4 s to 9 s; two seconds of it were kept and come at once, three are lost
    const [gap, ...more] = detect([...steady(400), ...Array<number>(200).fill(9), ...steady(300, 9)])
    expect(more).toEqual([])
    expect(gap!.at).toBeGreaterThanOrEqual(5950)
    expect(gap!.at).toBeLessThanOrEqual(6050)
    expect(gap!.frames).toBeGreaterThanOrEqual(2980)
    expect(gap!.frames).toBeLessThanOrEqual(3020)
  })

  test('finds a gap at the end of the recording, several gaps, and a slow loss', () => {
    expect(detect([...steady(400), ...steady(20, 4.5)])).toHaveLength(1)
    expect(detect([...steady(400), ...steady(400, 4.1), ...steady(400, 8.3)])).toHaveLength(2)
    // 10 ms are lost every second: no window shows it, their sum does
    expect(detect(steady(2000).map((time) => time + Math.floor(time) * 0.01)).length).toBeGreaterThan(2)
  })

  test('reports an overflow that the device flagged, also where the clock does not show it', () => {
    expect(detect(steady(500), (i) => i === 300)).toEqual([{ at: 3000, frames: 0, cause: 'overflow' }])
    expect(detect([...steady(400), ...steady(400, 4.5)], (i) => i === 400)).toMatchObject([
      { at: 4000, cause: 'overflow' },
    ])
  })
})
