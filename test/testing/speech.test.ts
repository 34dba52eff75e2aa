import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { pcmFormat } from '../../src/index.ts'
import { speech } from '../../src/testing/index.ts'

const format = pcmFormat()

describe('speech', () => {
  it('has its sentences at the given places, and silence everywhere else', async () => {
    const source = speech(format, {
      sentence: { seconds: 1 },
      pause: { milliseconds: 500 },
      level: -3,
      duration: { seconds: 6 },
    })
    const bytes = await buffer(source)
    const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    const isVoiced = new Uint8Array(samples.length)
    for (let index = 0; index < 4; index++) {
      const { start, end } = source.sentence(index)
      expect([start, end]).toEqual([index * 24_000 + 8000, (index + 1) * 24_000])
      isVoiced.fill(1, start, end)
    }
    expect(samples.every((sample, i) => isVoiced[i] === 1 || sample === 0)).toBe(true)
    // in 20 ms steps: loud in every sentence from its first to its last one
    for (let at = 0; at < samples.length; at += 320) {
      const peak = Math.max(...samples.subarray(at, at + 320).map(Math.abs))
      expect(peak > 1000).toBe(isVoiced[at] === 1)
    }
    expect(Math.max(...samples.map(Math.abs))).toBe(Math.round(32_767 * 10 ** (-3 / 20)))
  })

  it('is the same in any chunking, and in every channel', async () => {
    const stereo = pcmFormat({ sampleRate: 48_000, channels: 2, encoding: 'f32le' })
    const whole = await buffer(speech(stereo, { duration: { seconds: 3 } }))
    const pieces = await buffer(speech(stereo, { duration: { seconds: 3 }, chunk: { frames: 701 } }))
    expect(pieces.equals(whole)).toBe(true)
    const samples = new Float32Array(whole.buffer, whole.byteOffset, whole.length / 4)
    expect(samples.every((sample, i) => i % 2 === 0 || sample === samples[i - 1])).toBe(true)
  })

  it.each([
    ['a level above full scale', () => speech(format, { level: 3 }), 'RANGE'],
    ['an empty pause', () => speech(format, { pause: { seconds: 0 } }), 'RANGE'],
    ['an encoding without plain numbers', () => speech(pcmFormat({ encoding: 'alaw' })), 'TYPE'],
    ['half a sentence', () => speech(format).sentence(0.5), 'RANGE'],
  ])('refuses %s', (_name, act, kind) => {
    expect(act).toThrow(expect.objectContaining({ code: `ERR_WAVESPOOL_ARG_${kind}` }))
  })
})
