import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { Converter } from '../../src/dsp/converter.ts'
import { Resampler } from '../../src/dsp/resampler.ts'
import type { Speex } from '../../src/dsp/speex.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { convert } from '../../src/streams/convert.ts'

/** What the module was asked for: its real functions, counted. */
const { live, loads } = vi.hoisted(() => ({
  live: { states: 0, blocks: new Set<number>() },
  loads: { count: 0 },
}))

vi.mock('@echogarden/speex-resampler-wasm/simd', async (importOriginal) => {
  const { default: create } = await importOriginal<{ default: (options: object) => Promise<Speex> }>()
  return {
    default: async (options: object) => {
      loads.count++
      const speex = await create(options)
      // in front of it, as the module replaces its own functions when they are first called
      return Object.assign(Object.create(speex), {
        _malloc: (bytes: number) => {
          const pointer = speex._malloc(bytes)
          live.blocks.add(pointer)
          return pointer
        },
        _free: (pointer: number) => {
          live.blocks.delete(pointer)
          speex._free(pointer)
        },
        _speex_resampler_init: (...args: Parameters<Speex['_speex_resampler_init']>) => {
          live.states++
          return speex._speex_resampler_init(...args)
        },
        _speex_resampler_destroy: (state: number) => {
          live.states--
          speex._speex_resampler_destroy(state)
        },
      })
    },
  }
})

const at = (sampleRate: number) => pcmFormat({ sampleRate })
const counts = () => [live.states, live.blocks.size]

beforeEach(() => expect(counts()).toEqual([0, 0]))

describe('the memory of the resampler is given back', () => {
  test('at the end', async () => {
    const sink = new PassThrough().resume()
    const stage = convert(at(48_000), at(16_000))
    await pipeline(Readable.from([Buffer.alloc(9600)]), stage, sink)
    if (!stage.closed) await once(stage, 'close')
    expect(counts()).toEqual([0, 0])
  })

  test('when it is destroyed while it works', async () => {
    const stage = convert(at(48_000), at(16_000))
    stage.write(Buffer.alloc(9600))
    await once(stage, 'readable')
    expect(counts()).toEqual([1, 1])
    stage.destroy()
    await once(stage, 'close')
    expect(counts()).toEqual([0, 0])
  })

  test('when it is destroyed before it has started', async () => {
    const stage = convert(at(48_000), at(16_000))
    stage.destroy(new Error('at once'))
    await once(stage, 'close').catch(() => {})
    expect(stage.errored).toMatchObject({ message: 'at once' })
    expect(counts()).toEqual([0, 0])
  })

  test('when the stream ends within a frame', async () => {
    const stage = convert(at(48_000), at(16_000))
    const done = pipeline(Readable.from([Buffer.alloc(9601)]), stage, new PassThrough().resume())
    await expect(done).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_PARTIAL_FRAME' })
    expect(counts()).toEqual([0, 0])
  })

  test('when it was stopped', async () => {
    const stage = convert(at(48_000), at(16_000))
    const source = new Readable({ read() {} })
    source.push(Buffer.alloc(9600))
    setTimeout(() => stage.stop(), 10)
    await pipeline(source, stage, new PassThrough().resume())
    if (!stage.closed) await once(stage, 'close')
    expect(counts()).toEqual([0, 0])
  })

  test('and is not taken where the rates are equal', async () => {
    const stage = convert(at(16_000), pcmFormat({ encoding: 'f32le' }))
    stage.write(Buffer.alloc(100))
    expect(stage.read().length).toBe(200)
    expect(counts()).toEqual([0, 0])
    stage.destroy()
  })
})

test('memory that grows meanwhile disturbs nobody', async () => {
  const input = Buffer.from(Int16Array.from({ length: 4800 }, (_, i) => 20_000 * Math.sin(i / 9)).buffer)
  const converted = async (between: () => Promise<void>) => {
    const converter = new Converter(at(48_000), at(16_000), {}, 'test')
    await converter.start()
    const parts = [Buffer.from(converter.convert(input))]
    await between()
    parts.push(Buffer.from(converter.convert(input)), Buffer.from(converter.finish()))
    converter.close()
    return Buffer.concat(parts)
  }
  const alone = await converted(async () => {})
  const others: Resampler[] = []
  const disturbed = await converted(async () => {
    for (let i = 0; i < 3; i++) others.push(await Resampler.open(192_000, 1000, 1024)) // 19 MB each
  })
  expect(disturbed.equals(alone)).toBe(true)
  for (const other of others) other.close()
  expect(loads.count).toBe(1)
})
