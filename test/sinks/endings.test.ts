import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VirtualFile } from '../../src/sinks/virtualFile.ts'
import { momentOf, recordings } from './headers.ts'
import {
  closed,
  everyReading,
  FailingStorage,
  finish,
  PlainStorage,
  rawReading,
  write,
} from './storageContract.ts'
import { writers, writtenStorages } from './writers.ts'

const [recorded] = recordings
const mono8 = recordings[1]! // u8: odd data and no half frame
const codeOf = (code: string) => expect.objectContaining({ code })

describe.each(writtenStorages)('however writing ends: $label', (storage) => {
  /** Everything written is there, with a right header; then it is disposed, and says so. */
  async function expectKept(file: VirtualFile, expected: Buffer): Promise<void> {
    await closed(file)
    expect((await everyReading(file)).equals(expected)).toBe(true)
    expect((await rawReading(file, storage)).equals(expected)).toBe(true)
    await file.dispose()
    await file.dispose()
    const disposed = codeOf('ERR_WAVESPOOL_DISPOSED')
    expect(file.size).toBe(0)
    await expect(file.read(Buffer.alloc(1), 0)).rejects.toEqual(disposed)
    await expect(file.toBuffer()).rejects.toEqual(disposed)
    await expect(file.toFile()).rejects.toEqual(disposed)
    await expect(file.withPath(() => {})).rejects.toEqual(disposed)
    await expect(file.cursor().read()).rejects.toEqual(disposed)
    await expect(file.cursor().write(Buffer.alloc(1))).rejects.toEqual(disposed)
    expect(() => file.view()).toThrow(disposed)
    expect(() => file.createReadStream()).toThrow(disposed)
    expect(() => file.createReadStream({ follow: true })).toThrow(disposed)
  }

  test.each([recorded!, mono8])('finish: $label', async ({ bytes, ...layout }) => {
    const file = new VirtualFile({ storage: storage.make() })
    const writer = storage.writerOf(file)
    await pipeline(Readable.from([bytes.subarray(0, 50), bytes.subarray(50)]), writer)
    await expectKept(file, momentOf({ bytes, ...layout }, bytes.length))
  })

  test('an error upstream', async () => {
    const file = new VirtualFile({ storage: storage.make() })
    const writer = storage.writerOf(file)
    const source = new PassThrough()
    const done = pipeline(source, writer)
    source.write(mono8.bytes.subarray(0, 145))
    setTimeout(() => source.destroy(new Error('the microphone is gone')), 20)
    await expect(done).rejects.toThrow('the microphone is gone')
    await expectKept(file, momentOf(mono8, 145))
  })

  test('an AbortSignal', async () => {
    const file = new VirtualFile({ storage: storage.make() })
    const writer = storage.writerOf(file)
    const source = new PassThrough()
    const controller = new AbortController()
    const done = pipeline(source, writer, { signal: controller.signal })
    source.write(recorded!.bytes.subarray(0, 145))
    setTimeout(() => controller.abort(), 20)
    await expect(done).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
    await expectKept(file, momentOf(recorded!, 145))
  })

  test.each([0, 1, 43, 44, 45, 46, 147])('destroy() after %i bytes', async (size) => {
    const file = new VirtualFile({ storage: storage.make() })
    const writer = storage.writerOf(file)
    await write(writer, recorded!.bytes.subarray(0, size))
    writer.destroy()
    await expectKept(file, momentOf(recorded!, size))
  })

  test.each([1, 7, 100])('destroy() while writes of %i bytes wait their turn', async (step) => {
    const file = new VirtualFile({ storage: storage.make() })
    const writer = storage.writerOf(file)
    for (let at = 0; at < 147; at += step)
      writer.write(recorded!.bytes.subarray(at, Math.min(at + step, 147)))
    writer.destroy()
    await expectKept(file, momentOf(recorded!, 147))
  })

  test('a source that fails as soon as it has begun', async () => {
    const file = new VirtualFile({ storage: storage.make() })
    const writer = storage.writerOf(file)
    async function* failing() {
      yield recorded!.bytes.subarray(0, 100)
      yield recorded!.bytes.subarray(100, 147)
      throw new Error('the microphone is gone')
    }
    const source = Readable.from(failing(), { objectMode: false, highWaterMark: 1000 })
    await expect(pipeline(source, writer)).rejects.toThrow('the microphone is gone')
    await expectKept(file, momentOf(recorded!, 147))
  })

  test('dispose() in the middle of it', async () => {
    const file = new VirtualFile({ storage: storage.make() })
    const writer = storage.writerOf(file)
    await write(writer, recorded!.bytes)
    await file[Symbol.asyncDispose]()
    expect(file.destroyed).toBe(true)
    await expect(file.toBuffer()).rejects.toEqual(codeOf('ERR_WAVESPOOL_DISPOSED'))
  })

  test('maxBytes counts the header and the pad byte, and cuts at a whole frame', async () => {
    const cases = fc.record({
      recorded: fc.constantFrom(...recordings),
      maxBytes: fc.integer({ min: 1, max: 420 }),
      step: fc.integer({ min: 1, max: 400 }),
    })
    await fc.assert(
      fc.asyncProperty(cases, async ({ recorded: r, maxBytes, step }) => {
        const file = new VirtualFile({ storage: storage.make(), maxBytes })
        const writer = storage.writerOf(file)
        const fits = momentOf(r, r.bytes.length).length <= maxBytes && r.bytes.length <= maxBytes
        let failure: NodeJS.ErrnoException | undefined
        writer.on('error', (error) => {
          failure = error
        })
        for (let at = 0; at < r.bytes.length; at += step) writer.write(r.bytes.subarray(at, at + step))
        writer.end()
        await closed(file)
        let largest = Math.min(maxBytes, r.bytes.length)
        while (momentOf(r, largest).length > maxBytes) largest -= 1
        const expected = momentOf(r, largest)
        expect((await file.toBuffer()).equals(expected)).toBe(true)
        expect(file.size).toBe(expected.length)
        expect(Buffer.from(await (await file.toFile()).arrayBuffer()).equals(expected)).toBe(true)
        expect(failure?.code).toBe(fits ? undefined : 'ERR_WAVESPOOL_FULL')
        await file.dispose()
      }),
      {
        numRuns: 30,
        // just enough for what comes, half a frame at its end included
        examples: recordings.flatMap((r) =>
          [1, 400].map((step): [{ recorded: typeof r; maxBytes: number; step: number }] => [
            { recorded: r, maxBytes: r.bytes.length, step },
          ]),
        ),
      },
    )
  })
})

