import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, expect } from 'vitest'
import type { ReadableFile, VirtualFileOptions, VirtualFileStorage } from '../../src/index.ts'

/** One storage that all suites in this directory are run over. */
export interface StorageUnderTest {
  label: string
  /** one for each file */
  make(): NonNullable<VirtualFileOptions['storage']>
  hasSync: boolean
  /** a cursor can change it at once */
  hasSyncWrite: boolean
  hasView: boolean
  /** other threads can be let in */
  isShared: boolean
}

/** A new storage joins every suite by one line here. */
export const storages: StorageUnderTest[] = [
  { label: 'memory', make: () => 'memory', hasSync: true, hasSyncWrite: true, hasView: true, isShared: true },
  { label: 'spill', make: () => 'spill', hasSync: true, hasSyncWrite: true, hasView: true, isShared: true },
  {
    label: 'spilled early',
    make: () => ({ spill: { after: 100, directory: newPlace() } }),
    hasSync: true,
    hasSyncWrite: false,
    hasView: false,
    isShared: true,
  },
  {
    label: 'path',
    make: () => ({ path: newPath() }),
    hasSync: true,
    hasSyncWrite: false,
    hasView: false,
    isShared: true,
  },
  {
    label: 'path, over a file that is there',
    make: () => ({ path: takenPath(), overwrite: true }),
    hasSync: true,
    hasSyncWrite: false,
    hasView: false,
    isShared: true,
  },
  {
    label: 'own, synchronous',
    make: () => new PlainStorage(),
    hasSync: true,
    hasSyncWrite: true,
    hasView: false,
    isShared: false,
  },
  {
    label: 'own, asynchronous',
    make: () => new AsyncStorage(),
    hasSync: false,
    hasSyncWrite: false,
    hasView: false,
    isShared: false,
  },
]

const directory = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
let places = 0

/** A directory in which nothing else lies. */
function newPlace(): string {
  places += 1
  const place = join(directory, String(places))
  mkdirSync(place)
  return place
}

function newPath(): string {
  return join(newPlace(), 'a.wav')
}

/** The path that a storage under test records into, and the directory that is its alone: both where it has one. */
export function placeOf(storage: VirtualFileOptions['storage']): {
  path?: string
  directory?: string | undefined
} {
  if (typeof storage !== 'object') return {}
  if ('path' in storage) return { path: storage.path, directory: dirname(storage.path) }
  return 'spill' in storage ? { directory: storage.spill.directory } : {}
}

function takenPath(): string {
  const path = newPath()
  writeFileSync(path, 'what was there before, '.repeat(100))
  return path
}

/** The smallest storage of a user: the required verbs over a Buffer, with checks of their arguments. */
export class PlainStorage implements VirtualFileStorage {
  readonly isSynchronous = true
  protected bytes = Buffer.alloc(0)

  get size(): number {
    return this.bytes.length
  }

  append(chunks: readonly Uint8Array[]): void {
    this.bytes = Buffer.concat([this.bytes, ...chunks])
  }

  read(target: Uint8Array, position: number): number {
    expect(position).toBeLessThan(this.size)
    expect(target.length).toBeGreaterThan(0)
    return this.bytes.copy(target, 0, position)
  }

  readSync(target: Uint8Array, position: number): number {
    return this.read(target, position)
  }

  write(bytes: Uint8Array, position: number): void {
    expect(position + bytes.length).toBeLessThanOrEqual(this.size)
    this.bytes.set(bytes, position)
  }

  truncate(size: number): void {
    expect(size).toBeLessThan(this.size)
    this.bytes = Buffer.from(this.bytes.subarray(0, size))
  }

  dispose(): void {
    this.bytes = Buffer.alloc(0)
  }
}

/** The same behind promises that take their time, and no two changes at once. */
export class AsyncStorage implements VirtualFileStorage {
  readonly #plain = new PlainStorage()
  #changing = false

  get size(): number {
    return this.#plain.size
  }

  async #change(verb: () => void): Promise<void> {
    expect(this.#changing).toBe(false)
    this.#changing = true
    await new Promise(setImmediate)
    this.#changing = false
    verb()
  }

  append(chunks: readonly Uint8Array[]): Promise<void> {
    return this.#change(() => this.#plain.append(chunks))
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    await Promise.resolve()
    return this.#plain.read(target, position)
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    const copy = Uint8Array.from(bytes)
    return this.#change(() => this.#plain.write(copy, position))
  }

  truncate(size: number): Promise<void> {
    return this.#change(() => this.#plain.truncate(size))
  }

  async dispose(): Promise<void> {
    this.#plain.dispose()
  }
}

/** A storage that keeps its promises for `room` bytes, then fails at every further append, in the middle of it. */
export class FailingStorage extends PlainStorage {
  readonly #room: number

  constructor(room: number) {
    super()
    this.#room = room
  }

  override append(chunks: readonly Uint8Array[]): void {
    const bytes = Buffer.concat(chunks)
    const fits = bytes.subarray(0, Math.max(0, this.#room - this.size))
    super.append([fits])
    if (fits.length < bytes.length) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  }
}

/** Writes one chunk and waits until it has arrived. */
export function write(file: Writable, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    file.write(chunk, (error) => (error ? reject(error) : resolve()))
  })
}

/** Ends the writing and waits until the file is finished. */
export async function finish(file: Writable): Promise<void> {
  file.end()
  await once(file, 'finish')
}

/** Waits for 'close', also behind an 'error'. */
export async function closed(file: Writable): Promise<void> {
  if (!file.closed) await new Promise<void>((resolve) => file.once('close', resolve))
}

/** The file as every kind of reader gets it at this moment; they must not differ. */
export async function everyReading(file: ReadableFile): Promise<Buffer> {
  const bytes = await file.toBuffer()
  const whole = Buffer.from(await (await file.toFile()).arrayBuffer())
  expect(whole.equals(bytes), 'toFile()').toBe(true)
  expect((await buffer(file.createReadStream())).equals(bytes), 'createReadStream()').toBe(true)
  expect((await file.withPath((path) => readFile(path))).equals(bytes), 'withPath()').toBe(true)
  return bytes
}

/** The `size` bytes as `read()` has them, which must be those of `readSync()`, a cursor and `view()`. */
export async function rawReading(
  file: ReadableFile,
  { hasSync, hasView }: StorageUnderTest,
): Promise<Buffer> {
  const bytes = Buffer.alloc(file.size)
  expect(await file.read(Buffer.alloc(0), 0)).toBe(0)
  expect(await file.read(bytes, 0)).toBe(file.size)
  expect((await file.cursor().read()).equals(bytes), 'cursor()').toBe(true)
  if (hasSync) {
    const sync = Buffer.alloc(file.size + 1)
    expect(file.readSync(sync, 0)).toBe(file.size)
    expect(sync.subarray(0, -1).equals(bytes), 'readSync()').toBe(true)
  }
  if (hasView) expect(Buffer.from(file.view()).equals(bytes), 'view()').toBe(true)
  return bytes
}
