import { buffer } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VirtualFile } from '../../../src/sinks/virtualFile.ts'
import { chunkings, pattern } from '../../format/arbitraries.ts'
import { momentOf, recordings } from '../headers.ts'
import { closed, everyReading, finish, rawReading, storages, write } from '../storageContract.ts'

// Here the attached file is read in the thread that made it: the state that it gets, and how it reads by it. In
// attachedWorker.test.ts other threads read.

const codeOf = (code: string) => expect.objectContaining({ code })
/** Every way of reading is tried then; in between it is the size and the format. */
const threeMoments = fc.array(fc.nat(), { minLength: 3, maxLength: 3 })
const shared = storages.filter(({ isShared }) => isShared)

describe.each(shared)('attached: $label', (storage) => {
  test('is the same file at every moment, in every way of reading, whenever it was shared', async () => {
    const cases = fc
      .constantFrom(...recordings)
      .chain(({ bytes }) =>
        fc.record({ chunks: chunkings(bytes), sharedAt: fc.nat(5), moments: threeMoments }),
      )
    await fc.assert(
      fc.asyncProperty(cases, async ({ chunks, sharedAt, moments }) => {
        const file = new VirtualFile({ name: 'x.wav', storage: storage.make() })
        let handle = sharedAt === 0 ? file.share() : undefined
        const attached = [handle && VirtualFile.attach(handle)]
        const compare = async (isWhole: boolean) => {
          for (const reader of attached) {
            if (!reader) continue
            const { size, format, duration } = file
            expect(reader).toMatchObject({ name: 'x.wav', type: 'audio/wav', size })
            expect([reader.format, reader.duration]).toEqual([format, duration])
            if (!isWhole) continue
            expect((await everyReading(reader)).equals(await everyReading(file))).toBe(true)
            expect((await rawReading(reader, storage)).equals(await rawReading(file, storage))).toBe(true)
          }
        }
        const looked = new Set(moments.map((moment) => moment % chunks.length))
        for (const [i, chunk] of chunks.entries()) {
          if (i + 1 === sharedAt) {
            handle = file.share()
            attached.push(VirtualFile.attach(handle), VirtualFile.attach(file.share()))
          }
          await write(file, chunk)
          await compare(looked.has(i))
        }
        await finish(file)
        handle ??= file.share()
        attached.push(VirtualFile.attach(handle))
        await compare(true)
        await file.dispose()
      }),
      { numRuns: 15 },
    )
  })

  test('follows as the file itself is followed, and ends with it', async () => {
    for (const r of recordings) {
      const file = new VirtualFile({ storage: storage.make() })
      const attached = VirtualFile.attach(file.share())
      const followed = [file, attached, attached].map((f) => buffer(f.createReadStream({ follow: true })))
      for (let at = 0; at < r.bytes.length; at += 13) {
        await write(file, r.bytes.subarray(at, at + 13))
        if (at % 3 === 0) await turn()
      }
      await finish(file)
      const [itself, ...others] = await Promise.all(followed)
      for (const other of others) {
        const from = other.readUInt32LE(r.dataStart - 4) === 0xffffffff ? 0 : r.dataStart // it may have come late
        expect(other.subarray(from).equals(itself!.subarray(from)), r.label).toBe(true)
      }
      expect(attached.isEnded).toBe(true)
      await file.dispose()
    }
  })

  test('a recording that fails makes its followers fail, after the last byte', async () => {
    const r = recordings[1]!
    const file = new VirtualFile({ storage: storage.make() })
    file.on('error', () => {})
    const attached = VirtualFile.attach(file.share())
    const pieces: Buffer[] = []
    const follow = async () => {
      for await (const piece of attached.createReadStream({ follow: true })) pieces.push(piece)
    }
    const failed = expect(follow()).rejects.toThrow('the microphone is gone')
    await write(file, r.bytes)
    file.destroy(new Error('the microphone is gone'))
    await failed
    const expected = momentOf(r, r.bytes.length)
    expect(Buffer.concat(pieces).subarray(44).equals(expected.subarray(44))).toBe(true)
    expect(attached.failure).toMatchObject({ message: 'the microphone is gone' })
    await closed(file)
    expect((await attached.toBuffer()).equals(expected)).toBe(true)
    expect(attached.waitSync(10_000)).toBe('failed')
    await file.dispose()
  })

  test('once the file is disposed its next read fails, and followers and waiting threads are woken', async () => {
    const file = new VirtualFile({ storage: storage.make() })
    const attached = VirtualFile.attach(file.share())
    await write(file, recordings[0]!.bytes)
    const disposed = codeOf('ERR_WAVESPOOL_DISPOSED')
    const ended = expect(buffer(attached.createReadStream({ follow: true }))).rejects.toMatchObject({
      code: 'ERR_WAVESPOOL_RECORDING', // which had not come to its end
    })
    await turn()
    await file.dispose()
    await ended
    await expect(attached.read(Buffer.alloc(1), 0)).rejects.toEqual(disposed)
    expect(() => attached.readSync(Buffer.alloc(1), 0)).toThrow(disposed)
    await expect(attached.toFile()).rejects.toEqual(disposed)
    await expect(attached.cursor().read()).rejects.toEqual(disposed)
    expect(() => attached.view()).toThrow(disposed)
    expect(() => attached.createReadStream()).toThrow(disposed)
    expect(() => attached.createReadStream({ follow: true })).toThrow(disposed)
    expect(() => attached.waitSync(1)).toThrow(disposed)
    expect(attached.size).toBe(0)
    expect(() => file.share()).toThrow(disposed)
  })

  test('one that is disposed does not disturb the recording', async () => {
    const file = new VirtualFile({ storage: storage.make() })
    const handle = file.share()
    await write(file, pattern(500))
    await using kept = VirtualFile.attach(handle)
    const attached = VirtualFile.attach(handle)
    const followed = expect(buffer(attached.createReadStream({ follow: true, start: 500 }))).rejects.toEqual(
      codeOf('ERR_WAVESPOOL_DISPOSED'),
    )
    await turn()
    await attached.dispose()
    await followed
    await expect(attached.toBuffer()).rejects.toEqual(codeOf('ERR_WAVESPOOL_DISPOSED'))
    await write(file, pattern(500))
    await finish(file)
    expect(kept.size).toBe(1000)
    expect(file.size).toBe(1000)
    await file.dispose()
  })

  test('is read only, and sees changes by cursors at their place', async () => {
    const r = recordings[1]!
    const file = new VirtualFile({ storage: storage.make() })
    const attached = VirtualFile.attach(file.share())
    await write(file, r.bytes)
    await finish(file)
    const readOnly = codeOf('ERR_WAVESPOOL_READ_ONLY')
    await expect(attached.cursor().write(Buffer.alloc(1))).rejects.toEqual(readOnly)
    await expect(attached.cursor().truncate(1)).rejects.toEqual(readOnly)
    expect(() => attached.cursor().writeSync(Buffer.alloc(1))).toThrow(readOnly)
    expect(() => attached.cursor().truncateSync(1)).toThrow(readOnly)

    const tag = (await attached.toResponse()).headers.get('etag')
    const cursor = file.cursor()
    for (const change of [
      () => cursor.write(pattern(60)),
      () => cursor.truncate(150),
      () => cursor.seek(250),
      () => cursor.write(pattern(400)),
      () => cursor.truncate(30),
      () => cursor.truncate(0),
      () => cursor.write(r.bytes),
    ]) {
      await change()
      expect((await everyReading(attached)).equals(await everyReading(file))).toBe(true)
      expect(attached.size).toBe(file.size)
      expect(attached.format).toEqual(file.format)
    }
    expect((await attached.toResponse()).headers.get('etag')).not.toBe(tag)
    await file.dispose()
  })

  test('waitSync() returns its reason, and does not wait for its own thread', async () => {
    const file = new VirtualFile({ storage: storage.make() })
    const attached = VirtualFile.attach(file.share())
    expect(attached.waitSync(0)).toBe('ready')
    expect(() => attached.waitSync(1)).toThrow(codeOf('ERR_WAVESPOOL_RECORDING'))
    await write(file, pattern(10))
    expect(attached.waitSync(10)).toBe('ready')
    await finish(file)
    expect(attached.waitSync(11)).toBe('ended')
    for (const bad of [-1, 0.5, Number.NaN]) {
      expect(() => attached.waitSync(bad)).toThrow(codeOf('ERR_WAVESPOOL_ARG_RANGE'))
    }
    for (const bad of [-1, Number.NaN]) {
      expect(() => attached.waitSync(1, bad)).toThrow(codeOf('ERR_WAVESPOOL_ARG_RANGE'))
    }
    expect(() => attached.waitSync('1' as never)).toThrow(codeOf('ERR_WAVESPOOL_ARG_TYPE'))
    expect(() => attached.waitSync(1, '1' as never)).toThrow(codeOf('ERR_WAVESPOOL_ARG_TYPE'))
    await file.dispose()
  })
})

