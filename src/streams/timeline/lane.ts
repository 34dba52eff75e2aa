import { encodings } from '../../format/encoding.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import { Coverage } from './coverage.ts'

/** The least capacity, in frames. */
const LEAST_FRAMES = 4096

/** The samples of one track that have not gone out yet, silence where none have come. Places are frames of the timeline. */
export class Lane {
  readonly name: string
  readonly #bytesPerSample: number
  readonly #silentByte: number
  readonly coverage = new Coverage()
  #bytes: Uint8Array<ArrayBuffer>
  /** the frame at the beginning of `#bytes`, and the one up to which they may have been written */
  #start = 0
  #end = 0
  /** the first frame of the gap that goes on at the latest frame that went out */
  hole: number | undefined = 0

  constructor(name: string, { bytesPerSample, encoding }: PcmFormat) {
    this.name = name
    this.#bytesPerSample = bytesPerSample
    this.#silentByte = encodings[encoding].silentByte
    this.#bytes = new Uint8Array(LEAST_FRAMES * bytesPerSample).fill(this.#silentByte)
  }

  /** Puts samples in their place, which lies behind `floor`, the first frame that has not gone out. */
  put(floor: number, at: number, data: Uint8Array): void {
    const size = this.#bytesPerSample
    const end = at + data.length / size
    if ((end - this.#start) * size > this.#bytes.length) this.#reserve(floor, end)
    this.#bytes.set(data, (at - this.#start) * size)
    if (end > this.#end) this.#end = end
  }

  /** The bytes of the frames from `from` to `to`, where they lie; the next `put` may move them. */
  read(from: number, to: number): Uint8Array<ArrayBuffer> {
    const size = this.#bytesPerSample
    const capacity = this.#start + this.#bytes.length / size
    if (from < this.#start || to > capacity) this.#reserve(from, to)
    return this.#bytes.subarray((from - this.#start) * size, (to - this.#start) * size)
  }

  /** Moves the samples behind `floor` to the beginning, of a larger buffer where they would not fit. */
  #reserve(floor: number, end: number): void {
    const size = this.#bytesPerSample
    const needed = (end - floor) * size
    const from = (floor - this.#start) * size
    const to = (this.#end - this.#start) * size
    const held = Math.max(0, to - from)
    if (needed * 2 > this.#bytes.length) {
      const larger = new Uint8Array(needed * 2).fill(this.#silentByte)
      if (held > 0) larger.set(this.#bytes.subarray(from, to))
      this.#bytes = larger
    } else {
      if (held > 0) this.#bytes.copyWithin(0, from, to)
      this.#bytes.fill(this.#silentByte, held, Math.max(held, to))
    }
    this.#start = floor
    this.#end = Math.max(floor, this.#end)
  }
}
