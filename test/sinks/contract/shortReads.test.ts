import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pcmFormat, VirtualFile, type VirtualFileOptions, wavHeader } from '../../../src/index.ts'
import { ramp } from '../../../src/testing/index.ts'
import { PlainStorage, write } from '../storageContract.ts'
import { writers } from '../writers.ts'
import { errorOf, expectCode, settles } from './outcomes.ts'
import { ways } from './ways.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let places = 0

const format = pcmFormat()
const SECONDS = 5
const BYTES = 44 + SECONDS * format.bytesPerSecond

async function record(storage: VirtualFileOptions['storage']): Promise<VirtualFile> {
  const file = new VirtualFile({ name: 'a.wav', ...(storage && { storage }) })
  await pipeline(ramp(format, { duration: { seconds: SECONDS } }), wavHeader(format), file)
  expect(file.size).toBe(BYTES)
  return file
}

/** Every way of reading says that bytes are missing. The Blob of a file on a disk is read by Node, with its own error. */
async function expectShort(file: VirtualFile, except: string[] = []): Promise<void> {
  for (const [way, read] of Object.entries(ways)) {
    if (except.includes(way)) continue
    const error = await errorOf(() => read(file))
    if (way === 'toFile()' && (error as Error | undefined)?.name === 'NotReadableError') continue
    expectCode(error, 'ERR_WAVESPOOL_STORAGE', way)
  }
}

/** Cuts every file below a directory that is longer than `size`, and says how many there were. */
function cutAll(directory: string, size: number): number {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile() && statSync(path).size > size)
  for (const path of files) truncateSync(path, size)
  return files.length
}

function newPlace(): string {
  places += 1
  return mkdtempSync(join(folder, `place-${places}-`))
}

describe('a file that is shorter than the recording', () => {
  const size = 44 + format.bytesPerSecond

  test.each([
    ['a path', {}],
    ['a path, over a file that is there', { overwrite: true }],
  ])('%s', async (_label, options) => {
    const path = join(newPlace(), 'a.wav')
    const file = await record({ path, ...options })
    truncateSync(path, size)
    await expectShort(file)
    // the remaining bytes can still be read
    const target = Buffer.alloc(1000)
    expect(await file.read(target, 0)).toBe(1000)
    expect((await buffer(file.createReadStream({ end: size - 1 }))).length).toBe(size)
    await file.dispose()
  })

  test('a path, read in the same thread by an attached file', async () => {
    const path = join(newPlace(), 'a.wav')
    const file = await record({ path })
    const attached = VirtualFile.attach(file.share())
    truncateSync(path, size)
    await expectShort(attached as unknown as VirtualFile)
    await attached.dispose()
    await file.dispose()
  })

  test('a part file of a spill', async () => {
    const directory = newPlace()
    const file = await record({ spill: { after: 100_000, directory } })
    expect(cutAll(directory, 50_000)).toBe(1)
    await expectShort(file)
    await file.dispose()
  })

  test.each(writers)(
    'a path, cut while it is recorded: its followers and a file $label fail',
    async ({ writerOf }) => {
      const path = join(newPlace(), 'a.wav')
      const file = new VirtualFile({ storage: { path } })
      const writer = writerOf(file)
      const failed = new Promise<Error>((resolve) => writer.once('error', resolve))
      const header = wavHeader(format)
      header.pipe(writer)
      header.write(Buffer.alloc(160_000, 1))
      while (file.size < 160_044) await sleep(5)
      truncateSync(path, 1000)
      const follower = errorOf(() => buffer(file.createReadStream({ follow: true })))
      expectCode(await errorOf(() => file.toBuffer()), 'ERR_WAVESPOOL_STORAGE', 'toBuffer()')
      header.end(Buffer.alloc(1000, 2))
      expectCode(await settles(failed, 'the recording'), 'ERR_WAVESPOOL_STORAGE', 'the recording')
      expectCode(await follower, 'ERR_WAVESPOOL_STORAGE', 'a follower')
      await file.dispose()
    },
  )

  test.each(writers)(
    'a path, cut to nothing, which only the end of the recording notices: a file $label',
    async ({ writerOf }) => {
      const path = join(newPlace(), 'a.wav')
      const file = new VirtualFile({ storage: { path } })
      const writer = writerOf(file)
      const failed = new Promise<Error>((resolve) => writer.once('error', resolve))
      await write(writer, Buffer.alloc(5000, 1))
      truncateSync(path, 0)
      writer.end()
      expectCode(await settles(failed, 'the recording'), 'ERR_WAVESPOOL_STORAGE', 'the recording')
      await file.dispose()
    },
  )
})

/** The answers of a storage to a read, in place of `count`, the bytes that it has. */
const answers: [string, (count: number, target: Uint8Array) => unknown][] = [
  ['nothing', () => 0],
  ['half of it', (count, target) => (target.length > 1000 ? Math.floor(count / 2) : count)],
]

/** A storage of the user that keeps all bytes, but cannot read them after the header. */
class Forgetful extends PlainStorage {
  isBroken = false
  readonly #answer: (count: number, target: Uint8Array) => unknown

  constructor(answer: (count: number, target: Uint8Array) => unknown) {
    super()
    this.#answer = answer
  }

