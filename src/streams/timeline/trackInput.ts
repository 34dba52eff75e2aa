import { Writable } from 'node:stream'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import { WholeFrames } from '../../format/wholeFrames.ts'
import { type Port, type Ports, pcmPort, ports } from '../../neighbours.ts'
import type { Stoppable } from '../stopping.ts'
import { Upstream } from '../upstream.ts'

/** The side of a timeline that its inputs call. */
export interface TrackPort {
  /** Puts whole frames at the position of the input, as soon as the other inputs have come as far. */
  place(input: TrackInput, bytes: Uint8Array, done: () => void): void
  /** Nothing more comes. */
  ended(input: TrackInput): void
}

/** A continuous stream of one track: a Writable of mono PCM in the format of its timeline. */
export class TrackInput extends Writable implements Stoppable {
  /** the track that it is written into */
  readonly track: string
  /** where its next frame goes, in frames of the timeline */
  position: number
  readonly #port: TrackPort
  readonly #frames: WholeFrames
  readonly #upstream: Upstream
  readonly #takes: Port
  #hasEnded = false

  constructor(port: TrackPort, format: PcmFormat, track: string, position: number) {
    super()
    this.#takes = pcmPort('timeline.track()', format)
    this.#upstream = new Upstream(this, this.#takes)
    this.#port = port
    this.#frames = new WholeFrames(format)
    this.track = track
    this.position = position
  }

  /** @internal */
  get [ports](): Ports {
    return { takes: this.#takes }
  }

  /** Whether its error has a listener of the user's: a pipe listens too, and throws an error that has no other listener. */
  get isHeard(): boolean {
    return this.listenerCount('error') > this.#upstream.pipes
  }

  /** Ends it gracefully, and its source; the timeline goes on. */
  stop(): void {
    if (!this.#hasEnded) this.#upstream.stop(() => this.endInput())
  }

  /** Ends the track here; later writes are discarded. */
  endInput(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#port.ended(this)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#hasEnded) {
      callback()
      return
    }
    const pieces: Uint8Array[] = []
    this.#frames.push(chunk, pieces)
    const next = () => {
      const piece = pieces.shift()
      if (piece === undefined) callback()
      else this.#port.place(this, piece, next)
    }
    next()
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#port.ended(this)
    if (this.#hasEnded) {
      callback()
      return
    }
    try {
      this.#frames.flush()
    } catch (error) {
      callback(error as Error)
      return
    }
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#upstream.abandon()
    this.#port.ended(this)
    callback(error)
  }
}
