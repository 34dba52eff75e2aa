import type { Extent, ExtentFile } from './extents.ts'
import type { BuiltInStorage, VirtualFileStorage } from './storage.ts'

/** A storage of the user's own as the one reader sees it: a file that is as long as the recording. */
export class OwnStorage implements BuiltInStorage {
  readonly epoch = 0
  readonly #own: VirtualFileStorage
  readonly #file: ExtentFile
  readonly open?: () => void | Promise<void>
  size = 0

  constructor(own: VirtualFileStorage) {
    this.#own = own
    if (own.open) this.open = () => this.#measured(() => own.open!())
    else this.#measure()
    this.#file = {
      read: (target, position) => own.read(target, position),
      ...(own.readSync && { readSync: (target, position) => own.readSync!(target, position) }),
    }
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
    const size = chunks.reduce((total, { length }) => total + length, this.size)
    return this.#measured(() => this.#own.append(chunks), size)
  }

  write(bytes: Uint8Array, position: number): void | Promise<void> {
    return this.#measured(() => this.#own.write(bytes, position), this.size)
  }

  truncate(size: number): void | Promise<void> {
    return this.#measured(() => this.#own.truncate(size), size)
  }

  /** Runs a verb and takes the size from it, after an error too; an impossible size is an error of its own. */
  #measured(verb: () => unknown, expected?: number): void | Promise<void> {
    let result: void | Promise<void>
    try {
      result = promiseOf(verb())
    } catch (error) {
      this.#failed(error)
    }
    if (result)
      return result.then(
        () => this.#measure(expected),
        (error) => this.#failed(error),
      )
    this.#measure(expected)
  }

  #failed(error: unknown): never {
    try {
      this.#measure()
    } catch {
      // the first error is the one to report
    }
    throw error
  }

  #measure(expected?: number): void {
    const { size } = this.#own
    const isSize = Number.isSafeInteger(size) && size >= 0
    if (!isSize) throw new Error(`it says that it has ${size} bytes`)
    if (expected === undefined || size <= expected) this.size = size
    if (expected !== undefined && size !== expected) {
      throw new Error(`it says that it has ${size} bytes, and not the ${expected} that it was given`)
    }
  }

  refreshHeader(bytes: Uint8Array): void {
    this.#own.refreshHeader?.(bytes)
  }

  onWavHeader(dataStart: number, headerAt: (size: number) => Uint8Array): void {
    this.#own.onWavHeader?.(dataStart, headerAt)
  }

  finish(failure?: Error): void | Promise<void> {
    return this.#own.finish?.(failure)
  }

  dispose(): void | Promise<void> {
    this.size = 0 // nothing is read from now on
    return this.#own.dispose()
  }
}

/** The result of a verb as the queue takes it: nothing, or a native promise. */
function promiseOf(result: unknown): void | Promise<void> {
  if (typeof (result as PromiseLike<void> | undefined)?.then !== 'function') return undefined
  return Promise.resolve(result as PromiseLike<void>)
}
