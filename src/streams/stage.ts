import { Transform, type TransformCallback, type TransformOptions } from 'node:stream'
import { WavespoolError } from '../errors.ts'
import type { Output } from '../format/wholeFrames.ts'
import { type Stoppable, type StoppableSource, settle } from './stopping.ts'
import { Upstream } from './upstream.ts'

export type { Output }

/** What a stage does to bytes, or to whatever it is made for, without a stream around it. */
export interface Kernel<In = Uint8Array, Out = Uint8Array> {
  /** Takes the next bytes, in any chunking, and puts out what is complete. */
  push(bytes: In, out: Output<Out>): void
  /** Puts out what is left at the end. An error is thrown after everything that could be saved has been put out. */
  flush(out: Output<Out>): void
  /** Told before the end of a stream that is stopped on purpose. */
  stop?(): void
  /**
   * Set as soon as it has put out all that it ever will: what still comes is surplus, and the stream ends, `'stop'`
   * gracefully, or with the error.
   */
  readonly end?: 'stop' | Error | undefined
  /** what to stop at that end where the stage cannot see it; null: nobody */
  readonly source?: StoppableSource | null | undefined
  /** The stage is more than its kernel, and stays a stream of its own in a chain. */
  readonly isApart?: boolean
  /** What is put out are windows of so many bytes, and who reads the stage gets one at a time. */
  readonly windowBytes?: number | undefined
}

/**
 * A Transform around a {@link Kernel}, which knows who is piped into it and can pass `stop()` on to them.
 */
export class Stage extends Transform implements Stoppable {
  protected readonly upstream = new Upstream(this)
  /** @internal */
  readonly kernel: Kernel
  #isCut = false
  /** raises the error that ends the stream, once all that was put out has been read */
  #fail: (() => void) | undefined
  #wasPiped = false

  /** @param options object mode, for a stage whose input or output is not bytes */
  constructor(kernel: Kernel<never, never>, options: TransformOptions = {}) {
    super(options)
    this.kernel = kernel as Kernel
    if (kernel.source) this.upstream.add(kernel.source)
  }

  /**
   * Ends the stream gracefully: the request travels upstream to the source, which delivers what it has captured and
   * ends. Where what is piped in has no `stop()`, the stream is cut here instead: what has reached this stage is
   * delivered, and what is upstream of it is closed.
   */
  stop(): void {
    this.kernel.stop?.()
    if (this.#isCut || this.writableEnded || this.destroyed) return
    if (this.upstream.stop()) return
    try {
      this.kernel.flush(this)
    } catch {
      // half a frame at a cut is surplus, as is everything behind it
    }
    this.cut()
    this.releaseWrite()
    process.nextTick(() => this.upstream.settle())
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    if (this.#isCut) {
      callback() // surplus
      return
    }
    try {
      this.kernel.push(chunk, this)
    } catch (error) {
      this.failAfterEnd(error as Error, callback)
      return
    }
    const { end } = this.kernel
    if (end === undefined) callback()
    else if (end === 'stop') this.#stopSource(callback)
    else this.failAfterEnd(end, callback)
  }

  #stopSource(callback: TransformCallback): void {
    this.cut()
    // In the next tick, so that a source which ends with this very chunk can do so; not later, as a source that
    // pushes synchronously would starve anything else.
    process.nextTick(() => {
      const { source } = this.kernel
      const isSettled = this.writableEnded || this.destroyed
      if (!isSettled && source === undefined && !this.upstream.wasPiped) {
        this.failAfterEnd(noSourceError(), callback)
        return
      }
      callback()
      this.releaseWrite()
      if (isSettled) return
      if (source) settle(source)
      else this.upstream.settle()
    })
  }

  override _flush(callback: TransformCallback): void {
    if (!this.#isCut) {
      try {
        this.kernel.flush(this)
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
    // Without a size a paused byte stream hands over all that it holds: here it is one window, for `for await` too.
    const { windowBytes = Number.POSITIVE_INFINITY } = this.kernel
    const chunk = super.read(size === undefined && this.readableLength > windowBytes ? windowBytes : size)
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

function noSourceError(): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_NO_SOURCE',
    'limit() reached its cap but cannot see what to stop: nothing is piped into it. Behind a generator function, a web ' +
      'stream or Duplex.toWeb(), and for bytes that you write yourself, name the stream to stop, ' +
      'limit(format, span, { source }), or say { source: null }; a web stream can also be wrapped by Readable.fromWeb()',
  )
}
