import { ArgumentRangeError, ArgumentTypeError, show } from '../../errors.ts'
import { bytesOf, checkPosition } from '../arguments.ts'

/** What a cursor moves over. */
export interface CursorTarget {
  readonly size: number
  readAt(target: Uint8Array, position: number): number | Promise<number>
  readAtSync(target: Uint8Array, position: number): number
  /** overwrites and appends; a gap in front of `position` is filled with zeros */
  overwrite(bytes: Uint8Array, position: number): void | Promise<void>
  cutOff(size: number): void | Promise<void>
  /** @throws where bytes cannot be changed at once */
  requireSyncChange(): void
}

export type SeekOrigin = 'start' | 'current' | 'end'

/** The pieces in which a cursor is iterated over. */
const PIECE = 65_536

/**
 * A position of its own in a VirtualFile, with the semantics of Python's `io.BytesIO`: it reads what is there at the
 * time, may stand behind the end, and its `write` and `truncate` change the file once the recording has ended.
 */
export class Cursor implements AsyncIterable<Buffer>, Disposable, AsyncDisposable {
  readonly #target: CursorTarget
  #position = 0

  constructor(target: CursorTarget) {
    this.#target = target
  }

  /** The position, in bytes from the start. */
  tell(): number {
    return this.#position
  }

  /**
   * Moves the position, also behind the end; a relative move in front of the start stops there.
   *
   * @returns the new position
   * @throws {ArgumentRangeError} for a negative or fractional position
   */
  seek(offset: number, origin: SeekOrigin = 'start'): number {
    if (typeof offset !== 'number')
      throw new ArgumentTypeError(`offset must be a number, got ${show(offset)}`)
    if (!Number.isSafeInteger(offset) || (origin === 'start' && offset < 0)) {
      throw new ArgumentRangeError(`offset from ${origin} must be a whole number, got ${offset}`)
    }
    const bases = { start: 0, current: this.#position, end: this.#target.size }
    if (!Object.hasOwn(bases, origin)) {
      throw new ArgumentTypeError(`origin must be 'start', 'current' or 'end', got ${show(origin)}`)
    }
    const position = Math.max(0, bases[origin] + offset)
    checkPosition(position, 'the new position')
    this.#position = position
    return position
  }

  /** Reads up to `count` bytes, or all up to the end; an empty Buffer at the end. */
  async read(count?: number): Promise<Buffer> {
    const buffer = this.#room(count)
    return buffer.subarray(0, await this.#readInto(buffer))
  }

  readSync(count?: number): Buffer {
    const buffer = this.#room(count)
    const done = this.#target.readAtSync(buffer, this.#position)
    this.#position += done
    return buffer.subarray(0, done)
  }

  /** Fills the target as far as there are bytes; returns how many. */
  async readInto(target: NodeJS.ArrayBufferView): Promise<number> {
    return this.#readInto(bytesOf(target, 'readInto()'))
  }

  /** Moves on before it waits, so that a read which is called meanwhile goes on behind this one. */
  async #readInto(target: Uint8Array): Promise<number> {
    const position = this.#position
    const there = Math.max(0, Math.min(target.length, this.#target.size - position))
    this.#position += there
    try {
      return await this.#target.readAt(target.subarray(0, there), position)
    } catch (error) {
      this.#position = position
      throw error
    }
  }

  readIntoSync(target: NodeJS.ArrayBufferView): number {
    const done = this.#target.readAtSync(bytesOf(target, 'readIntoSync()'), this.#position)
    this.#position += done
    return done
  }

  /** Writes over what is there and beyond the end; returns how many bytes. */
  async write(bytes: NodeJS.ArrayBufferView): Promise<number> {
    const source = bytesOf(bytes, 'write()')
    const position = this.#position
    this.#position += source.length
    try {
      await this.#target.overwrite(source, position)
    } catch (error) {
      this.#position = position
      throw error
    }
    return source.length
  }

  writeSync(bytes: NodeJS.ArrayBufferView): number {
    const source = bytesOf(bytes, 'writeSync()')
    this.#target.requireSyncChange()
    this.#target.overwrite(source, this.#position)
    this.#position += source.length
    return source.length
  }

  /** Cuts the file off at `size`, or at the position, which does not move. Never makes it longer. */
  async truncate(size = this.#position): Promise<number> {
    checkPosition(size, 'size')
    await this.#target.cutOff(size)
    return size
  }

  truncateSync(size = this.#position): number {
    checkPosition(size, 'size')
    this.#target.requireSyncChange()
    this.#target.cutOff(size)
    return size
  }

  /** What is there from the position on, in pieces, to the end of this moment. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const piece = await this.read(PIECE)
      if (piece.length === 0) return
      yield piece
    }
  }

  /** A cursor holds nothing that must be given back; this lets it stand in `using` and `await using`. */
  [Symbol.dispose](): void {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #room(count?: number): Buffer {
    if (count !== undefined) checkPosition(count, 'count')
    const there = Math.max(0, this.#target.size - this.#position)
    return Buffer.allocUnsafeSlow(Math.min(count ?? there, there))
  }
}
