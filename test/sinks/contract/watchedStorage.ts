import { setImmediate as turn } from 'node:timers/promises'
import type { VirtualFileStorage } from '../../../src/index.ts'

/** The verbs of a storage, with the optional ones. */
export type Verb =
  | 'open'
  | 'onWavHeader'
  | 'append'
  | 'refreshHeader'
  | 'write'
  | 'truncate'
  | 'finish'
  | 'read'
  | 'readSync'
  | 'dispose'

export type Fault = 'throws' | 'rejects'

/** The verbs that the VirtualFile must call one at a time. */
const changing = new Set<Verb>(['open', 'append', 'write', 'truncate', 'finish', 'dispose'])

export interface WatchedOptions {
  /** turns of the event loop that a verb takes (default: none, the storage is synchronous) */
  turns?: number
  /** verbs that fail, and how */
  faults?: Partial<Record<Verb, Fault>>
}

/** A storage of the user's own with every optional verb. It notes each call that breaks the protocol of storages. */
export class WatchedStorage implements VirtualFileStorage {
  readonly asked: Verb[] = []
  readonly violations: string[] = []
  readonly faults: Partial<Record<Verb, Fault>>
  readonly isSynchronous: boolean
  readonly readSync?: (target: Uint8Array, position: number) => number
  bytes = Buffer.alloc(0)
  readonly #turns: number
  #underWay: Verb | undefined
  #isOpen = false
  #isDisposed = false

  constructor({ turns = 0, faults = {} }: WatchedOptions = {}) {
    this.#turns = turns
    this.isSynchronous = turns === 0
    this.faults = { ...faults }
    if (turns === 0) this.readSync = (target, position) => this.#read('readSync', target, position) as number
  }

  get size(): number {
    return this.bytes.length
  }

  get #isAsynchronous(): boolean {
    return this.#turns > 0
  }

  #ask(verb: Verb): void {
    const complain = (why: string) => this.violations.push(`${verb}: ${why} (${this.asked.join(' ')})`)
    if (this.#isDisposed) complain('called after dispose')
    if (verb === 'open' && this.asked.length > 0) complain('not the first call')
    if (verb === 'finish' && this.asked.includes('finish')) complain('called twice')
    if (verb !== 'open' && verb !== 'dispose' && !this.#isOpen)
      complain('called on a storage that is not open')
    if (this.#underWay && verb !== 'read' && verb !== 'readSync') {
      complain(`called while ${this.#underWay} is under way`)
    }
    this.asked.push(verb)
    if (verb === 'dispose') this.#isDisposed = true
  }

  /** Does the work of a verb, or fails as it was told to. */
  #perform<T>(verb: Verb, work: () => T): T | Promise<T> {
    this.#ask(verb)
    const fault = this.faults[verb]
    if (fault === 'throws') throw new Error(`${verb} refused`)
    if (fault !== 'rejects' && verb !== 'open' && !this.#isAsynchronous) return work()
    return this.#later(verb, fault, work)
  }

  async #later<T>(verb: Verb, fault: Fault | undefined, work: () => T): Promise<T> {
    if (changing.has(verb)) this.#underWay = verb
    try {
      for (let i = 0; i < Math.max(1, this.#turns); i++) await turn()
      if (fault) throw new Error(`${verb} refused`)
      return work()
    } finally {
      if (changing.has(verb)) this.#underWay = undefined
    }
  }

  async open(): Promise<void> {
    await this.#perform('open', () => {
      this.#isOpen = true
    })
  }

  onWavHeader(): void {
    this.#perform('onWavHeader', () => {})
  }

  refreshHeader(): void {
    this.#perform('refreshHeader', () => {})
  }

  append(chunks: readonly Uint8Array[]): void | Promise<void> {
    const bytes = Buffer.concat(chunks)
    return this.#perform('append', () => {
      this.bytes = Buffer.concat([this.bytes, bytes])
    })
  }

  write(bytes: Uint8Array, position: number): void | Promise<void> {
    const copy = Buffer.from(bytes)
    if (position + bytes.length > this.size) this.violations.push(`write: behind the end, at ${position}`)
    return this.#perform('write', () => {
      this.bytes.set(copy, position)
    })
  }

  truncate(size: number): void | Promise<void> {
    if (size > this.size) this.violations.push(`truncate: to ${size} of ${this.size}`)
    return this.#perform('truncate', () => {
      this.bytes = Buffer.from(this.bytes.subarray(0, size))
    })
  }

  read(target: Uint8Array, position: number): number | Promise<number> {
    return this.#read('read', target, position)
  }

  #read(verb: 'read' | 'readSync', target: Uint8Array, position: number): number | Promise<number> {
    return this.#perform(verb, () => this.bytes.copy(target, 0, position))
  }

  finish(): void | Promise<void> {
    return this.#perform('finish', () => {})
  }

  dispose(): void | Promise<void> {
    return this.#perform('dispose', () => {
      this.bytes = Buffer.alloc(0)
    })
  }
}
