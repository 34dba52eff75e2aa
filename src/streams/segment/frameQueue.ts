/** The frames that are not assigned to a segment yet, in the pieces that they came in. */
export class FrameQueue {
  readonly #bytesPerFrame: number
  #pieces: Uint8Array[] = []
  #start = 0
  #end = 0

  constructor(bytesPerFrame: number) {
    this.#bytesPerFrame = bytesPerFrame
  }

  /** The frame behind the last one that was added. */
  get end(): number {
    return this.#end
  }

  /** Takes whole frames. */
  add(piece: Uint8Array): void {
    this.#pieces.push(piece)
    this.#end += piece.length / this.#bytesPerFrame
  }

  /** Removes and returns the bytes before a frame of the stream. */
  take(to: number): Uint8Array[] {
    let remaining = (to - this.#start) * this.#bytesPerFrame
    if (remaining <= 0) return []
    this.#start = to
    let whole = 0
    for (; remaining > 0 && this.#pieces[whole]!.length <= remaining; whole++)
      remaining -= this.#pieces[whole]!.length
    const taken = this.#pieces.splice(0, whole)
    if (remaining > 0) {
      const first = this.#pieces[0]!
      taken.push(first.subarray(0, remaining))
      this.#pieces[0] = first.subarray(remaining)
    }
    return taken
  }
}
