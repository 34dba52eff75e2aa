import { once } from 'node:events'
import { type Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { limit, pcmFormat, VirtualFile, wavHeader } from '../../src/index.ts'
import { assertRamp, manualClock, ramp, script, silence, tone } from '../../src/testing/index.ts'

const format = pcmFormat()
const encodings = ['u8', 's16le', 's24le', 's32le', 'f32le', 'f64le'] as const

/** The bytes and chunks that a source has delivered so far. */
function collect(source: Readable): { bytes: number; chunks: number } {
  const seen = { bytes: 0, chunks: 0 }
  source.on('data', (chunk: Buffer) => {
    seen.bytes += chunk.length
    seen.chunks++
  })
  return seen
}

describe('pace', () => {
  it('is the speed of the reader, up to the duration', async () => {
    const started = performance.now()
    const bytes = await buffer(ramp(format, { duration: { seconds: 60 } }))
    expect(assertRamp(bytes, format)).toBe(960_000)
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it('follows a clock that the test moves', async () => {
    const clock = manualClock()
    const source = ramp(format, { pace: clock, chunk: { milliseconds: 10 } })
    const seen = collect(source)
    await turn()
    expect(seen).toEqual({ bytes: 0, chunks: 0 })
    clock.advance(9)
    await turn()
    expect(seen.chunks).toBe(0)
    clock.advance(1)
    await turn()
    expect(seen).toEqual({ bytes: 320, chunks: 1 })
    clock.advance(1000)
    await turn()
    expect(seen).toEqual({ bytes: 101 * 320, chunks: 101 })
    clock.advance(4)
    source.stop() // the part of a chunk that was captured comes too
    await once(source, 'end')
    expect(seen.bytes).toBe(101 * 320 + 128)
  })

  it('follows real time, without drift', async () => {
    const started = performance.now()
    await buffer(tone(format, { pace: 'realtime', duration: { milliseconds: 300 } }))
    const took = performance.now() - started
    expect(took).toBeGreaterThan(295)
    expect(took).toBeLessThan(600)
  })

  it('does not run an endless source ahead of a slow reader', async () => {
    const source = silence(format)
    const sink = new Writable({ write: (_chunk, _encoding, callback) => void setTimeout(callback, 5) })
    source.pipe(sink)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(source.readableLength + sink.writableLength).toBeLessThan(300_000)
    source.destroy()
  })

  describe('with fake timers', () => {
    afterEach(() => void vi.useRealTimers())

    it.each([
      ['all of them', undefined],
      ['without performance', ['setTimeout', 'clearTimeout', 'setInterval', 'Date'] as const],
    ])('%s', async (_name, toFake) => {
      vi.useFakeTimers(toFake && { toFake: [...toFake] })
      const source = ramp(format, { pace: 'realtime', duration: { seconds: 10 } })
      const seen = collect(source)
      const ended = once(source, 'end')
      await vi.advanceTimersByTimeAsync(1000)
      expect(seen.bytes).toBeGreaterThanOrEqual(31_000)
      expect(seen.bytes).toBeLessThanOrEqual(33_000)
      await vi.advanceTimersByTimeAsync(9100)
      await ended
      expect(seen.bytes).toBe(320_000)
    })

    it('as fast as possible does not wait for faked timers', async () => {
      vi.useFakeTimers()
      expect(await buffer(silence(format, { duration: { seconds: 1 } }))).toHaveLength(32_000)
    })
  })
})

describe('misbehaviour', () => {
  it('stalls after a span, until it is stopped', async () => {
    const source = ramp(format, { stallAfter: { milliseconds: 50 } })
    const seen = collect(source)
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(seen.bytes).toBe(1600)
    source.stop()
    await once(source, 'end')
  })

  it('stalls at stall()', async () => {
    const clock = manualClock()
    const source = tone(format, { pace: clock })
    const seen = collect(source)
    await turn()
    clock.advance(100)
    source.stall()
    clock.advance(100)
    await turn()
    expect(seen.bytes).toBe(3200)
    source.destroy()
  })

  it('fails after a span, behind all audio up to there, which the file keeps', async () => {
    const error = new Error('unplugged')
    const memo = new VirtualFile()
    const recording = pipeline(ramp(format, { errorAfter: { seconds: 1 }, error }), wavHeader(format), memo)
    await expect(recording).rejects.toBe(error)
    expect(await assertRamp(memo, format, { duration: { seconds: 1 } })).toBe(16_000)
  })

  it('fails at fail()', async () => {
    const clock = manualClock()
    const source = silence(format, { pace: clock })
    const seen = collect(source)
    await turn()
    clock.advance(40)
    const failed = once(source, 'error')
    source.fail(new Error('unplugged'))
    expect((await failed)[0].message).toBe('unplugged')
    expect(seen.bytes).toBe(1280)
    expect(source.destroyed).toBe(true)
  })
})

it('is stopped by limit, with exactly the bytes', async () => {
  const memo = new VirtualFile()
  const source = ramp(format)
  await pipeline(source, limit(format, { seconds: 2 }), wavHeader(format), memo)
  expect(source.destroyed).toBe(true)
  await assertRamp(memo, format, { duration: { seconds: 2 } })
})

describe('tone', () => {
  it.each(encodings)('in %s has its level and its frequency', async (encoding) => {
    const stereo = pcmFormat({ sampleRate: 48_000, channels: 2, encoding })
    const bytes = await buffer(tone(stereo, { frequency: 1000, level: -6, duration: { seconds: 1 } }))
    expect(bytes).toHaveLength(stereo.bytesPerSecond)
    const odd = await buffer(
      tone(stereo, { frequency: 1000, level: -6, duration: { seconds: 1 }, chunk: { frames: 77 } }),
    )
    expect(odd.equals(bytes)).toBe(true)
    if (encoding !== 's16le') return
    const left = new Int16Array(bytes.buffer, bytes.byteOffset, 96_000).filter((_value, i) => i % 2 === 0)
    expect(Math.max(...left)).toBe(Math.round(32_767 * 10 ** (-6 / 20)))
    expect(left.filter((value, i) => i > 0 && value >= 0 && left[i - 1]! < 0)).toHaveLength(999)
  })

  it('takes a fraction of a Hz', async () => {
    expect(await buffer(tone(format, { frequency: 440.5, duration: { frames: 100 } }))).toHaveLength(200)
  })
})

it('script plays its chunks one by one', async () => {
  const clock = manualClock()
  const source = script([Buffer.from('a'), Buffer.from('bc')], { pace: clock, every: 5 })
  const chunks: string[] = []
  source.on('data', (chunk) => chunks.push(String(chunk)))
  await turn()
  clock.advance(5)
  await turn()
  expect(chunks).toEqual(['a'])
  clock.advance(5)
  await once(source, 'end')
  expect(chunks).toEqual(['a', 'bc'])
})

it.each([
  ['u8', 0x80],
  ['mulaw', 0xff],
  ['alaw', 0xd5],
  ['s16le', 0],
] as const)('silence in %s is %i', async (encoding, byte) => {
  const bytes = await buffer(silence(pcmFormat({ encoding }), { duration: { milliseconds: 30 } }))
  expect(bytes.every((value) => value === byte)).toBe(true)
})

describe('refuses', () => {
  const wrong = (value: unknown) => value as never
  it.each([
    ['an encoding without plain numbers', () => tone(pcmFormat({ encoding: 'mulaw' })), 'TYPE'],
    ['a ramp that has no room', () => ramp(pcmFormat({ encoding: 'alaw' })), 'TYPE'],
    ['no format', () => silence(wrong(undefined)), 'TYPE'],
    ['a pace that is none', () => silence(format, { pace: wrong('quick') }), 'TYPE'],
    ['an empty duration', () => silence(format, { duration: { seconds: 0 } }), 'RANGE'],
    ['a frequency past half the rate', () => tone(format, { frequency: 9000 }), 'RANGE'],
    ['a level above full scale', () => tone(format, { level: 1 }), 'RANGE'],
    ['a chunk that is no bytes', () => script([wrong('text')]), 'TYPE'],
    ['an empty chunk', () => script([Buffer.alloc(0)]), 'RANGE'],
    ['a clock that goes backwards', () => manualClock().advance(-1), 'RANGE'],
    ['an error that is none', () => silence(format, { error: wrong('text') }), 'TYPE'],
  ])('%s', (_name, act, kind) => {
    expect(act).toThrow(expect.objectContaining({ code: `ERR_WAVESPOOL_ARG_${kind}` }))
  })
})
