import { Converter } from '../dsp/converter.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { type Output, WholeFrames } from '../format/wholeFrames.ts'
import type { EncodePlan } from './codecs.ts'
import { FlacEncoder } from './flac/flacEncoder.ts'
import type { EncoderKernel } from './kernel.ts'
import { Mp3Encoder } from './mp3/mp3Encoder.ts'
import { OpusEncoder } from './opus/opusEncoder.ts'

/** Loads the library of a codec, and makes an encoder of PCM in any chunking. */
export async function createEncoder(format: PcmFormat, plan: EncodePlan): Promise<Encoder> {
  return new Encoder(format, plan.input, await createKernel(plan))
}

function createKernel({ codec, input, bitrate }: EncodePlan): Promise<EncoderKernel> {
  if (codec === 'flac') return FlacEncoder.create(input)
  if (codec === 'mp3') return Mp3Encoder.create(input, bitrate)
  return OpusEncoder.create(input, bitrate)
}

/** Converts PCM into the samples that the codec takes, in blocks whose size does not depend on the chunking. */
export class Encoder {
  readonly #kernel: EncoderKernel
  readonly #frames: WholeFrames
  readonly #converter: Converter
  /** 20 ms: LAME answers differently to other pieces */
  readonly #block: Uint8Array
  #filled = 0
  #isFreed = false

  constructor(format: PcmFormat, input: PcmFormat, kernel: EncoderKernel) {
    this.#kernel = kernel
    this.#frames = new WholeFrames(format)
    this.#converter = new Converter(format, input, {}, 'encode()')
    this.#block = new Uint8Array(Math.max(1, Math.round(input.sampleRate / 50)) * input.bytesPerFrame)
  }

  get head(): Uint8Array | undefined {
    return this.#kernel.head
  }

  push(bytes: Uint8Array, out: Output): void {
    this.#frames.push(bytes, { push: (frames) => this.#feed(this.#converter.convert(frames), out) })
  }

  #feed(pcm: Uint8Array, out: Output): void {
    const block = this.#block
    for (let at = 0; at < pcm.length; ) {
      const count = Math.min(block.length - this.#filled, pcm.length - at)
      block.set(pcm.subarray(at, at + count), this.#filled)
      at += count
      this.#filled += count
      if (this.#filled < block.length) return
      this.#filled = 0
      this.#kernel.push(block, out)
    }
  }

  /** Throws an error of the last frame once everything has been put out. */
  flush(out: Output): void {
    this.#feed(this.#converter.finish(), out)
    if (this.#filled > 0) this.#kernel.push(this.#block.subarray(0, this.#filled), out)
    this.#filled = 0
    this.#kernel.flush(out)
    this.free()
    this.#frames.flush()
  }

  free(): void {
    if (this.#isFreed) return
    this.#isFreed = true
    this.#kernel.free()
  }
}