test.each(storages.filter(({ isShared }) => !isShared))('no other thread sees: $label', ({ make }) => {
  expect(() => new VirtualFile({ storage: make() }).share()).toThrow(codeOf('ERR_WAVESPOOL_STORAGE'))
})

test('attach() refuses values that share() did not return', () => {
  const handle = new VirtualFile().share()
  const foreign: unknown[] = [
    undefined,
    null,
    'memo.wav',
    {},
    new VirtualFile(),
    { ...handle, wavespool: 'shared VirtualFile, 0' },
    { ...handle, state: new SharedArrayBuffer(8) },
    { ...handle, state: new ArrayBuffer(handle.state.byteLength) },
    { ...handle, parts: undefined },
    JSON.parse(JSON.stringify(handle)),
  ]
  for (const object of foreign) {
    expect(() => VirtualFile.attach(object as never), inspect(object)).toThrow(
      codeOf('ERR_WAVESPOOL_ARG_TYPE'),
    )
  }
})

test('is no string and no Blob either', () => {
  const attached = VirtualFile.attach(new VirtualFile({ name: 'a.wav' }).share())
  expect(() => `${attached}`).toThrow(codeOf('ERR_WAVESPOOL_NOT_A_STRING'))
  expect(inspect(attached)).toBe('AttachedFile { name: "a.wav", type: "audio/wav", size: 0 }')
})
