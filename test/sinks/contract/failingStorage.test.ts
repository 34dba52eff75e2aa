import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pcmFormat, VirtualFile, wavHeader } from '../../../src/index.ts'
import { ramp } from '../../../src/testing/index.ts'
import { recordings } from '../headers.ts'
import { closed, write } from '../storageContract.ts'
import { writers } from '../writers.ts'
import { errorOf, expectCode, settles } from './outcomes.ts'
import { type Fault, type Verb, WatchedStorage } from './watchedStorage.ts'

const format = pcmFormat()

const unhandled: unknown[] = []
const note = (reason: unknown) => unhandled.push(reason)
beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', note)
})
afterEach(async () => {
  await turn()
  await turn()
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

/** Three channels of 8 bits: odd data, and a frame that the end cuts off, so that every verb is needed. */
const { bytes } = recordings.find(({ label }) => label.includes('three channels'))!

const synchronous = new Set<Verb>(['onWavHeader', 'refreshHeader'])
const verbs: Verb[] = [
  'open',
  'onWavHeader',
  'append',
  'refreshHeader',
  'write',
  'truncate',
  'finish',
  'dispose',
]
const faults = verbs.flatMap((verb) =>
  (['throws', 'rejects'] as Fault[])
    .filter((how) => how === 'throws' || !synchronous.has(verb))
    .flatMap((how) => [0, 2].map((turns) => ({ verb, how, turns })))
    .flatMap((fault) => writers.map((writer) => ({ ...fault, ...writer }))),
)

describe.each(faults)(
  '$verb $how, verbs of $turns turns, a file $label',
  ({ verb, how, turns, writerOf }) => {
    const newStorage = () => new WatchedStorage({ turns, faults: { [verb]: how } })

    test('the recording and its followers fail with a typed error, and dispose() of the storage is still called', async () => {
      const storage = newStorage()
      const file = new VirtualFile({ storage })
      const writer = writerOf(file)
      const follower = errorOf(() => buffer(file.createReadStream({ follow: true })))
      const done = errorOf(async () => {
        await write(writer, bytes.subarray(0, 200))
        await pipeline([bytes.subarray(200)], writer)
      })
      writer.on('error', () => {})
      const error = await settles(done, 'the recording')
      if (verb === 'dispose') {
        expect(error).toBeUndefined()
        expect(await follower).toBeUndefined()
      } else {
        expectCode(error, 'ERR_WAVESPOOL_STORAGE', verb)
        expect((error as Error).cause).toMatchObject({ message: `${verb} refused` })
        expectCode(await follower, 'ERR_WAVESPOOL_STORAGE', 'a follower')
        await settles(closed(file), "'close'")
      }
      const failure = await errorOf(() => file.dispose())
      if (verb === 'dispose') expectCode(failure, 'ERR_WAVESPOOL_STORAGE', 'dispose()')
      else expect(failure).toBeUndefined()
      expect(storage.asked.at(-1)).toBe('dispose')
      expect(storage.violations).toEqual([])
      if (verb === 'open') expect(storage.asked).toEqual(['open', 'dispose'])
    })

    test('a pipeline settles', async () => {
      if (verb === 'truncate' || verb === 'dispose') return // this one has nothing to cut off, and disposes of nothing
      const file = new VirtualFile({ storage: newStorage() })
      const writer = writerOf(file)
      const source = ramp(format, { duration: { seconds: 1 } })
      const error = await errorOf(() => pipeline(source, wavHeader(format), writer))
      expectCode(error, 'ERR_WAVESPOOL_STORAGE', verb)
      expect(source.destroyed).toBe(true)
      await file.dispose()
    })

    test('dispose() alone settles', async () => {
      const storage = newStorage()
      const file = new VirtualFile({ storage })
      const writer = writerOf(file)
      writer.on('error', () => {})
      writer.write(bytes)
      const all = Promise.allSettled([file.dispose(), file.dispose()])
      const [first, second] = await settles(all, 'dispose()')
      expect(second!.status).toBe(first!.status)
      expect(storage.asked.filter((asked) => asked === 'dispose')).toHaveLength(1)
      expect(storage.violations).toEqual([])
    })

    test('the audio in front of the failure stays readable, with a right header', async () => {
      if (['open', 'onWavHeader', 'dispose'].includes(verb)) return // nothing arrived, or nothing failed
      const storage = newStorage()
      delete storage.faults[verb]
      const file = new VirtualFile({ storage })
      const writer = writerOf(file)
      writer.on('error', () => {})
      await write(writer, bytes.subarray(0, 200))
      storage.faults[verb] = how
      writer.write(bytes.subarray(200))
      writer.end()
      await settles(closed(file), "'close'")
      expectCode(file.errored, 'ERR_WAVESPOOL_STORAGE', verb)
      const read = await file.toBuffer()
      expect(read.length).toBeGreaterThan(200 - 9) // whole frames
      const dataStart = read.indexOf('data') + 8
      const dataBytes = read.readUInt32LE(dataStart - 4)
      expect(dataBytes % 9).toBe(0)
      // of a storage that takes no more there is no pad byte
      expect(read.length).toBe(dataStart + dataBytes + (verb === 'append' ? 0 : dataBytes % 2))
      const data = read.subarray(dataStart, dataStart + dataBytes)
      expect(data.equals(bytes.subarray(dataStart, dataStart + dataBytes))).toBe(true)
      await file.dispose()
    })
  },
)

const declarations = [0xffffffff, 171].flatMap((declared) =>
  writers.map((writer) => ({ declared, ...writer })),
)

test.each(declarations)(
  'a pad byte without room for it: $declared in the header, a file $label',
  async ({ declared, writerOf }) => {
    for (const turns of [0, 2]) {
      const storage = new WatchedStorage({ turns })
      const file = new VirtualFile({ storage })
      const writer = writerOf(file)
      writer.on('error', () => {})
      const dataStart = bytes.indexOf('data') + 8
      const odd = Buffer.from(bytes.subarray(0, dataStart + 171))
      odd.writeUInt32LE(declared, dataStart - 4)
      await write(writer, odd)
      expect(file.size).toBe(odd.length + 1) // while it is recorded, a snapshot has its pad byte
      storage.faults.append = 'rejects'
      writer.end()
      await settles(closed(file), "'close'")
      expectCode(file.errored, 'ERR_WAVESPOOL_STORAGE', 'append')
      expect(storage.bytes.readUInt32LE(dataStart - 4)).toBe(storage.size - dataStart)
      expect(storage.bytes.readUInt32LE(4)).toBe(storage.size - 8)
      expect(file.size).toBe(odd.length)
      expect((await file.toBuffer()).equals(storage.bytes)).toBe(true)
      expect(await file.read(Buffer.alloc(300), 0)).toBe(odd.length)
      await file.dispose()
    }
  },
)

/** A storage that says something of its size that cannot be. */
class Lying extends WatchedStorage {
  lie: (size: number) => unknown = (size) => size
  override get size(): number {
    return this.lie(super.size) as number
  }
}

test.each<[string, (size: number) => unknown, string]>([
  ['no number', () => undefined, 'says that it has undefined bytes'],
  ['NaN', () => Number.NaN, 'says that it has NaN bytes'],
  ['fewer than none', () => -1, 'says that it has -1 bytes'],
  ['half a byte', (size) => size + 0.5, 'says that it has 245.5 bytes'],
  ['fewer than it took', (size) => size - 5, 'says that it has 240 bytes, and not the 245 that it was given'],
  ['more than it took', (size) => size + 5, 'says that it has 250 bytes, and not the 245 that it was given'],
])('a storage whose size is %s fails the append', async (_label, lie, words) => {
  for (const { turns, writerOf } of [0, 2].flatMap((turns) => writers.map((each) => ({ turns, ...each })))) {
    const storage = new Lying({ turns })
    const file = new VirtualFile({ storage })
    const writer = writerOf(file)
    writer.on('error', () => {})
    await write(writer, bytes.subarray(0, 200))
    storage.lie = lie
    writer.write(bytes.subarray(200, 245))
    writer.end()
    await settles(closed(file), "'close'")
    expectCode(file.errored, 'ERR_WAVESPOOL_STORAGE', words)
    expect((file.errored as Error).message).toContain(words)
    expect(file.size).toBe((await file.toBuffer()).length)
    storage.lie = (size) => size
    await file.dispose()
  }
})

test.each(writers)('append() is not called after open() has failed: a file $label', async ({ writerOf }) => {
  const storage = new WatchedStorage({ turns: 1, faults: { open: 'rejects' } })
  const file = new VirtualFile({ storage })
  const writer = writerOf(file)
  writer.on('error', () => {})
  for (let i = 0; i < 5; i++) writer.write(bytes)
  writer.end()
  await settles(closed(file), "'close'")
  expect(storage.asked).toEqual(['open'])
  expectCode(file.errored, 'ERR_WAVESPOOL_STORAGE', 'open')
  await file.dispose()
  expect(storage.asked).toEqual(['open', 'dispose'])
})
