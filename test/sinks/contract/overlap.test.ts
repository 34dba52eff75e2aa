import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VirtualFile } from '../../../src/index.ts'
import { pattern } from '../../format/arbitraries.ts'
import { recordings } from '../headers.ts'
import { finish, storages, write } from '../storageContract.ts'
import { writers } from '../writers.ts'
import { entityTagOf, errorOf, expectCode, settles } from './outcomes.ts'
import { WatchedStorage } from './watchedStorage.ts'

const bytes = Buffer.from(pattern(300))

async function recorded(storage: ConstructorParameters<typeof VirtualFile>[0]): Promise<VirtualFile> {
  const file = new VirtualFile({ name: 'x.bin', ...storage })
  await pipeline(Readable.from([bytes]), file)
  return file
}

/** A change by one of three cursors, at an absolute position. */
type Change =
  | { verb: 'write'; cursor: number; at: number; bytes: Uint8Array }
  | { verb: 'truncate'; cursor: number; at: number }

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      verb: fc.constant('write' as const),
      cursor: fc.nat(2),
      at: fc.nat(400),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 60 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ verb: fc.constant('truncate' as const), cursor: fc.nat(2), at: fc.nat(400) }),
  },
)

/** The content after a change, as io.BytesIO has it. */
function after(content: Buffer, { at, ...change }: Change): Buffer {
  if (change.verb === 'truncate') return content.subarray(0, at)
  const grown = Buffer.alloc(Math.max(content.length, at + change.bytes.length))
  grown.set(content)
  grown.set(change.bytes, at)
  return grown
}

function make(file: VirtualFile, cursors: ReturnType<VirtualFile['cursor']>[], change: Change) {
  const cursor = cursors[change.cursor] ?? file.cursor()
  if (change.verb === 'truncate') return cursor.truncate(change.at)
  cursor.seek(change.at)
  return cursor.write(change.bytes)
}

describe.each(storages)('changes that are not awaited: $label', (storage) => {
  test('take effect in the order of their calls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 2, maxLength: 12 }), async (changes) => {
        const file = await recorded({ storage: storage.make() })
        const cursors = [file.cursor(), file.cursor(), file.cursor()]
        await settles(Promise.all(changes.map((each) => make(file, cursors, each))), 'a change')
        const expected = changes.reduce(after, bytes)
        expect((await file.toBuffer()).equals(expected)).toBe(true)
        expect(file.size).toBe(expected.length)
        await file.dispose()
      }),
      { numRuns: 25 },
    )
  })

  test('a synchronous change behind one that is under way keeps the order, or is refused', async () => {
    const file = await recorded({ storage: storage.make() })
    const cursor = file.cursor()
    const first = cursor.write(Buffer.from('first'))
    const refusal = await errorOf(() => cursor.writeSync(Buffer.from('second')))
    await first
    if (refusal) expectCode(refusal, 'ERR_WAVESPOOL_STORAGE', 'writeSync()')
    const start = (await file.toBuffer()).subarray(0, 11).toString('latin1')
    expect(start).toBe(refusal ? `first${bytes.toString('latin1', 5, 11)}` : 'firstsecond')
    await file.dispose()
  })

  test('a change that maxBytes refuses has no effect, not even on the ETag', async () => {
    for (const recording of [bytes, recordings[0]!.bytes]) {
      const file = new VirtualFile({ storage: storage.make(), maxBytes: 400 })
      await pipeline(Readable.from([recording]), file)
      const before = await file.toBuffer()
      const [tag, format] = [await entityTagOf(file), file.format]
      const cursor = file.cursor()
      cursor.seek(390)
      expectCode(await errorOf(() => cursor.write(Buffer.alloc(11))), 'ERR_WAVESPOOL_FULL', 'write()')
      expect(cursor.tell()).toBe(390)
      if (storage.hasSyncWrite) {
        expectCode(
          await errorOf(() => cursor.writeSync(Buffer.alloc(11))),
          'ERR_WAVESPOOL_FULL',
          'writeSync()',
        )
        expect(cursor.tell()).toBe(390)
      }
      expect(await entityTagOf(file)).toBe(tag)
      expect(file.format).toEqual(format)
      expect((await file.toBuffer()).equals(before)).toBe(true)
      await cursor.write(Buffer.alloc(10))
      expect(await entityTagOf(file)).not.toBe(tag)
      await file.dispose()
    }
  })

  test('a change that is refused while the recording goes on has no effect on its header', async () => {
    const file = new VirtualFile({ storage: storage.make() })
    await write(file, recordings[0]!.bytes)
    const refused = file.cursor()
    expectCode(await errorOf(() => refused.write(Buffer.alloc(5))), 'ERR_WAVESPOOL_RECORDING', 'write()')
    expect(refused.tell()).toBe(0)
    await write(file, recordings[0]!.bytes.subarray(44))
    await finish(file)
    expect(file.format).toBeDefined()
    expect((await file.toBuffer()).readUInt32LE(40)).toBe(file.size - 44)
    await file.dispose()
  })
})

