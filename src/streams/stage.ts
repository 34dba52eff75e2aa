import { Transform, type TransformCallback, type TransformOptions } from 'node:stream'
import { failOnceRead } from '../failOnceRead.ts'
import type { Output } from '../format/wholeFrames.ts'
import { type Ports, ports } from '../neighbours.ts'
import { nextTick, setImmediate } from '../realTimers.ts'
import { endHere, type Stoppable, type StoppableSource } from './stopping.ts'
import { Upstream } from './upstream.ts'

export type { Output }

/** The work of a stage on its chunks, bytes or objects, without a stream around it. */
export interface Kernel<In = Uint8Array, Out = Uint8Array> {
  /** Takes the next bytes, in any chunking, and puts out all that is complete. */
  push(bytes: In, out: Output<Out>): void
  /** Puts out the rest at the end. It throws an error only after it has put out all that could be saved. */
  flush(out: Output<Out>): void
  /** Called before the end of a stream that `stop()` ends. */
  stop?(): void
  /**
   * Set once it has put out its last chunk: later input is surplus, and the stream ends, `'stop'` gracefully, or with
   * the error.
   */
  readonly end?: 'stop' | Error | undefined
  /** the source to stop at that end where the stage cannot see it; null: none */
  readonly source?: StoppableSource | null | undefined
  /** The stage is more than its kernel, and stays a stream of its own in a chain. */
  readonly isApart?: boolean
  /** The output are windows of so many bytes, and each read gets one. */
  readonly windowBytes?: number | undefined
  /** the formats that its neighbours have to agree with */
  readonly ports?: Ports | undefined
}

/** Passes everything on as it comes. */
export const identity: Kernel = {
  push: (bytes, out) => void out.push(bytes),
  flush: () => {},
}

/**
 * A Transform around a {@link Kernel}, which knows the sources that are piped into it and passes `stop()` on to them.
 */
export class Stage extends Transform implements Stoppable {
  protected readonly upstream: Upstream
  /** @internal */
  readonly kernel: Kernel
  #outputEnded = false
  #isStopped = false
  #isPipe = false
  #isWanted = false
  #waiting: (() => void) | undefined

  /** @param options object mode, for a stage whose input or output is not bytes */
  constructor(kernel: Kernel<never, never>, options: TransformOptions = {}) {
    super(options)
    this.kernel = kernel as Kernel
    this.upstream = new Upstream(this, kernel.ports?.takes, kernel.source)
  }

  /** @internal */
  get [ports](): Ports {
    return this.kernel.ports ?? {}
  }

  /**
   * Ends the stream gracefully: the request travels upstream to the source, which delivers what it has captured and
   * ends. Where the source has no `stop()`, or another stream reads it too, the stream ends here instead: all that has
   * reached this stage is delivered, also from its buffer, and the source is closed, or unpiped where it is shared.
   */
  stop(): void {
    this.kernel.stop?.()
    if (this.#outputEnded) return
    this.upstream.stop(() => {
      this.#isStopped = true
      endHere(this)
    })
  }

  /** Holds a chunk back while the output is full, so that `writableLength` counts the bytes that have not been taken. */
  override _write(chunk: Buffer, encoding: BufferEncoding, callback: TransformCallback): void {
    if (this.#outputEnded) {
      this.upstream.letGo() // a source that another stream has begun to read
      callback() // surplus
      return
    }
    if (this.readableLength >= this.readableHighWaterMark && !this.#isWanted) {
      this.#waiting = () => this._write(chunk, encoding, callback)
      return
    }
    this._transform(chunk, encoding, callback)
  }

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    this.#isWanted = false
    return super.push(chunk, encoding)
  }

  /** Is not called again before something has been put out. */
  override _read(_size: number): void {
    this.#isWanted = true
    const write = this.#waiting
    this.#waiting = undefined
    write?.()
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      this.kernel.push(chunk, this)
    } catch (error) {
      this.failAfterEnd(error as Error, callback)
      return
    }
    const { end } = this.kernel
    if (end === undefined) callback()
    else if (end === 'stop') this.#endAtCap(callback)
    else this.failAfterEnd(end, callback)
  }

  /** Ends the output, although more input may come, and the sources. */
  #endAtCap(callback: TransformCallback): void {
    this.#outputEnded = true
    this.upstream.endAtCap((failure) => {
      if (failure === undefined) this.endOutput()
      else {
        this.#outputEnded = false // an end would hide the error from the web stream of Duplex.toWeb()
        this.failAfterEnd(failure, callback)
      }
    }, callback)
  }

  override _flush(callback: TransformCallback): void {
    if (!this.#outputEnded) {
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
    this.upstream.abandon()
    callback(error)
  }

  /** Ends the output; later input is discarded. */
  protected endOutput(): void {
    this.#outputEnded = true
    this.push(null)
  }

  /**
   * Fails the stage once its output has been read, as the error destroys the streams behind it. A pipe gets the end
   * first, so that the stages behind it put out the bytes that they hold. A `for await` would take that end for a
   * success, and gets the error in its place.
   */
  protected failAfterEnd(error: Error, callback: TransformCallback): void {
    const fail = () => setImmediate(callback, error)
    // half a frame at the place where the stream was stopped is surplus
    if (this.#isStopped && this.writableLength === 0) callback()
    else if (this.readableEnded) callback(error)
    else if (this.#outputEnded) this.once('end', fail)
    else {
      this.#outputEnded = true
      failOnceRead(this, error, () => {
        if (this.#isPipe && this.listenerCount('data') > 0) {
          this.once('end', fail)
          nextTick(() => this.push(null)) // not within a read
        } else fail()
      })
    }
  }

  override read(size?: number): ReturnType<Transform['read']> {
    // Without a size a paused byte stream hands over all that it holds: here it is one window, for `for await` too.
    const { windowBytes = Number.POSITIVE_INFINITY } = this.kernel
    return super.read(size === undefined && this.readableLength > windowBytes ? windowBytes : size)
  }

  // every pipe is made here, also those of pipeline()
  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean }): T {
    this.#isPipe = true
    return super.pipe(destination, options)
  }
}
