import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { VirtualFile, type VirtualFileOptions } from '../../../src/index.ts'
import { momentOf, recordings } from '../headers.ts'
import { placeOf, storages, write } from '../storageContract.ts'
import { writers, writtenStorages } from '../writers.ts'
import { errorOf, expectCode, openBelow, settles } from './outcomes.ts'
import { type Verb, WatchedStorage } from './watchedStorage.ts'

const recorded = recordings[1]! // u8: odd data, so the end has a pad byte to write
const { bytes } = recorded
const half = bytes.subarray(0, 145)
const rest = bytes.subarray(145)

/** A moment in the life of a file, and how many bytes have been written by then. */
interface Moment {
  label: string
  written: number
  reach(writer: Writable, file: VirtualFile): unknown
  /** the life up to here brings an 'error' that is the user's to handle */
  fails?: boolean
}

const moments: Moment[] = [
  { label: 'at once', written: 0, reach() {} },
  { label: 'in the next tick', written: 0, reach: () => new Promise(process.nextTick) },
  { label: 'a turn later', written: 0, reach: () => turn() },
  {
    label: 'with writes in the same tick',
    written: bytes.length,
    reach(writer) {
      for (let at = 0; at < bytes.length; at += 50) writer.write(bytes.subarray(at, at + 50))
    },
  },
  {
    label: 'with writes and the end in the same tick',
    written: bytes.length,
    reach(writer) {
      writer.write(half)
      writer.end(rest)
    },
  },
  {
    label: 'with corked writes',
    written: bytes.length,
    reach(writer) {
      writer.cork()
      writer.write(half)
      writer.write(rest)
    },
  },
  {
    label: 'within an append',
    written: bytes.length,
    async reach(writer) {
      await write(writer, half)
      writer.write(rest)
      await new Promise(process.nextTick)
    },
  },
  {
    label: 'between two appends',
    written: half.length,
    reach: (writer) => write(writer, half),
  },
  {
    label: 'in the tick of the end',
    written: bytes.length,
    async reach(writer) {
      await write(writer, bytes)
      writer.end()
    },
  },
  {
    label: 'within the end',
    written: bytes.length,
    async reach(writer) {
      await write(writer, bytes)
      writer.end()
      await turn()
    },
  },
  {
    label: 'after the end',
    written: bytes.length,
    reach: (writer) => pipeline(Readable.from([half, rest]), writer),
  },
  {
    label: 'after destroy()',
    written: half.length,
    async reach(writer) {
      await write(writer, half)
      writer.destroy()
    },
  },
  {
    label: 'after a failure of the source',
    written: half.length,
    fails: true,
    async reach(writer, file) {
      const source = new PassThrough()
      const done = pipeline(source, writer)
      source.write(half)
      while (file.size < half.length - 1) await turn()
      source.destroy(new Error('the microphone is gone'))
      await done.catch(() => {})
    },
  },
  {
    label: 'after an abort before anything came',
    written: 0,
    fails: true,
    reach: (writer) => pipeline(new PassThrough(), writer, { signal: AbortSignal.abort() }).catch(() => {}),
  },
  {
    label: 'in the tick of destroy(error)',
    written: half.length,
    fails: true,
    async reach(writer) {
      await write(writer, half)
      writer.destroy(new Error('the microphone is gone'))
    },
  },
]

/** Descriptors and files that a storage has left open or behind, except for the recording under its path. */
function leftOf(storage: VirtualFileOptions['storage']): string[] {
  const { path, directory } = placeOf(storage)
  if (directory === undefined) return []
  const files = readdirSync(directory).map((name) => join(directory, name))
  return [...openBelow(directory), ...files.filter((file) => file !== path)]
}

