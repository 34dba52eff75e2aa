import { WavespoolError } from '../errors.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { checkWavHeaderOptions, makeWavHeader, type WavHeaderOptions } from '../format/wavHeader.ts'
import { WholeFrames } from '../format/wholeFrames.ts'
import { filePort, type Ports, pcmPort } from '../neighbours.ts'
import { type Kernel, type Output, Stage } from './stage.ts'

/**
 * A Transform that puts the WAV header in front of PCM: with exact sizes where `dataBytes` tells the length
 * beforehand, else with open ones (0xFFFFFFFF), which a VirtualFile puts right.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format or option
 */
export function wavHeader(format: PcmFormat, options: WavHeaderOptions = {}): Stage {
  const checked = requireFormat(format, 'wavHeader()')
  checkWavHeaderOptions(checked, options)
  return new Stage(new WavHeaderKernel(checked, options))
}

export class WavHeaderKernel implements Kernel {
  readonly ports: Ports
  readonly #frames: WholeFrames
  readonly #declared: number | undefined
  #header: Uint8Array | undefined
  #remaining: number

  constructor(format: PcmFormat, options: WavHeaderOptions) {
    this.ports = { takes: pcmPort('wavHeader()', format), gives: filePort('wavHeader()', 'WAV') }
    this.#frames = new WholeFrames(format)
    this.#header = makeWavHeader(format, options)
    this.#declared = options.dataBytes
    this.#remaining = options.dataBytes ?? Number.POSITIVE_INFINITY
  }

  push(bytes: Uint8Array, out: Output): void {
    this.#putHeader(out)
    this.#frames.push(bytes.length <= this.#remaining ? bytes : bytes.subarray(0, this.#remaining), out)
    if (bytes.length > this.#remaining) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_WAV',
        `more audio came than the ${this.#declared} bytes that the header announces as dataBytes; those were delivered`,
      )
    }
    this.#remaining -= bytes.length
  }

  flush(out: Output): void {
    this.#putHeader(out)
    this.#frames.flush()
    // RIFF chunks begin at even positions. Behind a header of unknown length a pad byte would be taken for a sample.
    if (this.#remaining === 0 && (this.#declared ?? 0) % 2 === 1) out.push(Buffer.alloc(1))
  }

  #putHeader(out: Output): void {
    if (this.#header === undefined) return
    out.push(this.#header)
    this.#header = undefined
  }
}
