import type { Output } from '../streams/stage.ts'

/** Collects what a kernel puts out, in a list that is no longer than needed: most chunks become one piece. */
export class Pieces implements Output {
  #pieces: Uint8Array[] | undefined

  push(bytes: Uint8Array): void {
    // A list that grows by push() reserves room for 17.
    if (this.#pieces === undefined) this.#pieces = [bytes]
    else this.#pieces.push(bytes)
  }

  /** The pieces since the last call; undefined for none. */
  take(): readonly Uint8Array[] | undefined {
    const pieces = this.#pieces
    this.#pieces = undefined
    return pieces
  }
}
