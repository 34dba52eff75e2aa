import { buffer } from 'node:stream/consumers'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { VirtualFile } from '../../src/sinks/virtualFile.ts'
import type { VirtualFileOptions } from '../../src/sinks/virtualFileOptions.ts'
import { pattern } from '../format/arbitraries.ts'
import { finish, PlainStorage, storages, write } from './storageContract.ts'

const ARG_TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const ARG_RANGE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' })

describe.each(storages)('reading: $label', (storage) => {
  const bytes = Buffer.from(pattern(1000))
  let file: VirtualFile

  beforeAll(async () => {
    file = new VirtualFile({ name: 'x.bin', storage: storage.make() })
    await write(file, bytes.subarray(0, 333))
    await write(file, bytes.subarray(333))
    await finish(file)
  })
  afterAll(() => file.dispose())

  test.each([
    Uint8Array,
    Uint8ClampedArray,
    Int8Array,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ])('into %o, at an offset of its buffer', async (Kind) => {
    const room = new ArrayBuffer(96)
    const target = new Kind(room, 16, 4)
    const size = target.byteLength
    expect(await file.read(target, 7)).toBe(size)
    const expected = Buffer.concat([Buffer.alloc(16), bytes.subarray(7, 7 + size), Buffer.alloc(80 - size)])
    expect(Buffer.from(room).equals(expected)).toBe(true)
    if (storage.hasSync) {
      expect(file.readSync(target, 8)).toBe(size)
      expect(Buffer.from(room, 16, size).equals(bytes.subarray(8, 8 + size))).toBe(true)
    }
  })

  test('into shared memory, and from there', async () => {
    const room = new SharedArrayBuffer(96)
    const target = new Float32Array(room, 16, 8)
    expect(await file.read(target, 300)).toBe(32)
    expect(Buffer.from(room, 16, 32).equals(bytes.subarray(300, 332))).toBe(true)
    if (storage.hasSync) expect(file.readSync(new Uint8Array(room), 5)).toBe(96)
    const own = new VirtualFile({ storage: storage.make() })
    await finish(own)
    const cursor = own.cursor()
    await cursor.write(new Uint8Array(room))
    if (storage.hasSyncWrite) cursor.writeSync(new Uint8Array(room))
    expect((await own.toBuffer()).subarray(0, 96).equals(Buffer.from(room))).toBe(true)
    await own.dispose()
  })

  test('into a DataView and an ArrayBuffer', async () => {
    const room = new ArrayBuffer(10)
    expect(await file.read(new DataView(room, 2, 6), 100)).toBe(6)
    expect(Buffer.from(room).subarray(2, 8).equals(bytes.subarray(100, 106))).toBe(true)
    expect(await file.read(room as never, 0)).toBe(10)
  })

  test('at any position as far as there are bytes, 0 behind the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1100), fc.nat(300), async (position, length) => {
        const target = Buffer.alloc(length)
        const expected = bytes.subarray(position, position + length)
        expect(await file.read(target, position)).toBe(expected.length)
        expect(target.subarray(0, expected.length).equals(expected)).toBe(true)
      }),
    )
    expect(await file.read(Buffer.alloc(1), Number.MAX_SAFE_INTEGER)).toBe(0)
  })

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses position %s', async (at) => {
    await expect(file.read(Buffer.alloc(1), at)).rejects.toEqual(ARG_RANGE)
    expect(() => file.readSync(Buffer.alloc(1), at)).toThrow(ARG_RANGE)
    expect(() => file.createReadStream({ start: at })).toThrow(ARG_RANGE)
    if (at !== Number.POSITIVE_INFINITY) expect(() => file.createReadStream({ end: at })).toThrow(ARG_RANGE)
  })

  test('refuses wrong positions and targets', async () => {
    for (const at of ['0', null, undefined, 0n]) {
      await expect(file.read(Buffer.alloc(1), at as never)).rejects.toEqual(ARG_TYPE)
    }
    for (const target of ['text', null, [], {}]) {
      await expect(file.read(target as never, 0)).rejects.toEqual(ARG_TYPE)
      await expect(file.cursor().readInto(target as never)).rejects.toEqual(ARG_TYPE)
      await expect(file.cursor().write(target as never)).rejects.toEqual(ARG_TYPE)
    }
    for (const options of [null, 3, 'x']) {
      expect(() => file.createReadStream(options as never)).toThrow(ARG_TYPE)
    }
    expect(() => file.createReadStream({ start: 5, end: 4 })).toThrow(ARG_RANGE)
  })

  test('createReadStream() from start to end, inclusive as in fs', async () => {
    const edge = fc.nat(1100)
    await fc.assert(
      fc.asyncProperty(edge, edge, fc.boolean(), async (a, b, follow) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)]
        const read = await buffer(file.createReadStream({ start, end, follow }))
        expect(read.equals(bytes.subarray(start, end + 1))).toBe(true)
      }),
      { numRuns: 40 },
    )
    expect((await buffer(file.createReadStream({ start: 990 }))).equals(bytes.subarray(990))).toBe(true)
  })

  test.each([false, true])(
    "createReadStream() takes fs's encoding, signal and end, { follow: %s }",
    async (follow) => {
      const all = await buffer(file.createReadStream({ start: 3, end: Number.POSITIVE_INFINITY, follow }))
      expect(all.equals(bytes.subarray(3))).toBe(true)
      const texts: unknown[] = []
      for await (const piece of file.createReadStream({ encoding: 'base64', highWaterMark: 100, follow })) {
        texts.push(piece)
      }
      expect(texts.every((piece) => typeof piece === 'string')).toBe(true)
      expect(texts.join('')).toBe(bytes.toString('base64'))

      const controller = new AbortController()
      const stream = file.createReadStream({ signal: controller.signal, highWaterMark: 1, follow })
      const failure = (async () => {
        for await (const _ of stream) controller.abort()
      })().catch((error) => error)
      expect(await failure).toMatchObject({ name: 'AbortError' })
      expect(stream.destroyed).toBe(true)
      expect(() => file.createReadStream({ encoding: 'latin9' as never })).toThrow(ARG_TYPE)
      expect(() => file.createReadStream({ signal: 'now' as never })).toThrow(ARG_TYPE)
    },
  )

  test('synchronous reads, changes and views throw where the storage cannot do them', async () => {
    const refusal = expect.objectContaining({ code: 'ERR_WAVESPOOL_STORAGE' })
    if (storage.hasSync) expect(file.readSync(Buffer.alloc(4), 0)).toBe(4)
    else expect(() => file.readSync(Buffer.alloc(4), 0)).toThrow(refusal)
    if (!storage.hasView) expect(() => file.view()).toThrow(refusal)
    if (storage.hasSync) return
    expect(() => file.cursor().writeSync(Buffer.alloc(4))).toThrow(refusal)
    expect(() => file.cursor().truncateSync(4)).toThrow(refusal)
  })

  test('a snapshot does not change as the recording grows', async () => {
    const growing = new VirtualFile({ storage: storage.make() })
    await write(growing, bytes.subarray(0, 100))
    const stream = growing.createReadStream()
    const whole = await growing.toFile()
    await write(growing, bytes.subarray(100))
    expect((await buffer(stream)).equals(bytes.subarray(0, 100))).toBe(true)
    expect(whole.size).toBe(100)
    await finish(growing)
    await growing.dispose()
  })
})

