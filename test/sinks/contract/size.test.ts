import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VirtualFile } from '../../../src/index.ts'
import { pattern } from '../../format/arbitraries.ts'
import { momentOf, type Recorded, recordings } from '../headers.ts'
import { finish, storages, write } from '../storageContract.ts'
import { settles } from './outcomes.ts'

/** The bytes that a server receives of an upload of `length` bytes; undefined where the upload breaks off or hangs. */
async function upload(body: Readable, length: number): Promise<number | undefined> {
  const server = createServer(async (incoming, answer) => {
    let count = 0
    for await (const piece of incoming) count += piece.length
    answer.end(String(count))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    const sent = new Promise<Readable>((resolve, reject) => {
      const headers = { 'content-length': length }
      const outgoing = request({ port, host: '127.0.0.1', method: 'POST', headers }, resolve)
      outgoing.on('error', reject)
      body.pipe(outgoing)
    })
    return Number((await buffer(await settles(sent, 'the upload'))).toString())
  } catch {
    return undefined
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** `size` and all that a reader gets in the same tick have one length. */
async function expectOneLength(file: VirtualFile, recorded: Recorded, written: number): Promise<void> {
  const { size } = file
  const [streamed, read, whole] = [buffer(file.createReadStream()), file.toBuffer(), file.toFile()]
  const expected = momentOf(recorded, written)
  expect(size, `size at ${written}`).toBe(expected.length)
  expect((await streamed).equals(expected), `createReadStream() at ${written}`).toBe(true)
  expect((await read).equals(expected), `toBuffer() at ${written}`).toBe(true)
  expect((await whole).size, `toFile() at ${written}`).toBe(size)
  const target = Buffer.alloc(size + 1)
  expect(await file.read(target, 0), `read() at ${written}`).toBe(size)
  expect(target.subarray(0, size).equals(expected), `read() at ${written}`).toBe(true)
}

describe.each(storages)('size is the length of the bytes that a read gives: $label', (storage) => {
  test.each(recordings)('at every moment of $label', async (recorded) => {
    const file = new VirtualFile({ storage: storage.make() })
    const { bytes, dataStart } = recorded
    await expectOneLength(file, recorded, 0)
    for (let written = 0; written < bytes.length; ) {
      const isInHeader = written > 10 && written < dataStart - 3
      const step = isInHeader ? Math.min(17, dataStart - 3 - written) : 1 + (written % 3)
      await write(file, bytes.subarray(written, written + step))
      written = Math.min(bytes.length, written + step)
      await expectOneLength(file, recorded, written)
    }
    await finish(file)
    await expectOneLength(file, recorded, bytes.length)
    await file.dispose()
  })

  test('also in the tick of a write', async () => {
    const recorded = recordings[1]!
    const file = new VirtualFile({ storage: storage.make() })
    for (let at = 0; at < recorded.bytes.length; at += 37) {
      file.write(recorded.bytes.subarray(at, at + 37))
      const { size } = file
      expect((await buffer(file.createReadStream())).length).toBe(size)
      await turn()
    }
    await finish(file)
    await file.dispose()
  })

  test('an upload that announces it is complete, while the recording goes on', async () => {
    for (const [index, written] of [
      [1, 44 + 161], // a byte of a pad
      [0, 44 + 203], // half a frame
    ] as const) {
      const file = new VirtualFile({ storage: storage.make() })
      await write(file, recordings[index]!.bytes.subarray(0, written))
      const { size } = file
      expect(await upload(file.createReadStream(), size)).toBe(size)
      await file.dispose()
    }
  })
})

/** Frames that all differ, behind a header, in chunks that fall anywhere. */
const joining = fc.record({
  recorded: fc.constantFrom(...recordings.filter(({ label }) => label.startsWith('wavHeader()'))),
  steps: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }),
  joinAt: fc.nat(11),
})

describe.each(storages)('from now on: $label', (storage) => {
  const ways: [string, (file: VirtualFile) => { start: number | 'live'; follow: true }][] = [
    ["{ start: 'live' }", () => ({ start: 'live', follow: true })],
    ['{ start: file.size }', (file) => ({ start: file.size, follow: true })],
  ]

  test.each(ways)('%s joins at the newest whole frame, and shifts no sample', async (_label, optionsOf) => {
    await fc.assert(
      fc.asyncProperty(joining, async ({ recorded, steps, joinAt }) => {
        const { dataStart, frame } = recorded
        const data = Buffer.from(pattern(600))
        const file = new VirtualFile({ storage: storage.make() })
        await write(file, recorded.bytes.subarray(0, dataStart))
        let [at, joined] = [0, -1]
        let followed: Promise<Buffer> | undefined
        for (const [i, step] of [...steps, 60].entries()) {
          if (i === Math.min(joinAt, steps.length)) {
            joined = at - (at % frame)
            followed = buffer(file.createReadStream(optionsOf(file) as { follow: true }))
          }
          await write(file, data.subarray(at, at + step))
          at += step
        }
        await finish(file)
        const whole = await file.toBuffer()
        const got = await settles(followed!, 'a follower')
        expect([whole.length - got.length - dataStart, joined % frame]).toEqual([joined, 0])
        expect(got.equals(whole.subarray(dataStart + joined))).toBe(true)
        await file.dispose()
      }),
      { numRuns: 30 },
    )
  })

  test("{ start: 'live' } of a recording that has ended is at its end", async () => {
    const file = new VirtualFile({ storage: storage.make() })
    await write(file, recordings[0]!.bytes)
    await finish(file)
    const live = { start: 'live', follow: true } as unknown as { follow: true }
    expect(await buffer(file.createReadStream(live))).toHaveLength(0)
    await file.dispose()
  })

  test('a reader joins bytes that are no WAV at their end', async () => {
    const file = new VirtualFile({ storage: storage.make() })
    await write(file, pattern(101))
    const live = { start: 'live', follow: true } as unknown as { follow: true }
    const followed = buffer(file.createReadStream(live))
    await write(file, Buffer.from('what comes next'))
    await finish(file)
    expect((await settles(followed, 'a follower')).toString()).toBe('what comes next')
    await file.dispose()
  })
})
