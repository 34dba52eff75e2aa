import type { TransformCallback } from 'node:stream'
import { ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { type Span, spanBytes } from '../format/span.ts'
import { checkOptions } from '../options.ts'
import { type Kernel, type Output, Stage } from './stage.ts'
import { checkSource, type StoppableSource, settle } from './stopping.ts'
import { WholeFrames } from './wholeFrames.ts'

export interface LimitOptions {
  /**
   * at the cap: `'stop'` (default) ends the recording gracefully, `'error'` fails it with `ERR_WAVESPOOL_LIMIT` once
   * the audio up to the cap has been delivered
   */
  onLimit?: 'stop' | 'error'
  /**
   * The stream to stop at the cap, where `limit` cannot see it: in front of a generator function, a web stream, or
   * bytes that are written by hand. `null` says that there is nobody to stop.
   */
  source?: StoppableSource | null
}

/**
 * A Transform that passes exactly `span` of audio, then stops the source and ends.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format, span or option
 */
export function limit(format: PcmFormat, span: Span, options: LimitOptions = {}): Stage {
  const checked = requireFormat(format, 'limit()')
  const bytes = spanBytes(checked, span, 'limit()')
  checkOptions(options, ['onLimit', 'source'], 'limit()')
  const { onLimit = 'stop', source } = options
  if (onLimit !== 'stop' && onLimit !== 'error') {
    throw new ArgumentTypeError(`limit(): onLimit must be 'stop' or 'error', got ${show(onLimit)}`)
  }
  checkSource(source, 'limit()')
  return new Limit(new LimitKernel(checked, bytes), onLimit, source)
}

export class LimitKernel implements Kernel {
  readonly #frames: WholeFrames
  #left: number

  constructor(format: PcmFormat, bytes: number) {
    this.#frames = new WholeFrames(format)
    this.#left = bytes
  }

  /** The cap has been reached: everything from now on is surplus. */
  get reached(): boolean {
    return this.#left === 0
  }

  push(bytes: Uint8Array, out: Output): void {
    const taken = bytes.length <= this.#left ? bytes : bytes.subarray(0, this.#left)
    this.#left -= taken.length
    if (taken.length > 0) this.#frames.push(taken, out)
  }

  flush(): void {
    if (!this.reached) this.#frames.flush()
  }
}

class Limit extends Stage {
  readonly #kernel: LimitKernel
  readonly #onLimit: 'stop' | 'error'
  readonly #source: StoppableSource | null | undefined

  constructor(kernel: LimitKernel, onLimit: 'stop' | 'error', source: StoppableSource | null | undefined) {
    super(kernel)
    this.#kernel = kernel
    this.#onLimit = onLimit
    this.#source = source
    if (source) this.upstream.add(source)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    if (this.#kernel.reached) {
      callback() // surplus
      return
    }
    this.#kernel.push(chunk, this)
    if (!this.#kernel.reached) callback()
    else if (this.#onLimit === 'error') this.failAfterEnd(limitError(), callback)
    else this.#stopSource(callback)
  }

  #stopSource(callback: TransformCallback): void {
    this.cut()
    // In the next tick, so that a source which ends with this very chunk can do so; not later, as a source that
    // pushes synchronously would starve anything else.
    process.nextTick(() => {
      const isSettled = this.writableEnded || this.destroyed
      if (!isSettled && this.#source === undefined && !this.upstream.wasPiped) {
        this.failAfterEnd(noSourceError(), callback)
        return
      }
      callback()
      this.releaseWrite()
      if (isSettled) return
      if (this.#source) settle(this.#source)
      else this.upstream.settle()
    })
  }
}

function limitError(): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_LIMIT',
    'the recording reached its limit; the audio up to it was delivered',
  )
}

function noSourceError(): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_NO_SOURCE',
    'limit() reached its cap but cannot see what to stop: nothing is piped into it. Behind a generator function, a web ' +
      'stream or Duplex.toWeb(), and for bytes that you write yourself, name the stream to stop, ' +
      'limit(format, span, { source }), or say { source: null }; a web stream can also be wrapped by Readable.fromWeb()',
  )
}