  override read(target: Uint8Array, position: number): number {
    const there = Math.min(target.length, this.size - position)
    const count = this.isBroken ? (this.#answer(there, target) as number) : there
    this.bytes.copy(target.subarray(0, count), 0, position) // the rest of it keeps its old content
    return count
  }
}

/** The same, asynchronous. */
function forgetfulAsync(answer: (count: number, target: Uint8Array) => unknown): Forgetful {
  const storage = new Forgetful(answer)
  const { read } = storage
  return Object.assign(storage, {
    isSynchronous: false,
    readSync: undefined,
    read: async (target: Uint8Array, position: number) => read.call(storage, target, position),
  }) as unknown as Forgetful
}

let whole: VirtualFile
beforeAll(async () => {
  whole = await record('memory')
})
afterAll(() => whole.dispose())

describe.each(answers)('a storage of the user whose read gives %s', (_label, answer) => {
  // a short count may be made up for by another read, and then nothing is missing
  const isHalf = _label === 'half of it'

  test('synchronous', async () => {
    const storage = new Forgetful(answer)
    const file = await record(storage)
    storage.isBroken = true
    if (!isHalf) await expectShort(file)
    else await expectWholeOrShort(file)
    await file.dispose()
  })

  test('asynchronous', async () => {
    const storage = forgetfulAsync(answer)
    const file = await record(storage)
    storage.isBroken = true
    const sync = Object.keys(ways).filter((way) => way.includes('Sync'))
    if (!isHalf) await expectShort(file, sync)
    else await expectWholeOrShort(file, sync)
    await file.dispose()
  })
})

/** Every reading that succeeds gives the recorded bytes, and no old content of its memory. */
async function expectWholeOrShort(file: VirtualFile, except: string[] = []): Promise<void> {
  for (const [way, read] of Object.entries(ways)) {
    if (except.includes(way)) continue
    let bytes: Uint8Array | undefined
    const error = await errorOf(async () => {
      bytes = await read(file)
    })
    if (error) expectCode(error, 'ERR_WAVESPOOL_STORAGE', way)
    else expect(Buffer.compare(bytes!, await read(whole)), way).toBe(0)
  }
}

test.each(['throws', 'rejects'])('a storage of the user whose read %s', async (how) => {
  const storage = new (class extends PlainStorage {
    isBroken = false
    override read(target: Uint8Array, position: number): never | number {
      if (!this.isBroken) return super.read(target, position)
      if (how === 'throws') throw Object.assign(new Error('gone'), { code: 'ENOENT' })
      return Promise.reject(Object.assign(new Error('gone'), { code: 'ENOENT' })) as unknown as number
    }
    override readSync(target: Uint8Array, position: number): number {
      if (this.isBroken) throw Object.assign(new Error('gone'), { code: 'ENOENT' })
      return super.read(target, position)
    }
  })()
  const file = await record(storage)
  await file.cursor().write(Buffer.from('RIFF')) // from now on the header is read anew
  expect(file.format).toEqual(format)
  storage.isBroken = true
  for (const [way, read] of Object.entries(ways)) {
    const error = await errorOf(() => read(file))
    expectCode(error, 'ERR_WAVESPOOL_STORAGE', way)
    expect((error as Error).cause, way).toMatchObject({ code: 'ENOENT' })
  }
  for (const getter of ['format', 'duration'] as const) {
    const error = await errorOf(() => file[getter])
    if (error) expectCode(error, 'ERR_WAVESPOOL_STORAGE', getter)
  }
  await file.dispose()
})

test('a stream of a snapshot fails where bytes are missing, and delivers no wrong ones', async () => {
  const path = join(newPlace(), 'a.wav')
  const file = await record({ path })
  const whole = await file.toBuffer()
  const stream = file.createReadStream({ highWaterMark: 1000 })
  const pieces: Buffer[] = []
  const error = await errorOf(async () => {
    for await (const piece of stream) {
      pieces.push(piece)
      if (pieces.length === 5) truncateSync(path, 20_000)
    }
  })
  expectCode(error, 'ERR_WAVESPOOL_STORAGE', 'createReadStream()')
  const got = Buffer.concat(pieces)
  expect(got.length).toBeLessThanOrEqual(20_000)
  expect(got.equals(whole.subarray(0, got.length))).toBe(true)
  await file.dispose()
})

test('a file that was removed is read and changed by its descriptor, or refused with a typed error', async () => {
  const path = join(newPlace(), 'a.wav')
  const file = await record({ path })
  rmSync(path)
  for (const [way, read] of Object.entries(ways)) {
    let length = -1
    const error = await errorOf(async () => {
      length = (await read(file)).length
    })
    if (error === undefined)
      expect(length, way).toBeGreaterThan(BYTES / 2) // by a descriptor that is still open
    else if ((error as Error).name !== 'NotReadableError') expectCode(error, 'ERR_WAVESPOOL_STORAGE', way)
  }
  const changes = [
    () => file.cursor().write(Buffer.alloc(10)),
    () => file.cursor().writeSync(Buffer.alloc(10)),
    () => file.cursor().truncate(10),
  ]
  for (const change of changes) {
    const error = await errorOf(change)
    if (error) expectCode(error, 'ERR_WAVESPOOL_STORAGE', String(change))
  }
  const error = await errorOf(() => [file.format, file.duration])
  if (error) expectCode(error, 'ERR_WAVESPOOL_STORAGE', 'format')
  await file.dispose()
})
