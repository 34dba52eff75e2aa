import { checkPosition } from '../../arguments.ts'
import { ArgumentRangeError, ArgumentTypeError, show } from '../../errors.ts'
import { bytesOf } from '../../storage/bytes.ts'
import type { RecordingReader } from '../recording/recordingReader.ts'

/** The origin of the offset of a `seek()`: the start, the position of the cursor, or the end. */
export type SeekOrigin = 'start' | 'current' | 'end'

/** The pieces in which a cursor is iterated over. */
const PIECE = 65_536

/**
 * A position of its own in a VirtualFile, with the semantics of Python's `io.BytesIO`: it reads what is there at the
 * time, may stand behind the end, and its `write` and `truncate` change the file once the recording has ended.
 */
export class Cursor implements AsyncIterable<Buffer>, Disposable, AsyncDisposable {
  readonly #recording: RecordingReader
  #position = 0

  constructor(recording: RecordingReader) {
    this.#recording = recording
  }

  /** The position, in bytes from the start. */
  tell(): number {
    return this.#position
  }

  /**
   * Moves the position, also behind the end; a relative move in front of the start stops there.
   *
   * @returns the new position
   * @throws {ArgumentTypeError} for an offset that is no number, and for an unknown origin
   * @throws {ArgumentRangeError} for a negative or fractional position
   */
  seek(offset: number, origin: SeekOrigin = 'start'): number {
    if (typeof offset !== 'number')
      throw new ArgumentTypeError(`offset must be a number, got ${show(offset)}`)
    if (!Number.isSafeInteger(offset) || (origin === 'start' && offset < 0)) {
      throw new ArgumentRangeError(`offset from ${origin} must be a whole number, got ${offset}`)
    }
    const bases = { start: 0, current: this.#position, end: this.#recording.size }
    if (!Object.hasOwn(bases, origin)) {
      throw new ArgumentTypeError(`origin must be 'start', 'current' or 'end', got ${show(origin)}`)
    }
    const position = Math.max(0, bases[origin] + offset)
    checkPosition(position, 'the new position')
    this.#position = position
    return position
  }

  /**
   * Reads up to `count` bytes, or all up to the end; an empty Buffer at the end.
   *
   * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong count
   * @throws {WavespoolError} `ERR_WAVESPOOL_STORAGE` where the bytes cannot be read, or are no longer there;
   * `ERR_WAVESPOOL_DISPOSED` after the file was disposed
   */
  async read(count?: number): Promise<Buffer> {
    const buffer = this.#bufferFor(count)
    const { length } = buffer
    const done = await this.#readInto(buffer)
    return done < length ? Buffer.from(buffer.subarray(0, done)) : buffer // never what was not written
  }

  /**
   * {@link Cursor.read}, which blocks this thread meanwhile.
   *
   * @throws as `read()` does, and with `ERR_WAVESPOOL_STORAGE` where the storage has no synchronous read
   */
  readSync(count?: number): Buffer {
    const buffer = this.#bufferFor(count)
    this.readIntoSync(buffer)
    return buffer
  }

  /**
   * Fills the target as far as there are bytes; returns how many.
   *
   * @throws {ArgumentTypeError} for a wrong target
   * @throws {WavespoolError} as `read()` does
   */
  async readInto(target: NodeJS.ArrayBufferView): Promise<number> {
    return this.#readInto(bytesOf(target, 'readInto()'))
  }

  /** Moves on before it waits, so that a read which is called meanwhile goes on behind this one. */
  async #readInto(target: Uint8Array): Promise<number> {
    const position = this.#position
    const snapshot = this.#recording.snapshot()
    this.#position += Math.max(0, Math.min(target.length, snapshot.size - position))
    try {
      return await snapshot.read(target, position)
    } catch (error) {
      this.#position = position
      throw error
    }
  }

  /** {@link Cursor.readInto}, which blocks this thread meanwhile. @throws as `readInto()` and `readSync()` do */
  readIntoSync(target: NodeJS.ArrayBufferView): number {
    const bytes = bytesOf(target, 'readIntoSync()')
    this.#recording.requireSyncRead()
    const done = this.#recording.snapshot().readSync(bytes, this.#position)
    this.#position += done
    return done
  }

  /**
   * Writes over what is there and beyond the end; returns how many bytes.
   *
   * @throws {ArgumentTypeError} for a wrong argument
   * @throws {WavespoolError} `ERR_WAVESPOOL_RECORDING` before the recording has ended, `ERR_WAVESPOOL_READ_ONLY` in an
   * attached file, `ERR_WAVESPOOL_FULL` beyond `maxBytes`, `ERR_WAVESPOOL_STORAGE` where the storage fails,
   * `ERR_WAVESPOOL_DISPOSED` after the file was disposed
   */
  async write(bytes: NodeJS.ArrayBufferView): Promise<number> {
    const source = bytesOf(bytes, 'write()')
    const position = this.#position
    this.#position += source.length
    try {
      await this.#recording.overwrite(source, position)
    } catch (error) {
      this.#position = position
      throw error
    }
    return source.length
  }

  /**
   * {@link Cursor.write}, which blocks this thread meanwhile.
   *
   * @throws as `write()` does, and with `ERR_WAVESPOOL_STORAGE` where not all bytes up to there lie in memory, or another
   * change is under way
   */
  writeSync(bytes: NodeJS.ArrayBufferView): number {
    const source = bytesOf(bytes, 'writeSync()')
    this.#recording.requireSyncChange(this.#position + source.length)
    this.#recording.overwrite(source, this.#position)
    this.#position += source.length
    return source.length
  }

  /**
   * Cuts the file off at `size`, or at the position, which does not move. Never makes it longer.
   *
   * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong size
   * @throws {WavespoolError} as `write()` does
   */
  async truncate(size = this.#position): Promise<number> {
    checkPosition(size, 'size')
    await this.#recording.truncate(size)
    return size
  }

  /** {@link Cursor.truncate}, which blocks this thread meanwhile. @throws as `truncate()` and `writeSync()` do */
  truncateSync(size = this.#position): number {
    checkPosition(size, 'size')
    this.#recording.requireSyncChange(this.#recording.size)
    this.#recording.truncate(size)
    return size
  }

  /** The bytes from the position to the present end, in pieces. @throws as `read()` does */
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

  #bufferFor(count?: number): Buffer {
    if (count !== undefined) checkPosition(count, 'count')
    const available = Math.max(0, this.#recording.size - this.#position)
    return Buffer.allocUnsafeSlow(Math.min(count ?? available, available))
  }
}