/** Every verb of a file that reads, changes or shares it. */
const verbs: [string, (file: VirtualFile) => unknown][] = [
  ['read()', (file) => file.read(Buffer.alloc(1), 0)],
  ['readSync()', (file) => file.readSync(Buffer.alloc(1), 0)],
  ['view()', (file) => file.view()],
  ['cursor().read()', (file) => file.cursor().read(1)],
  ['cursor().readSync()', (file) => file.cursor().readSync(1)],
  ['cursor().readInto()', (file) => file.cursor().readInto(Buffer.alloc(1))],
  ['cursor().write()', (file) => file.cursor().write(Buffer.alloc(1))],
  ['cursor().writeSync()', (file) => file.cursor().writeSync(Buffer.alloc(1))],
  ['cursor().truncate()', (file) => file.cursor().truncate(0)],
  ['cursor().truncateSync()', (file) => file.cursor().truncateSync(0)],
  ['createReadStream()', (file) => file.createReadStream()],
  ['createReadStream({ follow })', (file) => file.createReadStream({ follow: true })],
  ['stream()', (file) => file.stream()],
  ['toBuffer()', (file) => file.toBuffer()],
  ['toFile()', (file) => file.toFile()],
  ['toFloat32()', (file) => file.toFloat32()],
  ['toInt16()', (file) => file.toInt16()],
  ['toPath()', (file) => file.toPath()],
  ['withPath()', (file) => file.withPath(() => {})],
  ['toResponse()', (file) => file.toResponse()],
  ['share()', (file) => file.share()],
]

describe.each(writtenStorages)('dispose() at every moment: $label', ({ make, isShared, writerOf }) => {
  test.each(moments)('$label', async ({ reach, written, fails }) => {
    const exits = process.listenerCount('exit')
    const storage = make()
    const file = new VirtualFile({ storage })
    const writer = writerOf(file)
    const errors: unknown[] = []
    if (fails) writer.on('error', (error) => errors.push(error))
    await reach(writer, file)
    const { path } = placeOf(storage)
    await settles(Promise.all([file.dispose(), file.dispose(), file[Symbol.asyncDispose]()]), 'dispose()')
    expect(leftOf(storage)).toEqual([])
    expect(process.listenerCount('exit')).toBe(exits)
    if (path !== undefined && written > 0) {
      expect(readFileSync(path).equals(momentOf(recorded, written)), path).toBe(true)
    }
    expect(file.size).toBe(0)
    expect(file.destroyed).toBe(true)
    for (const [verb, call] of verbs) {
      if (verb === 'share()' && !isShared) continue
      expectCode(await errorOf(() => call(file)), 'ERR_WAVESPOOL_DISPOSED', verb)
    }
    writer.destroy(new Error('too late to be an error of anybody'))
    writer.write(half, () => {})
    await turn()
    await settles(file.dispose(), 'another dispose()')
    expect(errors.length).toBeLessThanOrEqual(1)
    expect(leftOf(storage)).toEqual([])
  })

  test('a cursor cannot write while the recording opens or goes on', async () => {
    const file = new VirtualFile({ storage: make() })
    for (const reach of [() => {}, () => write(file, half)]) {
      await reach()
      expectCode(await errorOf(() => file.cursor().write(half)), 'ERR_WAVESPOOL_RECORDING', 'write()')
      expectCode(await errorOf(() => file.cursor().truncate(0)), 'ERR_WAVESPOOL_RECORDING', 'truncate()')
    }
    await file.dispose()
  })

  test('a read that is under way gets its bytes, or fails as the file is disposed', async () => {
    const file = new VirtualFile({ storage: make() })
    await pipeline(Readable.from([bytes]), file)
    const expected = momentOf(recorded, bytes.length)
    const reads = [
      file.toBuffer(),
      file.cursor().read(),
      file.read(Buffer.alloc(10), 50).then(() => expected),
      file.createReadStream().toArray().then(Buffer.concat),
    ]
    const outcomes = Promise.allSettled(reads)
    await settles(file.dispose(), 'dispose()')
    for (const outcome of await settles(outcomes, 'a read')) {
      if (outcome.status === 'fulfilled') expect((outcome.value as Buffer).equals(expected)).toBe(true)
      else expectCode(outcome.reason, 'ERR_WAVESPOOL_DISPOSED', 'a read')
    }
  })

  test('a cursor write that is under way completes, or fails as the file is disposed', async () => {
    const storage = make()
    const file = new VirtualFile({ storage })
    await pipeline(Readable.from([bytes]), file)
    const cursor = file.cursor()
    cursor.seek(100)
    const outcomes = Promise.allSettled([cursor.write(Buffer.from('one')), cursor.write(Buffer.from('two'))])
    await settles(file.dispose(), 'dispose()')
    const results = await settles(outcomes, 'a cursor write')
    for (const result of results) {
      if (result.status === 'rejected') expectCode(result.reason, 'ERR_WAVESPOOL_DISPOSED', 'write()')
    }
    const { path } = placeOf(storage)
    if (path === undefined || !existsSync(path)) return
    const expected = momentOf(recorded, bytes.length)
    if (results[0]!.status === 'fulfilled') expected.write('one', 100)
    if (results[1]!.status === 'fulfilled') expected.write('two', 103)
    expect(readFileSync(path).equals(expected)).toBe(true)
  })
})

