import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { limit, pcmFormat, replay, type Span, VirtualFile, wavHeader } from '../../src/index.ts'
import { assertRamp, ramp } from '../../src/testing/index.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wavespool-replay-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

async function recording(format = pcmFormat(), duration: Span = { seconds: 1 }): Promise<VirtualFile> {
  const memo = new VirtualFile()
  await pipeline(ramp(format, { duration }), wavHeader(format), memo)
  return memo
}

/** A file of these bytes, in chunks of some size. */
function fileOf(bytes: Buffer, chunk = bytes.length) {
  return {
    createReadStream: () =>
      Readable.from(
        (function* () {
          for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk)
        })(),
        { objectMode: false },
      ),
  }
}

describe('replay', () => {
  it('plays the samples of a path, after telling their format', async () => {
    const format = pcmFormat({ sampleRate: 48_000, channels: 2, encoding: 's24le' })
    const path = join(directory, 'ramp.wav')
    await writeFile(path, await (await recording(format)).toBuffer())
    for (const file of [path, pathToFileURL(path)]) {
      const source = replay(file, { pace: 'fast' })
      const order: string[] = []
      source.once('format', (found) => order.push(`${found.sampleRate} ${found.channels} ${found.encoding}`))
      source.once('data', () => order.push('data'))
      const bytes = await buffer(source)
      expect(assertRamp(bytes, format, { duration: { seconds: 1 } })).toBe(48_000)
      expect(order).toEqual(['48000 2 s24le', 'data'])
      expect((await source.ready).format).toEqual(format)
      expect(source.format).toEqual(format)
    }
  })

  it('plays in real time, in steps of 20 ms, without drift', async () => {
    const source = replay(await recording(pcmFormat(), { milliseconds: 400 }))
    await source.ready
    const started = performance.now()
    const sizes: number[] = []
    source.on('data', (chunk: Buffer) => sizes.push(chunk.length))
    await once(source, 'end')
    expect(sizes).toEqual(Array(20).fill(640))
    expect(performance.now() - started).toBeGreaterThan(380)
    expect(performance.now() - started).toBeLessThan(800)
  })

  it('follows a file that is still growing, to the end of its recording', async () => {
    const format = pcmFormat({ encoding: 'u8' })
    const memo = new VirtualFile()
    const live = ramp(format, { pace: 'realtime', duration: { frames: 3201 } })
    const recorded = pipeline(live, wavHeader(format), memo)
    const bytes = await buffer(replay(memo, { pace: 'fast' }))
    await recorded
    // an odd number of bytes: the pad byte behind them is no sample
    expect(assertRamp(bytes, format, { duration: { frames: 3201 } })).toBe(3201)
  })

  it.each([1, 7, 45, 4096])('accepts chunks of %i bytes', async (chunk) => {
    const format = pcmFormat({ encoding: 's24le' })
    const bytes = await (await recording(format, { frames: 1001 })).toBuffer()
    const played = await buffer(replay(fileOf(bytes, chunk), { pace: 'fast' }))
    expect(assertRamp(played, format, { duration: { frames: 1001 } })).toBe(1001)
  })

  it.each([
    ['0', 0, 36],
    ['0xFFFFFFFF', 0xffffffff, 2036],
    ['more than is there', 4000, 2036],
  ])('takes a data size of %s for "to the end"', async (_name, size, riff) => {
    const bytes = await (await recording(pcmFormat(), { frames: 1000 })).toBuffer()
    bytes.writeUInt32LE(size, 40)
    bytes.writeUInt32LE(riff, 4)
    expect(await buffer(replay(fileOf(bytes), { pace: 'fast' }))).toHaveLength(2000)
  })

  it('plays the samples behind 4 GiB of a recording of open length', async () => {
    const [block, count] = [Buffer.alloc(2 ** 24), 2 ** 8 + 3]
    const header = Buffer.from(
      (await (await recording(pcmFormat(), { frames: 10 })).toBuffer()).subarray(0, 44),
    )
    for (const at of [4, 40]) header.writeUInt32LE(0xffffffff, at)
    async function* bytes() {
      yield header
      for (let i = 0; i < count; i++) yield block
    }
    let played = 0
    for await (const chunk of replay({ createReadStream: bytes }, { pace: 'fast' })) played += chunk.length
    expect(played).toBe(count * block.length)
  })

  it('leaves out the chunks behind the samples', async () => {
    const bytes = await (await recording(pcmFormat(), { frames: 1000 })).toBuffer()
    const tagged = Buffer.concat([bytes, Buffer.from('LIST\x04\0\0\0INFO', 'latin1')])
    expect(await buffer(replay(fileOf(tagged, 100), { pace: 'fast' }))).toHaveLength(2000)
  })

  it('stop() ends it, destroy() closes it, and limit() stops it', async () => {
    const memo = await recording(pcmFormat(), { seconds: 30 })
    const stopped = replay(memo)
    let bytes = 0
    stopped.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    await sleep(100)
    stopped.stop()
    await once(stopped, 'end')
    expect(bytes).toBeGreaterThan(0)
    expect(bytes % 640).toBe(0)

    const never = replay(memo)
    never.stop()
    expect(await buffer(never)).toHaveLength(0)
    await expect(never.ready).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_RECORDING' })

    const silent = new PassThrough() // stands for a file that never gets on
    const destroyed = replay({ createReadStream: () => silent })
    await sleep(5)
    destroyed.destroy()
    await once(destroyed, 'close')
    expect(silent.destroyed).toBe(true)

    const copy = new VirtualFile()
    const format = pcmFormat()
    await pipeline(replay(memo, { pace: 'fast' }), limit(format, { seconds: 2 }), wavHeader(format), copy)
    await assertRamp(copy, format, { duration: { seconds: 2 } })
  })

  it('holds no more than a bounded buffer', async () => {
    const memo = await recording(pcmFormat(), { seconds: 120 })
    const source = replay(memo, { pace: 'fast' })
    await source.ready
    await sleep(20)
    source.read(1)
    await sleep(20)
    expect(source.readableLength).toBeLessThan(200_000)
    source.destroy()
  })

  it.each([
    ['no WAV', Buffer.from('an ordinary text, no audio at all')],
    ['an empty file', Buffer.alloc(0)],
    ['half a header', Buffer.from('RIFF\0\0\0\0WAVEfmt ')],
  ])('fails with a code for %s', async (_name, bytes) => {
    const path = join(directory, 'bad.wav')
    await writeFile(path, bytes)
    const source = replay(path)
    await expect(buffer(source)).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_WAV' })
    await expect(source.ready).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_WAV' })
    expect(source.destroyed).toBe(true)
  })

  it('fails for an unknown encoding, and for a path that does not exist', async () => {
    const bytes = await (await recording()).toBuffer()
    bytes.writeUInt16LE(0x11, 20) // IMA ADPCM
    await expect(buffer(replay(fileOf(bytes)))).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_WAV' })
    await expect(buffer(replay(join(directory, 'none.wav')))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('delivers the samples that a failing file gave before its error', async () => {
    const whole = await (await recording()).toBuffer()
    const failing = async function* () {
      yield whole.subarray(0, 2044)
      throw new Error('torn cable')
    }
    const source = replay({ createReadStream: () => Readable.from(failing()) }, { pace: 'fast' })
    let bytes = 0
    source.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    const [error] = await once(source, 'error')
    expect(error.message).toBe('torn cable')
    expect(bytes).toBe(2000)
  })

  it.each([
    ['nothing', () => replay(undefined as never)],
    ['an empty path', () => replay('')],
    ['a pace that is none', () => replay('x.wav', { pace: 'slow' as never })],
    ['options that are none', () => replay('x.wav', null as never)],
  ])('refuses %s at once', (_name, act) => {
    expect(act).toThrow(expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' }))
  })
})
