/** Bytes that wait to be sent, handed out in messages of a size of one's own, without a copy until then. */
export class AudioQueue {
  readonly #pieces: Uint8Array[] = []
  #first = 0
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  push(bytes: Uint8Array): void {
    this.#pieces.push(bytes)
    this.#bytes += bytes.length
  }

  /** Takes the oldest bytes out, in one piece: `count` of them, or all. */
  take(count: number): Uint8Array {
    const message = Buffer.allocUnsafeSlow(Math.min(count, this.#bytes))
    let filled = 0
    this.drop(message.length, (part) => {
      message.set(part, filled)
      filled += part.length
    })
    return message
  }

  /** Takes the oldest bytes out, piece by piece: `count` of them, or all. */
  drop(count: number, each = (_part: Uint8Array): void => {}): void {
    let remaining = Math.min(count, this.#bytes)
    this.#bytes -= remaining
    while (remaining > 0) {
      const piece = this.#pieces[this.#first]!
      const part = piece.subarray(0, remaining)
      each(part)
      remaining -= part.length
      if (part.length === piece.length) this.#first++
      else this.#pieces[this.#first] = piece.subarray(part.length)
    }
    // Taken pieces are let go of in bulk: shift() moves all that remain.
    if (this.#first > this.#pieces.length / 2) {
      this.#pieces.splice(0, this.#first)
      this.#first = 0
    }
  }
}
