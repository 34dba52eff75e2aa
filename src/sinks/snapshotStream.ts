import { Readable } from 'node:stream'
import type { Snapshot } from './snapshot.ts'

/** The bytes from `start` to `end` (exclusive) of a snapshot. */
export class SnapshotStream extends Readable {
  readonly #snapshot: Snapshot
  readonly #end: number
  #position: number

  constructor(snapshot: Snapshot, start: number, end: number) {
    super({ highWaterMark: 65_536 })
    this.#snapshot = snapshot
    this.#position = start
    this.#end = Math.min(end, snapshot.size)
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
