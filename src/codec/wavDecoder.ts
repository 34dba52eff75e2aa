import { WavReaderKernel } from '../format/wavReaderKernel.ts'
import type { DecoderKernel, DecoderOutput } from './kernel.ts'

/** A WAV file, as `wavReader()` reads it. */
export class WavDecoder implements DecoderKernel {
  readonly #kernel = new WavReaderKernel()

  push(bytes: Uint8Array, out: DecoderOutput): void {
    this.#kernel.onFormat = (format) => out.begin(format, 'pcm')
    this.#kernel.push(bytes, out)
  }

  flush(out: DecoderOutput): void {
    this.#kernel.flush(out)
  }

  free(): void {}
}
