import { Converter, type ConvertOptions } from '../dsp/converter.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { type Kernel, type Output, Stage } from './stage.ts'
import { WholeFrames } from './wholeFrames.ts'

export type { ConvertOptions }

/**
 * A Transform from one PCM format into another: encoding, channels and sample rate in one step.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format or option
 */
export function convert(from: PcmFormat, to: PcmFormat, options: ConvertOptions = {}): Stage {
  const source = requireFormat(from, 'convert()')
  const target = requireFormat(to, 'convert(): the target')
  return new Stage(new ConvertKernel(source, target, options))
}

export class ConvertKernel implements Kernel {
  readonly #frames: WholeFrames
  readonly #converter: Converter
  /** only where there is something to start, so that the stage is ready at once everywhere else */
  readonly start?: () => Promise<void>
  readonly close?: () => void

  constructor(from: PcmFormat, to: PcmFormat, options: ConvertOptions) {
    const converter = new Converter(from, to, options, 'convert()')
    this.#frames = new WholeFrames(from)
    this.#converter = converter
    if (converter.isResampled) {
      this.start = () => converter.start()
      this.close = () => converter.close()
    }
  }

  push(bytes: Uint8Array, out: Output): void {
    if (this.#converter.isIdentity) this.#frames.push(bytes, out)
    else this.#frames.push(bytes, { push: (frames) => putOut(this.#converter.convert(frames), out) })
  }

  flush(out: Output): void {
    putOut(this.#converter.finish(), out)
    this.#frames.flush()
  }
}

function putOut(bytes: Uint8Array, out: Output): void {
  if (bytes.length > 0) out.push(bytes)
}
