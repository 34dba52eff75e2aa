import { ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { type Span, spanBytes } from '../format/span.ts'
import { WholeFrames } from '../format/wholeFrames.ts'
import { type Ports, passing } from '../neighbours.ts'
import { checkOptions } from '../options.ts'
import { type Kernel, type Output, Stage } from './stage.ts'
import { checkSource, type StoppableSource } from './stopping.ts'

/** The options of `limit()`. */
export interface LimitOptions {
  /**
   * at the cap: `'stop'` (default) ends the recording gracefully, `'error'` fails it with `ERR_WAVESPOOL_LIMIT` once
   * the audio up to the cap has been delivered
   */
  onLimit?: 'stop' | 'error'
  /**
   * The stream to stop at the cap (default: the source that is piped into it), where `limit` cannot see it: in front
   * of a generator function, a web stream, or bytes that are written by hand; it is stopped even where another stream
   * reads it too. `null` stops no source: it goes on, and the bytes that it delivers behind the cap are left out.
   */
  source?: StoppableSource | null
}

/**
 * A Transform that passes exactly `span` of audio, then stops the source and ends. A source that another stream reads too,
 * through a pipe of their own, `'data'` or `'readable'`, is let go instead and goes on for them; a `pipeline()` settles
 * no earlier than its source ends, so await `finished()` of its last stream there.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format, span or option
 *
 * @example
 * await pipeline(portAudio(format), limit(format, { seconds: 30 }), wavHeader(format), memo)
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
  return new Stage(new LimitKernel(checked, bytes, { onLimit, source }))
}

export class LimitKernel implements Kernel {
  readonly source: StoppableSource | null | undefined
  readonly ports: Ports
  readonly #onLimit: 'stop' | 'error'
  readonly #frames: WholeFrames
  #remaining: number

  constructor(
    format: PcmFormat,
    bytes: number,
    { onLimit, source }: Pick<Kernel, 'source'> & { onLimit: 'stop' | 'error' },
  ) {
    this.ports = passing('limit()', format)
    this.#frames = new WholeFrames(format)
    this.#remaining = bytes
    this.#onLimit = onLimit
    this.source = source
  }

  get end(): 'stop' | Error | undefined {
    if (this.#remaining > 0) return undefined
    return this.#onLimit === 'stop' ? 'stop' : limitError()
  }

  push(bytes: Uint8Array, out: Output): void {
    const taken = bytes.length <= this.#remaining ? bytes : bytes.subarray(0, this.#remaining)
    this.#remaining -= taken.length
    if (taken.length > 0) this.#frames.push(taken, out)
  }

  flush(): void {
    if (this.#remaining > 0) this.#frames.flush()
  }
}

function limitError(): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_LIMIT',
    'the recording reached its limit; the audio up to it was delivered',
  )
}
