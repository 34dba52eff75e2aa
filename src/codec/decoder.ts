import { WavespoolError } from '../errors.ts'
import { type Container, containerOf, SNIFFED_BYTES } from './container.ts'
import { FlacDecoder } from './flac/flacDecoder.ts'
import type { DecoderKernel, DecoderOutput } from './kernel.ts'
import { Mp3Decoder } from './mp3/mp3Decoder.ts'
import { Mp4Decoder } from './mp4/mp4Decoder.ts'
import { OggDecoder } from './ogg/oggDecoder.ts'
import { WavDecoder } from './wavDecoder.ts'
import { WebmDecoder } from './webm/webmDecoder.ts'

/** Looks at the first bytes, and decodes by what they say. */
export class Decoder implements DecoderKernel {
  #kernel: DecoderKernel | undefined
  #start: Buffer = Buffer.alloc(0)

  async push(bytes: Uint8Array, out: DecoderOutput): Promise<void> {
    if (this.#kernel) {
      await guarded(() => this.#kernel!.push(bytes, out))
      return
    }
    this.#start = Buffer.concat([this.#start, bytes])
    if (this.#start.length >= SNIFFED_BYTES) await this.#begin(out)
  }

  async #begin(out: DecoderOutput): Promise<void> {
    const container = containerOf(this.#start)
    if (container === undefined) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_CODEC',
        'this is none of the files that decode() reads: WAV, FLAC, MP3, Ogg, WebM, MP4',
      )
    }
    const kernel = await createKernel(container)
    this.#kernel = kernel
    const start = this.#start
    this.#start = Buffer.alloc(0)
    await guarded(() => kernel.push(start, out))
  }

  async flush(out: DecoderOutput): Promise<void> {
    if (this.#kernel === undefined) await this.#begin(out)
    await guarded(() => this.#kernel!.flush(out))
  }

  free(): void {
    this.#kernel?.free()
  }
}

async function createKernel(container: Container): Promise<DecoderKernel> {
  switch (container) {
    case 'wav':
      return new WavDecoder()
    case 'flac':
      return FlacDecoder.create()
    case 'mp3':
      return Mp3Decoder.create()
    case 'ogg':
      return new OggDecoder()
    case 'webm':
      return new WebmDecoder()
    case 'mp4':
      return Mp4Decoder.create()
  }
}

/** Turns the error of a library that does not understand the bytes into ours. */
async function guarded(work: () => void | Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof WavespoolError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new WavespoolError(
      'ERR_WAVESPOOL_CODEC',
      `this file cannot be decoded any further: ${reason}; what came before it was delivered`,
      { cause: error },
    )
  }
}
