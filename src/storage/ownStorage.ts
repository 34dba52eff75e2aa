import type { Extent, ExtentFile } from './extents.ts'
import type { BuiltInStorage, VirtualFileStorage } from './storage.ts'

/** A storage of the user's own as the one reader sees it: a file that is as long as the recording. */
export class OwnStorage implements BuiltInStorage {
  readonly epoch = 0
  readonly #own: VirtualFileStorage
  readonly #file: ExtentFile
  readonly open?: () => void | Promise<void>

  constructor(own: VirtualFileStorage) {
    this.#own = own
    if (own.open) this.open = () => own.open!()
    this.#file = {
      read: (target, position) => own.read(target, position),
      ...(own.readSync && { readSync: (target, position) => own.readSync!(target, position) }),
    }
  }

  get size(): number {
    return this.#own.size
  }

  get memoryBytes(): number {
    return this.#own.isSynchronous === true ? Number.POSITIVE_INFINITY : 0
  }

  get canReadSync(): boolean {
    return this.#own.readSync !== undefined
  }

  extentAt(position: number, end: number): Extent {
    return { file: this.#file, offset: position, length: end - position }
  }

  append(chunks: readonly Uint8Array[]): void | Promise<void> {
    return promiseOf(this.#own.append(chunks))
  }

  write(bytes: Uint8Array, position: number): void | Promise<void> {
    return promiseOf(this.#own.write(bytes, position))
  }

  truncate(size: number): void | Promise<void> {
    return promiseOf(this.#own.truncate(size))
  }

  header(bytes: Uint8Array): void {
    this.#own.header?.(bytes)
  }

  startWav(dataStart: number, headerAt: (size: number) => Uint8Array): void {
    this.#own.startWav?.(dataStart, headerAt)
  }

  finish(failure?: Error): void | Promise<void> {
    return this.#own.finish?.(failure)
  }

  dispose(): void | Promise<void> {
    return this.#own.dispose()
  }
}

/** What a verb returned, as the queue knows it: nothing, or a promise of Node's. */
function promiseOf(result: unknown): void | Promise<void> {
  if (typeof (result as PromiseLike<void> | undefined)?.then !== 'function') return undefined
  return Promise.resolve(result as PromiseLike<void>)
}