test.each(storages.filter(({ isShared }) => isShared))(
  'an attached file refuses changes, and its ETag stays: $label',
  async (storage) => {
    const file = await recorded({ storage: storage.make() })
    const attached = VirtualFile.attach(file.share())
    const tag = await entityTagOf(attached)
    const cursor = attached.cursor()
    const refusals = [
      await errorOf(() => cursor.write(Buffer.alloc(3))),
      await errorOf(() => cursor.truncate(3)),
      await errorOf(() => cursor.writeSync(Buffer.alloc(3))),
      await errorOf(() => cursor.truncateSync(3)),
    ]
    for (const refusal of refusals) expectCode(refusal, 'ERR_WAVESPOOL_READ_ONLY', 'a change')
    expect(cursor.tell()).toBe(0)
    expect(await entityTagOf(attached)).toBe(tag)
    await attached.dispose()
    await file.dispose()
  },
)

describe.each([0, 1, 3])('a storage of the user whose verbs take %i turns', (turns) => {
  test.each(writers)(
    'gets one change at a time from the recording and from cursors: $label',
    async ({ writerOf }) => {
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 2, maxLength: 8 }), async (changes) => {
          const storage = new WatchedStorage({ turns })
          const file = new VirtualFile({ name: 'x.bin', storage })
          const writer = writerOf(file)
          for (let at = 0; at < bytes.length; at += 30) writer.write(bytes.subarray(at, at + 30))
          await finish(writer)
          const cursors = [file.cursor(), file.cursor(), file.cursor()]
          const done = Promise.all(changes.map((each) => make(file, cursors, each)))
          await settles(done, 'a change')
          expect(storage.violations).toEqual([])
          expect(storage.bytes.equals(changes.reduce(after, bytes))).toBe(true)
          await file.dispose()
          expect(storage.violations).toEqual([])
        }),
        { numRuns: 10 },
      )
    },
  )

  test.each(['throws', 'rejects'] as const)('may refuse a change: %s', async (how) => {
    const storage = new WatchedStorage({ turns })
    const file = await recorded({ storage })
    const tag = await entityTagOf(file)
    for (const verb of ['write', 'truncate', 'append'] as const) {
      storage.faults[verb] = how
      const cursor = file.cursor()
      cursor.seek(verb === 'append' ? bytes.length : 10)
      const at = cursor.tell()
      const error = await errorOf(() => (verb === 'truncate' ? cursor.truncate() : cursor.write(bytes)))
      expectCode(error, 'ERR_WAVESPOOL_STORAGE', verb)
      expect((error as Error).cause).toMatchObject({ message: `${verb} refused` })
      expect(cursor.tell()).toBe(at)
      expect(await entityTagOf(file)).toBe(tag)
      delete storage.faults[verb]
    }
    expect((await file.toBuffer()).equals(bytes)).toBe(true)
    await file.cursor().write(Buffer.from('and goes on'))
    expect((await file.toBuffer()).toString('latin1', 0, 11)).toBe('and goes on')
    expect(storage.violations).toEqual([])
    await file.dispose()
  })

  test('a change that is refused does not hold up those behind it', async () => {
    const storage = new WatchedStorage({ turns, faults: {} })
    const file = await recorded({ storage })
    storage.faults.write = 'throws'
    const cursor = file.cursor()
    const refused = cursor.write(Buffer.from('one')).catch((error) => error)
    delete storage.faults.write
    const other = file.cursor()
    other.seek(10)
    await settles(Promise.all([refused, other.write(Buffer.from('two'))]), 'a change')
    expect((await file.toBuffer()).toString('latin1', 10, 13)).toBe('two')
    await file.dispose()
  })
})
