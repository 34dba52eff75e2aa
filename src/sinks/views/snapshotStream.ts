import { Readable, type ReadableOptions } from 'node:stream'
import { type Content, Port, type Ports, ports } from '../../neighbours.ts'
import type { Snapshot } from '../recording/snapshot.ts'

/** The part of a file that is read, and the way. */
export interface StreamOptions {
  /** first byte */
  start: number
  /** behind the last byte; Infinity for the end */
  end: number
  /** without it the samples of a WAV alone, and both positions count from the first of them */
  header: boolean
  /** the most bytes in a chunk */
  highWaterMark: number
  encoding: BufferEncoding | undefined
  signal: AbortSignal | undefined
}

/** The name of the method, for messages. */
export const STREAM = 'createReadStream()'

/** The options of Node's Readable, which takes no undefined. */
export function readableOptions({ highWaterMark, encoding, signal }: StreamOptions): ReadableOptions {
  return { highWaterMark, ...(encoding && { encoding }), ...(signal && { signal }) }
}

/** A part of a snapshot. */
export class SnapshotStream extends Readable {
  /** @internal */
  readonly [ports]: Ports
  readonly #snapshot: Snapshot
  readonly #end: number
  #position: number

  constructor(snapshot: Snapshot, options: StreamOptions, content: Content | undefined) {
    super(readableOptions(options))
    this[ports] = { gives: new Port(STREAM, content) }
    const { start, end, header } = options
    const { samples, size } = snapshot
    this.#snapshot = snapshot
    this.#position = header ? start : samples.start + start
    this.#end = header ? Math.min(end, size) : Math.min(samples.start + end, samples.end)
  }

  override async _read(size: number): Promise<void> {
    const wanted = Math.min(size, this.#end - this.#position)
    if (wanted <= 0) {
      this.push(null)
      return
    }
    const chunk = Buffer.allocUnsafeSlow(wanted)
    try {
      const read = this.#snapshot.read(chunk, this.#position)
      if (typeof read !== 'number') await read
      this.#position += wanted
      this.push(chunk)
    } catch (error) {
      this.destroy(error as Error)
    }
  }
}