test('toBuffer() of a recording that is too long fails, and names createReadStream()', async () => {
  class Endless extends PlainStorage {
    override get size(): number {
      return 2 ** 50
    }
  }
  const file = new VirtualFile({ storage: new Endless() })
  const refusal = expect.objectContaining({
    code: 'ERR_WAVESPOOL_FULL',
    message: expect.stringContaining('createReadStream()'),
  })
  await expect(file.toBuffer()).rejects.toEqual(refusal)
})

describe('a VirtualFile is not', () => {
  const NOT_A_STRING = expect.objectContaining({ code: 'ERR_WAVESPOOL_NOT_A_STRING' })

  test('a string, a Blob', () => {
    const file = new VirtualFile()
    expect(() => String(file)).toThrow(NOT_A_STRING)
    expect(() => `${file}`).toThrow('toFile()')
    expect(() => new FormData().append('file', file as never)).toThrow(NOT_A_STRING)
    expect(inspect(file)).toBe('VirtualFile { name: "audio.wav", type: "audio/wav", size: 0 }')
  })

  test.each(['', '.', '..', 'a/b.wav', '/a.wav', '..\\a.wav', 'a\0.wav', 'ä'.repeat(128)])(
    'a file of the name %j',
    (name) => {
      expect(() => new VirtualFile({ name })).toThrow(ARG_RANGE)
    },
  )

  test.each<[unknown, unknown]>([
    [null, ARG_TYPE],
    [{ name: 4 }, ARG_TYPE],
    [{ type: 4 }, ARG_TYPE],
    [{ maxBytes: '4' }, ARG_TYPE],
    [{ maxBytes: 0 }, ARG_RANGE],
    [{ maxBytes: -1 }, ARG_RANGE],
    [{ maxBytes: 1.5 }, ARG_RANGE],
    [{ maxBytes: Number.NaN }, ARG_RANGE],
    [{ storage: 'disk' }, ARG_TYPE],
    [{ storage: null }, ARG_TYPE],
    [{ storage: { size: 0, append() {} } }, ARG_TYPE],
  ])('made with %o', (options, error) => {
    expect(() => new VirtualFile(options as VirtualFileOptions)).toThrow(error as Error)
  })

  test.each([
    ['a.mp3', 'audio/mpeg'],
    ['a.tar.FLAC', 'audio/flac'],
    ['wav', 'application/octet-stream'],
    ['a.unknown', 'application/octet-stream'],
    ['a.constructor', 'application/octet-stream'],
  ])('%s is of the type %s', (name, type) => {
    expect(new VirtualFile({ name }).type).toBe(type)
    expect(new VirtualFile({ name, type: 'x/y' }).type).toBe('x/y')
  })
})