/** The number of 'error' events until `reach` has returned; later ones have no listener. */
async function withErrorsHeard(writer: Writable, reach: () => unknown): Promise<number> {
  const told = vi.fn()
  writer.on('error', told)
  await reach()
  writer.off('error', told)
  return told.mock.calls.length
}

describe.each(writers)('dispose() does not throw: a file $label', ({ writerOf }) => {
  test('of a recording whose path is taken', async () => {
    const { make } = storages.find(({ label }) => label === 'path')!
    const storage = make() as { path: string }
    const first = new VirtualFile({ storage })
    await pipeline(Readable.from([bytes]), first)
    for (const reach of [() => {}, () => turn(), () => new Promise(process.nextTick)]) {
      const second = new VirtualFile({ storage })
      await withErrorsHeard(writerOf(second), reach)
      await settles(second.dispose(), 'dispose()')
      await turn()
    }
    expect(readFileSync(storage.path).equals(momentOf(recorded, bytes.length))).toBe(true)
    await first.dispose()
  })

  test('in any tick around a failure to open', async () => {
    let isClosedAlready = false
    for (let ticks = 0; ticks < 12; ticks++) {
      for (let jobs = 0; jobs < 12; jobs++) {
        const storage = new WatchedStorage({ turns: 1 })
        storage.open = () => Promise.reject(new Error('no'))
        const file = new VirtualFile({ storage })
        const writer = writerOf(file)
        const errors = await withErrorsHeard(writer, async () => {
          for (let i = 0; i < ticks; i++) await new Promise(process.nextTick)
          for (let i = 0; i < jobs; i++) await undefined
        })
        if (errors === 0) isClosedAlready ||= file.closed
        await settles(file.dispose(), 'dispose()')
      }
    }
    await turn()
    expect(isClosedAlready).toBe(true)
  })
})

/** The calls in their order: open, then those of the recording, then finish, then dispose. */
const inOrder = /^open (?:(?:onWavHeader|append|refreshHeader|write|truncate|read|readSync) )*finish dispose$/

const watched = [0, 1, 3].flatMap((turns) =>
  writers.map(({ label, writerOf }) => ({ label: `verbs of ${turns} turns, ${label}`, turns, writerOf })),
)

describe.each(watched)('the order of calls to a storage of the user: $label', ({ turns, writerOf }) => {
  test.each(moments)('$label', async ({ reach, written, fails }) => {
    const storage = new WatchedStorage({ turns })
    let last = Buffer.alloc(0)
    const { finish } = storage
    storage.finish = () => {
      last = Buffer.from(storage.bytes)
      return finish.call(storage)
    }
    const file = new VirtualFile({ storage })
    const writer = writerOf(file)
    if (fails) writer.on('error', () => {})
    await reach(writer, file)
    await settles(Promise.all([file.dispose(), file.dispose()]), 'dispose()')
    expect(storage.violations).toEqual([])
    const asked = storage.asked.join(' ')
    if (asked !== 'dispose') expect(asked).toMatch(inOrder)
    if (written > 0) expect(last.equals(momentOf(recorded, written)), asked).toBe(true)
  })

  test.each(moments)('$label, and open() fails', async ({ label, reach }) => {
    if (/source|between|within|after the end|destroy|tick of the end/.test(label)) return // they wait for a write
    const storage = new WatchedStorage({ turns, faults: { open: 'rejects' } })
    const file = new VirtualFile({ storage })
    const writer = writerOf(file)
    writer.on('error', () => {})
    await reach(writer, file)
    await settles(file.dispose(), 'dispose()')
    const allowed: Verb[][] = [['dispose'], ['open', 'dispose']]
    expect(allowed).toContainEqual(storage.asked)
    expect(storage.violations).toEqual([])
  })
})
