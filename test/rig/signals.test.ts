import { describe, expect, test } from 'vitest'
import { rampBreaks, tone, toneBreaks, toneLevel } from './signals.ts'

/** The judges themselves: a judge that finds nothing wrong with a broken recording would prove nothing. */
describe('the checks of the rig', () => {
  const ramp = (from: number, count: number) =>
    Buffer.from(Int16Array.from({ length: count }, (_, i) => ((from + i) % 32_000) + 1).buffer)

  test('a whole ramp has no break, also where it wraps and with silence around it', () => {
    const silence = Buffer.alloc(200)
    expect(rampBreaks(Buffer.concat([silence, ramp(31_990, 100), silence]))).toEqual([])
  })

  test('one missing sample is found, with its place', () => {
    expect(rampBreaks(Buffer.concat([ramp(0, 50), ramp(51, 50)]))).toEqual([{ at: 50, missing: 1 }])
  })

  test('a run of zeros inside is found', () => {
    expect(rampBreaks(Buffer.concat([ramp(0, 50), Buffer.alloc(20), ramp(50, 50)]))).not.toEqual([])
  })

  test('a jump in a tone is found, a whole tone has none', () => {
    const whole = Buffer.from(Int16Array.from(tone(48_000, 0.5, 997), (x) => x * 32767).buffer)
    expect(toneBreaks(whole, 48_000, 997)).toEqual([])
    const short = Buffer.concat([whole.subarray(0, 20_000), whole.subarray(20_002)])
    expect(toneBreaks(short, 48_000, 997)).not.toEqual([])
    const zeros = Buffer.concat([whole.subarray(0, 20_000), Buffer.alloc(960), whole.subarray(20_000)])
    expect(toneBreaks(zeros, 48_000, 997)).not.toEqual([])
  })

  test('a tone is distinguished from another tone and from silence', () => {
    const pcm = Buffer.from(Int16Array.from(tone(16_000, 0.5, 1000), (x) => x * 32767).buffer)
    expect(toneLevel(pcm, 16_000, 1000)).toBeCloseTo(0.5, 2)
    expect(toneLevel(pcm, 16_000, 2000)).toBeLessThan(0.01)
    expect(toneLevel(Buffer.alloc(1000), 16_000, 1000)).toBe(0)
  })
})
