import { Readable } from 'node:stream'
import type { Snapshot } from './snapshot.ts'

/** What of a file is read, and how. */
export interface Stretch {
  /** first byte */
  start: number
  /** behind the last byte; Infinity for the end */
  past: number
  /** without it the samples of a WAV alone, and both positions count from the first of them */
  header: boolean
  /** the most bytes in a chunk */
  highWaterMark: number
}

/** A stretch of a snapshot. */
export class SnapshotStream extends Readable {
  readonly #snapshot: Snapshot
  readonly #end: number
  #position: number

  constructor(snapshot: Snapshot, { start, past, header, highWaterMark }: Stretch) {
    super({ highWaterMark })
    const { samples } = snapshot
    this.#snapshot = snapshot
    this.#position = header ? start : samples.start + start
    this.#end = header ? Math.min(past, snapshot.size) : Math.min(samples.start + past, samples.end)
  }

  override _read(size: number): void {
    const wanted = Math.min(size, this.#end - this.#position)
    if (wanted <= 0) {
      this.push(null)
      return
    }
    const chunk = Buffer.allocUnsafeSlow(wanted)
    this.#snapshot.read(chunk, this.#position).then(
      (count) => {
        this.#position += count
        this.push(count > 0 ? chunk.subarray(0, count) : null)
      },
      (error) => this.destroy(error),
    )
  }
}
