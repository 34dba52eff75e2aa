import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { limit, pcmFormat, RollingBuffer, type VirtualFile } from '../../src/index.ts'
import { tone } from '../../src/testing/index.ts'
import { chunkings, formats, pattern } from '../format/arbitraries.ts'

const ARG_TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const ARG_RANGE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' })

/** The samples of a WAV with the header that VirtualFile and makeWavHeader write. */
async function samplesOf(file: VirtualFile): Promise<Buffer> {
  return Buffer.concat(await file.createReadStream({ header: false }).toArray())
}

test('holds the last frames, and recordings continue with all frames that follow, in every chunking', async () => {
  const input = formats.chain((format) =>
    fc.record({
      format: fc.constant(format),
      chunks: fc.nat(900).chain((length) => chunkings(pattern(length))),
      frames: fc.integer({ min: 1, max: 60 }),
      saveAt: fc.nat(20),
      recordAt: fc.nat(20),
      endAt: fc.nat(20),
    }),
  )
  await fc.assert(
    fc.asyncProperty(input, async ({ format, chunks, frames, saveAt, recordAt, endAt }) => {
      const frame = format.bytesPerFrame
      const whole = (bytes: Buffer) => bytes.subarray(0, bytes.length - (bytes.length % frame))
      const rolling = new RollingBuffer(format, { frames })
      rolling.on('error', () => {})
      let seen = Buffer.alloc(0)
      let saved: { file: VirtualFile; expected: Buffer } | undefined
      let growing: { file: VirtualFile; from: number; to?: number } | undefined
      for (const [i, chunk] of chunks.entries()) {
        if (i === saveAt)
          saved = { file: await rolling.save(), expected: whole(seen).subarray(-frames * frame) }
        if (i === recordAt) {
          const from = Math.max(0, whole(seen).length - frames * frame)
          growing = { file: rolling.record(), from }
        }
        if (i === endAt && growing !== undefined && growing.to === undefined) {
          growing.to = whole(seen).length
          growing.file.end()
        }
        rolling.write(chunk)
        seen = Buffer.concat([seen, chunk])
      }
      rolling.end()
      await finished(rolling).catch(() => {})
      expect(rolling.errored?.message === undefined).toBe(seen.length % frame === 0)
      if (saved) expect((await samplesOf(saved.file)).equals(saved.expected)).toBe(true)
      if (growing) {
        const expected = whole(seen).subarray(growing.from, growing.to)
        expect((await samplesOf(growing.file)).equals(expected)).toBe(true)
        expect(growing.file.writableFinished).toBe(true)
        expect(growing.file.format).toEqual(format)
      }
      const last = await rolling.save()
      expect((await samplesOf(last)).equals(whole(seen).subarray(-frames * frame))).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('samples that look like another WAV file are samples', async () => {
  const format = pcmFormat()
  const last = new RollingBuffer(format, { seconds: 1 })
  const file = last.record()
  const samples = pattern(4000)
  samples.set(makeWavHeader(format), 2000)
  last.end(samples)
  await finished(file)
  expect(await samplesOf(file)).toEqual(Buffer.from(samples))
})

test('a recording on a slow storage holds the source back, and gets every byte', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wavespool-rolling-'))
  const format = pcmFormat()
  const rolling = new RollingBuffer(format, { seconds: 1 })
  const path = join(folder, 'kept.wav')
  const source = tone(format, { pace: 'fast', duration: { seconds: 60 } })
  const file = rolling.record({ name: 'kept.wav', storage: { path } })
  await pipeline(source, rolling)
  expect(file.duration).toBe(60)
  expect(rolling.duration).toBe(1)
  await file.dispose()
  await rm(folder, { recursive: true })
})

test('a failure leaves recordings readable, and the buffer can still be saved', async () => {
  const format = pcmFormat()
  const rolling = new RollingBuffer(format, { seconds: 1 })
  const file = rolling.record()
  const source = new Readable({ read() {} })
  const done = pipeline(source, rolling)
  source.push(Buffer.alloc(3200, 1))
  await new Promise((resolve) => setTimeout(resolve, 20))
  source.destroy(new Error('unplugged'))
  await expect(done).rejects.toThrow('unplugged')
  expect(file.duration).toBe(0.1)
  expect(file.errored).toMatchObject({ message: 'unplugged' })
  expect((await rolling.save()).duration).toBe(0.1)
  expect(() => rolling.record()).toThrow(expect.objectContaining({ code: 'ERR_WAVESPOOL_RECORDING' }))
})

test('a recording that is destroyed gets no more audio, and the buffer goes on', async () => {
  const format = pcmFormat()
  const rolling = new RollingBuffer(format, { seconds: 1 })
  const file = rolling.record()
  const other = rolling.record()
  await file.dispose()
  await pipeline(tone(format, { pace: 'fast' }), limit(format, { seconds: 2 }), rolling)
  expect(other.duration).toBe(2)
})

test('ten hours need no more memory than the beginning', async () => {
  const format = pcmFormat({ sampleRate: 8000, encoding: 'mulaw' })
  const rolling = new RollingBuffer(format, { seconds: 30 })
  const second = Buffer.alloc(8000, 7)
  const fill = async (seconds: number) => {
    let left = seconds
    await pipeline(
      new Readable({
        read() {
          this.push(left-- > 0 ? second : null)
        },
      }),
      new Writable({ write: (chunk, _encoding, callback) => rolling.write(chunk, () => callback()) }),
    )
  }
  await fill(60)
  const before = process.memoryUsage().arrayBuffers
  await fill(36_000)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
  expect((await rolling.save()).duration).toBe(30)
})

test('bad arguments throw at once', async () => {
  const format = pcmFormat()
  for (const bad of [undefined, null, {}]) {
    expect(() => new RollingBuffer(bad as never, { seconds: 1 })).toThrow(ARG_TYPE)
  }
  for (const bad of [undefined, 5, {}])
    expect(() => new RollingBuffer(format, bad as never)).toThrow(ARG_TYPE)
  expect(() => new RollingBuffer(format, { seconds: 0 })).toThrow(ARG_RANGE)
  const rolling = new RollingBuffer(format, { seconds: 1 })
  expect(() => rolling.record({ name: 5 as never })).toThrow(ARG_TYPE)
  await expect(rolling.save({ name: 5 as never })).rejects.toEqual(ARG_TYPE)
})