describe.each(writers)('a storage that fails, of a file $label', ({ writerOf }) => {
  test.each([0, 10, 43, 44, 45, 101, 102, 345])('it has room for %i bytes only', async (room) => {
    const file = new VirtualFile({ storage: new FailingStorage(room) })
    const writer = writerOf(file)
    const failed = once(writer, 'error')
    for (let at = 0; at < mono8.bytes.length; at += 30) writer.write(mono8.bytes.subarray(at, at + 30))
    writer.end()
    const [error] = await failed
    expect(error).toEqual(codeOf('ERR_WAVESPOOL_STORAGE'))
    expect(error.cause.code).toBe('ENOSPC')
    await closed(file)
    const expected = Buffer.from(momentOf(mono8, room)).subarray(0, room) // no pad byte found room either
    if (room > 44) expected.writeUInt32LE(room - 8, 4)
    expect((await everyReading(file)).equals(expected)).toBe(true)
    await file.dispose()
  })

  test('it can no longer be written, and reads still give a right header', async () => {
    class Broken extends PlainStorage {
      refreshHeader(): void {
        throw new Error('broken')
      }
      override write(): void {
        throw new Error('broken')
      }
      override truncate(): void {
        throw new Error('broken')
      }
    }
    const file = new VirtualFile({ storage: new Broken() })
    const writer = writerOf(file)
    const failed = once(writer, 'error')
    writer.write(recorded!.bytes)
    writer.end()
    expect((await failed)[0]).toEqual(codeOf('ERR_WAVESPOOL_STORAGE'))
    const start = (await file.toBuffer()).subarray(0, 44)
    expect(start.readUInt32LE(40)).toBe(300)
  })
})

test('half a frame is never counted', async () => {
  const file = new VirtualFile({ storage: 'memory' })
  await write(file, recorded!.bytes)
  expect(file.size).toBe(344)
  await finish(file)
  expect(file.size).toBe(344)
})
