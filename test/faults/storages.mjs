import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'

/** @typedef {import('wavespool').VirtualFileOptions['storage']} Storage */
/** @typedef {{ storage: NonNullable<Storage>, path?: string, directory?: string, own?: OwnStorage, isShared: boolean, hasSync: boolean, hasSyncWrite?: boolean, overwrites?: boolean }} Made */

let places = 0

/** @param {string} folder */
const newPlace = (folder) => mkdtempSync(join(folder, `${places++}-`))

/** Every storage, by its name: `after` is the threshold of a spill. */
/** @type {Record<string, (folder: string, random: import('./random.mjs').Random) => Made>} */
export const storages = {
  memory: () => ({ storage: 'memory', isShared: true, hasSync: true, hasSyncWrite: true }),
  spill: (folder, random) => {
    const directory = newPlace(folder)
    const after = 1 + random.size(20_000)
    return { storage: { spill: { after, directory } }, directory, isShared: true, hasSync: true }
  },
  path: (folder, random) => {
    const directory = newPlace(folder)
    const path = join(directory, 'a.wav')
    const fsync = random.oneOf(20)
    return { storage: { path, fsync }, path, directory, isShared: true, hasSync: true }
  },
  overwrite: (folder) => {
    const directory = newPlace(folder)
    const path = join(directory, 'a.wav')
    writeFileSync(path, 'what was there before')
    return {
      storage: { path, overwrite: true },
      path,
      directory,
      isShared: true,
      hasSync: true,
      overwrites: true,
    }
  },
  own: () => {
    const own = new OwnStorage(0)
    return { storage: /** @type {any} */ (own), own, isShared: false, hasSync: true, hasSyncWrite: true }
  },
  'own, asynchronous': (_folder, random) => {
    const own = new OwnStorage(1 + random.below(3))
    return { storage: /** @type {any} */ (own), own, isShared: false, hasSync: false }
  },
}

/** The changes that a VirtualFile must ask for one at a time. */
const changing = ['append', 'write', 'truncate', 'finish', 'dispose']

/** A storage of a user: it keeps its bytes in a Buffer, notes calls that overlap, and fails when it is told to. */
export class OwnStorage {
  /** with room behind the `size` bytes that are there */
  #bytes = Buffer.alloc(0)
  size = 0
  /** @type {string[]} */
  violations = []
  /** appends that go well before one fails */
  appendsLeft = Number.POSITIVE_INFINITY
  isSynchronous
  /** @type {((target: Uint8Array, position: number) => number) | undefined} */
  readSync
  #turns
  #underWay = ''
  #isDisposed = false

  /** @param {number} turns that each verb takes */
  constructor(turns) {
    this.#turns = turns
    this.isSynchronous = turns === 0
    if (turns === 0) this.readSync = (target, position) => this.#copy(target, position)
  }

  /** @param {Uint8Array} target @param {number} position */
  #copy(target, position) {
    return this.#bytes.copy(target, 0, position, this.size)
  }

  /** @param {Uint8Array} bytes @param {number} position */
  #put(bytes, position) {
    const size = Math.max(this.size, position + bytes.length)
    if (size > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], size * 2)
    this.#bytes.set(bytes, position)
    this.size = size
  }

  /** @template T @param {string} verb @param {() => T} work @returns {any} */
  #perform(verb, work) {
    if (this.#isDisposed) this.violations.push(`${verb} after dispose`)
    if (this.#underWay && changing.includes(verb)) this.violations.push(`${verb} within ${this.#underWay}`)
    if (verb === 'dispose') this.#isDisposed = true
    if (this.#turns === 0) return work()
    return this.#later(verb, work)
  }

  /** @template T @param {string} verb @param {() => T} work */
  async #later(verb, work) {
    if (changing.includes(verb)) this.#underWay = verb
    for (let i = 0; i < this.#turns; i++) await turn()
    if (changing.includes(verb)) this.#underWay = ''
    return work()
  }

  /** @param {readonly Uint8Array[]} chunks */
  append(chunks) {
    const bytes = Buffer.concat(chunks)
    return this.#perform('append', () => {
      if (this.appendsLeft-- <= 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
      this.#put(bytes, this.size)
    })
  }

  /** @param {Uint8Array} target @param {number} position */
  read(target, position) {
    return this.#perform('read', () => this.#copy(target, position))
  }

  /** @param {Uint8Array} bytes @param {number} position */
  write(bytes, position) {
    const copy = Buffer.from(bytes)
    return this.#perform('write', () => this.#put(copy, position))
  }

  /** @param {number} size */
  truncate(size) {
    return this.#perform('truncate', () => {
      this.size = size
    })
  }

  finish() {
    return this.#perform('finish', () => {})
  }

  dispose() {
    return this.#perform('dispose', () => {
      this.#bytes = Buffer.alloc(0)
      this.size = 0
    })
  }
}
