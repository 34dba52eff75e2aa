/** The part of the stream of which it is not decided yet where it belongs, in the pieces that it came in. */
export class FrameQueue {
  readonly #bytesPerFrame: number
  #pieces: Uint8Array[] = []
  #start = 0
  #end = 0

  constructor(bytesPerFrame: number) {
    this.#bytesPerFrame = bytesPerFrame
  }

  /** The frame up to which the stream has come. */
  get end(): number {
    return this.#end
  }

  /** Takes whole frames. */
  add(piece: Uint8Array): void {
    this.#pieces.push(piece)
    this.#end += piece.length / this.#bytesPerFrame
  }

  /** What lies before a frame of the stream, which then is here no longer. */
  take(to: number): Uint8Array[] {
    let left = (to - this.#start) * this.#bytesPerFrame
    if (left <= 0) return []
    this.#start = to
    let whole = 0
    for (; left > 0 && this.#pieces[whole]!.length <= left; whole++) left -= this.#pieces[whole]!.length
    const taken = this.#pieces.splice(0, whole)
    if (left > 0) {
      const first = this.#pieces[0]!
      taken.push(first.subarray(0, left))
      this.#pieces[0] = first.subarray(left)
    }
    return taken
  }
}
