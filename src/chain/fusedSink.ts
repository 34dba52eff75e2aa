import { finished } from 'node:stream'
import { HoldingWritable } from '../holdingWritable.ts'
import { type Ports, ports } from '../neighbours.ts'
import type { Kernel } from '../streams/stage.ts'
import { endHere, type Stoppable } from '../streams/stopping.ts'
import { Upstream } from '../streams/upstream.ts'
import { Pieces } from './pieces.ts'

type Callback = (error?: Error | null) => void

/**
 * A row of stages and the sink behind it as one Writable. The kernel's output goes to the sink itself, past the sink's
 * stream, which only ends, fails and closes: as it does at the end of a pipeline.
 */
export class FusedSink extends HoldingWritable implements Stoppable {
  /** @internal */
  readonly [ports]: Ports
  readonly #kernel: Kernel
  readonly #sink: HoldingWritable
  readonly #upstream: Upstream
  /** the kernel's output, of one chunk at a time */
  readonly #pieces = new Pieces()
  /** whether the sink gets no more bytes */
  #isOver = false
  #isStopped = false

  constructor(kernel: Kernel, sink: HoldingWritable) {
    super()
    this.#kernel = kernel
    this.#sink = sink
    this[ports] = kernel.ports ?? {}
    this.#upstream = new Upstream(this, kernel.ports?.takes, kernel.source)
    sink.emit('pipe', this) // tells the sink the format that it will get
    sink.row = this
    sink.on('error', () => {}) // it has destroyed the row, which emits it too
    sink.on('close', () => {
      if (!this.#isOver) this.destroy()
    })
  }

  /** See the method of a stage. */
  stop(): void {
    this.#kernel.stop?.()
    if (this.#isOver) return
    this.#upstream.stop(() => {
      this.#isStopped = true
      endHere(this)
    })
  }

  /** @internal */
  override takeChunks(chunks: readonly Uint8Array[], callback: Callback): void {
    if (this.#isOver) {
      this.#upstream.letGo() // a source that another stream has begun to read
      callback() // surplus
      return
    }
    const end = this.#push(chunks)
    if (end === undefined) {
      this.#putPieces(callback)
      return
    }
    this.#isOver = true
    this.#putPieces((error) => {
      if (error) callback(error)
      else if (end !== 'stop') this.#endSink(end, callback)
      else {
        this.#upstream.endAtCap((failure) => {
          if (failure === undefined) this.#sink.end()
          else this.#endSink(failure, callback)
        }, callback)
      }
    })
  }

  #push(chunks: readonly Uint8Array[]): Kernel['end'] {
    try {
      for (const chunk of chunks) {
        this.#kernel.push(chunk, this.#pieces)
        const { end } = this.#kernel
        if (end !== undefined) return end
      }
    } catch (error) {
      return error as Error
    }
  }

  #putPieces(callback: Callback): void {
    const pieces = this.#pieces.take()
    if (pieces === undefined) callback()
    else this.#sink.takeChunks(pieces, callback)
  }

  /** Ends the sink, so that it keeps its bytes with a right header, also where this fails. */
  #endSink(failure: Error | undefined, callback: Callback): void {
    this.#sink.end()
    finished(this.#sink, (error) => callback(failure ?? error))
  }

  override _final(callback: Callback): void {
    if (this.#isOver) {
      this.#endSink(undefined, callback)
      return
    }
    this.#isOver = true
    let failure: Error | undefined
    try {
      this.#kernel.flush(this.#pieces)
    } catch (error) {
      if (!this.#isStopped) failure = error as Error // where a stream is stopped, half a frame is surplus
    }
    this.#putPieces((error) => {
      if (error) callback(error)
      else this.#endSink(failure, callback)
    })
  }

  /** Records the chunks that waited for an asynchronous sink too. @internal */
  override abandon(held: readonly Uint8Array[], error: Error | undefined): void {
    if (!this.#isOver) this.#push(held)
    this.#sink.abandon(this.#pieces.take() ?? [], error)
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#upstream.abandon()
    if (this.#sink.closed) {
      callback(error)
      return
    }
    this.#sink.once('close', () => callback(error))
    this.#sink.destroy(error ?? undefined)
  }
}
