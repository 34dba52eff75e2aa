import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readWavHeader } from '../../../src/format/readWavHeader.ts'
import { VirtualFile } from '../../../src/sinks/virtualFile.ts'
import { chunkings } from '../../format/arbitraries.ts'
import { momentOf, recordings } from '../headers.ts'
import { closed, finish, write } from '../storageContract.ts'
import { writtenStorages } from '../writers.ts'

/** Collects the bytes of a stream until it ends or fails. */
async function collect(
  stream: Readable,
  pause: number,
): Promise<{ bytes: Buffer; error: Error | undefined }> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of stream) {
      pieces.push(piece)
      for (let i = 0; i < pause; i++) await turn()
    }
    return { bytes: Buffer.concat(pieces), error: undefined }
  } catch (error) {
    return { bytes: Buffer.concat(pieces), error: error as Error }
  }
}

describe.each(writtenStorages)('followers: $label', (storage) => {
  test('at any speed, from any moment, get everything behind an open header', async () => {
    const cut = fc
      .constantFrom(...recordings)
      .chain((r) => fc.record({ r: fc.constant(r), chunks: chunkings(r.bytes), joins: fc.array(fc.nat(6)) }))
    await fc.assert(
      fc.asyncProperty(cut, async ({ r, chunks, joins }) => {
        const file = new VirtualFile({ storage: storage.make() })
        const writer = storage.writerOf(file)
        const followers = [collect(file.createReadStream({ follow: true }), 0)]
        for (const [i, chunk] of chunks.entries()) {
          for (const pause of joins.filter((j) => j === i % 7)) {
            followers.push(collect(file.createReadStream({ follow: true }), pause))
          }
          await write(writer, chunk)
          if (i % 3 === 0) await turn()
        }
        await finish(writer)
        const exact = momentOf(r, r.bytes.length)
        for (const { bytes, error } of await Promise.all(followers)) {
          expect(error).toBeUndefined()
          expect(bytes.subarray(r.dataStart).equals(exact.subarray(r.dataStart))).toBe(true)
          const { riffBytes, dataBytes } = readWavHeader(bytes)!
          const isExact = dataBytes === exact.readUInt32LE(r.dataStart - 4)
          if (!isExact) expect([riffBytes, dataBytes]).toEqual([0xffffffff, 0xffffffff])
        }
        await file.dispose()
      }),
      { numRuns: 13 },
    )
  })

  test('a follower that began before the end gets open sizes for any placeholders', async () => {
    for (const r of recordings) {
      const file = new VirtualFile({ storage: storage.make() })
      const writer = storage.writerOf(file)
      const follower = file.createReadStream({ follow: true })
      const first = once(follower, 'data')
      await write(writer, r.bytes.subarray(0, r.dataStart))
      const [header] = await first
      expect(readWavHeader(header), r.label).toMatchObject({ riffBytes: 0xffffffff, dataBytes: 0xffffffff })
      follower.destroy()
      await finish(writer)
      await file.dispose()
    }
  })

  test('a part, from start to end', async () => {
    const r = recordings[1]!
    const file = new VirtualFile({ storage: storage.make() })
    const writer = storage.writerOf(file)
    const part = buffer(file.createReadStream({ follow: true, start: 50, end: 149 }))
    const rest = buffer(file.createReadStream({ follow: true, start: 200 }))
    for (let at = 0; at < r.bytes.length; at += 7) await write(writer, r.bytes.subarray(at, at + 7))
    expect((await part).equals(r.bytes.subarray(50, 150))).toBe(true) // before the end
    await finish(writer)
    expect((await rest).equals(momentOf(r, r.bytes.length).subarray(200))).toBe(true)
    await file.dispose()
  })

  test.each(['flowing', 'paused'])(
    'a recording that fails makes its followers fail, after the last byte: %s',
    async (mode) => {
      const r = recordings[1]!
      const file = new VirtualFile({ storage: storage.make() })
      const writer = storage.writerOf(file)
      writer.on('error', () => {})
      const follower = file.createReadStream({ follow: true })
      const error = once(follower, 'error').catch((fault) => [fault])
      const pieces: Buffer[] = []
      if (mode === 'flowing') follower.on('data', (piece) => pieces.push(piece))
      await write(writer, r.bytes)
      if (mode === 'paused') follower.read(0) // it fills its buffer, and its reader is elsewhere
      await turn()
      writer.destroy(new Error('the microphone is gone'))
      await closed(file)
      if (mode === 'paused') {
        for (let i = 0; i < 20; i++) await turn()
        expect(follower.destroyed).toBe(false)
        follower.on('data', (piece) => pieces.push(piece))
      }
      expect((await error)[0]).toMatchObject({ message: 'the microphone is gone' })
      const expected = momentOf(r, r.bytes.length).subarray(r.dataStart)
      expect(Buffer.concat(pieces).subarray(r.dataStart).equals(expected)).toBe(true)
      await file.dispose()
    },
  )

  test('destroy() without an error is a failure to a follower', async () => {
    const file = new VirtualFile({ storage: storage.make() })
    const writer = storage.writerOf(file)
    await write(writer, recordings[0]!.bytes)
    const followed = collect(file.createReadStream({ follow: true }), 1)
    await turn()
    writer.destroy()
    expect((await followed).error).toMatchObject({ code: 'ERR_WAVESPOOL_RECORDING' })
    await file.dispose()
  })

  test('a follower that has not read all bytes when the file is disposed fails', async () => {
    const file = new VirtualFile({ storage: storage.make() })
    const writer = storage.writerOf(file)
    const follower = file.createReadStream({ follow: true })
    await write(writer, Buffer.alloc(300_000, 1))
    await finish(writer)
    await file.dispose()
    const { bytes, error } = await collect(follower, 0)
    expect(bytes.length).toBeLessThan(300_000)
    expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_DISPOSED' })
  })
})
