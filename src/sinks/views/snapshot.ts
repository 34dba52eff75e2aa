import type { StoredStretch } from '../storage/storage.ts'

interface Moment {
  header: Uint8Array<ArrayBuffer>
  /** where the bytes end that lie in the storage; behind it there is at most a pad byte */
  end: number
  pad: 0 | 1
  /** where the samples of a WAV lie; all of it where it holds none */
  samples: { start: number; end: number }
  read(target: Uint8Array, position: number): number | Promise<number>
  /** a file that holds a part of it */
  file: StoredStretch | undefined
}

/** The file as it was at one moment: its header and its end are fixed, its samples stay where they are. */
export class Snapshot {
  /** with the pad byte */
  readonly size: number
  readonly header: Uint8Array<ArrayBuffer>
  readonly end: number
  readonly samples: { start: number; end: number }
  readonly file: StoredStretch | undefined
  readonly #read: Moment['read']

  constructor({ header, end, pad, samples, read, file }: Moment) {
    this.header = header
    this.end = end
    this.size = end + pad
    this.samples = samples
    this.file = file
    this.#read = read
  }

  /** Copies from `position` into the target: all of it, or as far as the snapshot goes. */
  async read(target: Uint8Array, position: number): Promise<number> {
    const wanted = Math.max(0, Math.min(target.length, this.size - position))
    let done = 0
    if (position < this.header.length) {
      const part = this.header.subarray(position, position + wanted)
      target.set(part)
      done = part.length
    }
    while (done < wanted) {
      const at = position + done
      if (at >= this.end) {
        target.fill(0, done, wanted) // the pad byte
        return wanted
      }
      const count = await this.#read(target.subarray(done, Math.min(wanted, this.end - position)), at)
      if (count === 0) return done
      done += count
    }
    return done
  }

  /** One copy of everything, in an ArrayBuffer of its own. */
  async toBuffer(): Promise<Buffer<ArrayBuffer>> {
    const buffer = Buffer.allocUnsafeSlow(this.size)
    const count = await this.read(buffer, 0)
    return buffer.subarray(0, count)
  }
}
