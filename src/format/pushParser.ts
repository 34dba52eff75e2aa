/** A request of a parser: so many bytes in one piece, or to skip so many unseen. */
type Step = { take: number } | { skip: number }

/** A parser in the order of the format itself; what it yields decides what it is resumed with. */
export type Parsing<T> = Generator<Step, T, Uint8Array>

/**
 * Feeds a {@link Parsing} with bytes as they come, in any chunking. Of bytes that are skipped nothing is held, of
 * those that are taken no more than have come.
 */
export class PushParser<T> {
  /** the parser's result; undefined while it wants more */
  result: T | undefined
  readonly #parsing: Parsing<T>
  #isDone = false
  #take = 0
  #skip = 0
  #held = new Uint8Array(0)
  #heldBytes = 0

  constructor(parsing: Parsing<T>) {
    this.#parsing = parsing
    this.#resume(nothing)
  }

  /** whether the parser has come to its end */
  get isDone(): boolean {
    return this.#isDone
  }

  /** bytes that come next and need not be pushed: a caller that can seek calls {@link pass} instead */
  get skippable(): number {
    return this.#skip
  }

  /** Passes over bytes of which there are as many as {@link skippable} says, or fewer. */
  pass(count: number): void {
    this.#skip -= count
    if (this.#skip === 0) this.push(nothing)
  }

  /** @returns how many of the bytes were used: all of them, unless the parser has come to its end */
  push(bytes: Uint8Array): number {
    let at = 0
    while (!this.#isDone) {
      const skipped = Math.min(this.#skip, bytes.length - at)
      this.#skip -= skipped
      at += skipped
      if (this.#skip > 0) break
      const taken = Math.min(this.#take - this.#heldBytes, bytes.length - at)
      const piece = bytes.subarray(at, at + taken)
      at += taken
      if (piece.length === this.#take) this.#resume(piece)
      else if (!this.#hold(piece)) break
    }
    return at
  }

  /** @returns whether the parser could go on with it */
  #hold(piece: Uint8Array): boolean {
    const length = this.#heldBytes + piece.length
    if (length > this.#held.length) {
      const larger = new Uint8Array(Math.min(this.#take, length * 2))
      larger.set(this.#held.subarray(0, this.#heldBytes))
      this.#held = larger
    }
    this.#held.set(piece, this.#heldBytes)
    this.#heldBytes = length
    if (length < this.#take) return false
    const whole = this.#held.subarray(0, length)
    this.#held = nothing
    this.#heldBytes = 0
    this.#resume(whole)
    return true
  }

  #resume(bytes: Uint8Array): void {
    const { value, done } = this.#parsing.next(bytes)
    if (done) {
      this.#isDone = true
      this.result = value
    } else {
      this.#take = 'take' in value ? value.take : 0
      this.#skip = 'skip' in value ? value.skip : 0
    }
  }
}

const nothing = new Uint8Array(0)

/** @yields a request for bytes in one piece: valid until the next request */
export function* take(count: number): Parsing<Uint8Array> {
  return yield { take: count }
}

export function* skip(count: number): Parsing<void> {
  yield { skip: count }
}

/** A consumer of bytes in order that tells which it need not see. */
export interface Skipping {
  /** bytes that come next and need not be pushed */
  readonly skippable: number
  pass(count: number): void
  push(bytes: Uint8Array): unknown
}

/** Copies from a position of a file into the target; returns how many bytes, 0 at the end. */
export type ReadAt = (target: Uint8Array, position: number) => number | Promise<number>

const BLOCK_BYTES = 2 ** 16

/**
 * Feeds a parser from something that can be read at any position, over what it skips without a look.
 *
 * @param isEnough whether it needs no more
 */
export async function feedFrom(
  parser: Skipping,
  read: ReadAt,
  { start = 0, end = Number.POSITIVE_INFINITY, blockBytes = BLOCK_BYTES } = {},
  isEnough: () => boolean = () => false,
): Promise<void> {
  const block = Buffer.allocUnsafeSlow(Math.min(blockBytes, Math.max(1, end - start)))
  for (let position = start; position < end && !isEnough(); ) {
    const skipped = Math.min(parser.skippable, end - position)
    if (skipped > 0) {
      parser.pass(skipped)
      position += skipped
      continue
    }
    const count = await read(block.subarray(0, Math.min(block.length, end - position)), position)
    if (count === 0) return
    parser.push(block.subarray(0, count))
    position += count
  }
}
