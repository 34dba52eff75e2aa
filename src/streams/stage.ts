import { Transform, type TransformCallback } from 'node:stream'
import type { Output } from '../format/wholeFrames.ts'
import type { Stoppable } from './stopping.ts'
import { Upstream } from './upstream.ts'

export type { Output }

/** What a stage does to bytes, without a stream around it. */
export interface Kernel {
  /** Takes the next bytes, in any chunking, and puts out what is complete. */
  push(bytes: Uint8Array, out: Output): void
  /** Puts out what is left at the end. An error is thrown after everything that could be saved has been put out. */
  flush(out: Output): void
}

/**
 * A byte-mode Transform around a {@link Kernel}, which knows who is piped into it and can pass `stop()` on to them.
 */
export class Stage extends Transform implements Stoppable {
  protected readonly upstream = new Upstream(this)
  readonly #kernel: Kernel
  #isCut = false
  /** raises the error that ends the stream, once all that was put out has been read */
  #fail: (() => void) | undefined
  #wasPiped = false

  constructor(kernel: Kernel) {
    super()
    this.#kernel = kernel
  }

  /**
   * Ends the stream gracefully: the request travels upstream to the source, which delivers what it has captured and
   * ends. Where what is piped in has no `stop()`, the stream is cut here instead: what has reached this stage is
   * delivered, and what is upstream of it is closed.
   */
  stop(): void {
    if (this.#isCut || this.writableEnded || this.destroyed) return
    if (this.upstream.stop()) return
    try {
      this.#kernel.flush(this)
    } catch {
      // half a frame at a cut is surplus, as is everything behind it
    }
    this.cut()
    this.releaseWrite()
    process.nextTick(() => this.upstream.settle())
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    if (!this.#isCut) {
      try {
        this.#kernel.push(chunk, this)
      } catch (error) {
        this.failAfterEnd(error as Error, callback)
        return
      }
    }
    callback()
  }

  override _flush(callback: TransformCallback): void {
    if (!this.#isCut) {
      try {
        this.#kernel.flush(this)
      } catch (error) {
        this.failAfterEnd(error as Error, callback)
        return
      }
    }
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.writableEnded) this.upstream.abandon()
    callback(error)
  }

  /** Nothing more goes out; what still comes in is swallowed. */
  protected cut(): void {
    this.#isCut = true
    this.push(null)
  }

  /** A Transform whose buffer is full holds its write back until the next read, and behind a cut none ever comes. */
  protected releaseWrite(): void {
    this._read(0)
  }

  /**
   * What has been put out is delivered before the error destroys whatever stands behind this stage. For a pipe the end
   * comes first, so that the stages behind it put out what they hold; anybody else, `for await` say, would take that
   * end for the end of it all, and gets the error in its place.
   */
  protected failAfterEnd(error: Error, callback: TransformCallback): void {
    const fail = () => setImmediate(callback, error)
    if (this.readableEnded) callback(error)
    else if (this.#isCut) this.once('end', fail)
    else {
      this.#isCut = true
      this.#fail = fail
      this.#failIfDrained()
    }
  }

  /** Every way of consuming a Readable comes by here, which is how an error can wait for the last byte. */
  override read(size?: number): ReturnType<Transform['read']> {
    const chunk = super.read(size)
    if (this.#fail !== undefined) this.#failIfDrained()
    return chunk
  }

  #failIfDrained(): void {
    const fail = this.#fail
    if (fail === undefined || this.readableLength > 0) return
    this.#fail = undefined
    if (this.#wasPiped && this.listenerCount('data') > 0) {
      this.once('end', fail)
      process.nextTick(() => this.push(null)) // not within a read
    } else fail()
  }

  /** Every pipe, `pipeline()`'s too, is laid here. */
  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean }): T {
    this.#wasPiped = true
    return super.pipe(destination, options)
  }
}
