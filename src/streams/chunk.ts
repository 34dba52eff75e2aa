import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { encodings } from '../format/encoding.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { type Span, spanBytes } from '../format/span.ts'
import { checkWholeFrames } from '../format/wholeFrames.ts'
import { type Ports, passing } from '../neighbours.ts'
import { checkOptions } from '../options.ts'
import { type Kernel, type Output, Stage } from './stage.ts'

/** The options of `chunk()`. */
export interface ChunkOptions {
  /**
   * from the start of one window to the start of the next: less than the span makes them overlap (default: the span,
   * the most that it can be)
   */
  hop?: Span
  /**
   * the last, incomplete window: it stays short, `'keep'` (default), gets silence, `'pad'`, or is left out, `'drop'`
   */
  tail?: 'keep' | 'pad' | 'drop'
}

const tails = ['keep', 'pad', 'drop'] as const

/**
 * A Transform that puts out windows of exactly `span`, one a chunk: to `'data'`, to `pipe()` and to `for await`.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format, span or option
 */
export function chunk(format: PcmFormat, span: Span, options: ChunkOptions = {}): Stage {
  const checked = requireFormat(format, 'chunk()')
  const windowBytes = spanBytes(checked, span, 'chunk()')
  checkOptions(options, ['hop', 'tail'], 'chunk()', { overlap: '{ hop }, from one start to the next' })
  const { hop = span, tail = 'keep' } = options
  const hopBytes = spanBytes(checked, hop, 'chunk(): hop')
  if (hopBytes > windowBytes) {
    throw new ArgumentRangeError(
      `chunk(): hop must not be longer than the window, as audio would be lost between; got ${hopBytes} bytes for windows of ${windowBytes}`,
    )
  }
  if (!tails.includes(tail)) {
    throw new ArgumentTypeError(`chunk(): tail must be 'keep', 'pad' or 'drop', got ${show(tail)}`)
  }
  return new Stage(new ChunkKernel(checked, windowBytes, hopBytes, tail))
}

export class ChunkKernel implements Kernel {
  readonly #format: PcmFormat
  readonly windowBytes: number
  readonly ports: Ports
  readonly #hopBytes: number
  readonly #tail: (typeof tails)[number]
  /** the window being filled; allocated when it is needed */
  #window: Buffer | undefined
  #filled = 0
  /** how much of it the window before has shown already */
  #overlap = 0

  constructor(format: PcmFormat, windowBytes: number, hopBytes: number, tail: (typeof tails)[number]) {
    this.ports = passing('chunk()', format)
    this.#format = format
    this.windowBytes = windowBytes
    this.#hopBytes = hopBytes
    this.#tail = tail
  }

  push(bytes: Uint8Array, out: Output): void {
    const size = this.windowBytes
    let at = 0
    while (at < bytes.length) {
      if (this.#filled === 0 && this.#hopBytes === size && bytes.length - at >= size) {
        // a whole window of the input: no copy, and where it is the input, no new view either
        out.push(bytes.length === size ? bytes : bytes.subarray(at, at + size))
        at += size
        continue
      }
      this.#window ??= Buffer.allocUnsafeSlow(size)
      const part = bytes.subarray(at, at + size - this.#filled)
      this.#window.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
      if (this.#filled === size) this.#putOut(this.#window, out)
    }
  }

  #putOut(window: Buffer, out: Output): void {
    this.#window = undefined
    this.#overlap = this.#filled = this.windowBytes - this.#hopBytes
    if (this.#overlap > 0) {
      this.#window = Buffer.allocUnsafeSlow(this.windowBytes)
      this.#window.set(window.subarray(this.#hopBytes))
    }
    out.push(window)
  }

  flush(out: Output): void {
    const partial = this.#filled % this.#format.bytesPerFrame
    const whole = this.#filled - partial
    if (this.#window !== undefined && whole > this.#overlap) {
      if (this.#tail === 'keep') out.push(this.#window.subarray(0, whole))
      else if (this.#tail === 'pad')
        out.push(this.#window.fill(encodings[this.#format.encoding].silentByte, whole))
    }
    checkWholeFrames(partial, this.#format.bytesPerFrame)
  }
}
