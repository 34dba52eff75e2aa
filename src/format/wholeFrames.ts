import { WavespoolError } from '../errors.ts'

/** Where bytes go: a stage, or an array with a `push` in a test. */
export interface Output<Out = Uint8Array> {
  push(bytes: Out): unknown
}

/** Passes bytes on in whole frames, whatever the chunking they come in. Copies at most one frame a chunk. */
export class WholeFrames {
  readonly #bytesPerFrame: number
  /** the frame that has begun; allocated when there is one */
  #frame: Buffer | undefined
  #held = 0

  constructor({ bytesPerFrame }: { bytesPerFrame: number }) {
    this.#bytesPerFrame = bytesPerFrame
  }

  push(bytes: Uint8Array, out: Output): void {
    const size = this.#bytesPerFrame
    if (this.#held === 0 && bytes.length % size === 0) {
      if (bytes.length > 0) out.push(bytes)
      return
    }
    this.#frame ??= Buffer.alloc(size)
    let start = 0
    if (this.#held > 0) {
      start = Math.min(size - this.#held, bytes.length)
      this.#frame.set(bytes.subarray(0, start), this.#held)
      this.#held += start
      if (this.#held < size) return
      out.push(Buffer.from(this.#frame))
      this.#held = 0
    }
    const end = bytes.length - ((bytes.length - start) % size)
    if (end > start) out.push(bytes.subarray(start, end))
    this.#frame.set(bytes.subarray(end))
    this.#held = bytes.length - end
  }

  /** bytes of a frame of which the rest has not come */
  get held(): number {
    return this.#held
  }

  /** @throws {WavespoolError} `ERR_WAVESPOOL_PARTIAL_FRAME` when the stream ended in the middle of a frame */
  flush(): void {
    checkWholeFrames(this.#held, this.#bytesPerFrame)
  }
}

/** @throws {WavespoolError} `ERR_WAVESPOOL_PARTIAL_FRAME` when a stream of so many bytes ended within a frame */
export function checkWholeFrames(bytes: number, bytesPerFrame: number): void {
  if (bytes % bytesPerFrame === 0) return
  throw new WavespoolError(
    'ERR_WAVESPOOL_PARTIAL_FRAME',
    `the stream ended ${bytes % bytesPerFrame} bytes into a frame of ${bytesPerFrame}; every whole frame was delivered. ` +
      'Is the format of the stream the one that was named?',
  )
}
