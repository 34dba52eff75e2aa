import { WavespoolError } from '../errors.ts'
import { type Container, fileKind, MARK_BYTES } from '../format/containers.ts'
import { id3Bytes } from '../format/id3.ts'
import { decodingError } from './decodingError.ts'
import { FlacDecoder } from './flac/flacDecoder.ts'
import type { DecoderKernel, DecoderOutput } from './kernel.ts'
import { Mp3Decoder } from './mp3/mp3Decoder.ts'
import { Mp4Decoder } from './mp4/mp4Decoder.ts'
import { OggDecoder } from './ogg/oggDecoder.ts'
import { WavDecoder } from './wavDecoder.ts'
import { WebmDecoder } from './webm/webmDecoder.ts'

/** Detects the container by the first bytes behind ID3v2 tags, which may hold pictures, and decodes it. */
export class Decoder implements DecoderKernel {
  container: Container | undefined
  #kernel: DecoderKernel | undefined
  #isTagged = false
  /** bytes of a tag that are still to come */
  #toSkip = 0
  #start: Buffer = Buffer.alloc(0)

  async push(bytes: Uint8Array, out: DecoderOutput): Promise<void> {
    if (this.#kernel) {
      await guarded(() => this.#kernel!.push(bytes, out))
      return
    }
    const skipped = Math.min(this.#toSkip, bytes.length)
    this.#toSkip -= skipped
    this.#start = Buffer.concat([this.#start, bytes.subarray(skipped)])
    for (let size = id3Bytes(this.#start); size !== undefined; size = id3Bytes(this.#start)) {
      this.#isTagged = true
      this.#toSkip = Math.max(0, size - this.#start.length)
      this.#start = this.#start.subarray(size)
    }
    if (this.#start.length >= MARK_BYTES) await this.#begin(out)
  }

  async #begin(out: DecoderOutput): Promise<void> {
    const kind = fileKind(this.#start)
    this.container = kind?.container ?? (this.#isTagged && !kind ? 'mp3' : undefined)
    if (this.container === undefined) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_CODEC',
        `this is ${kind?.name ?? 'of no kind that is known'}; decode() reads WAV, FLAC, MP3, Ogg, WebM and MP4`,
      )
    }
    const kernel = await createKernel(this.container)
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
    try {
      this.#kernel?.free()
    } catch {
      // The memory of a library that failed on broken bytes is left to the garbage collector.
    }
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
    throw decodingError(`this file cannot be decoded any further: ${reason}`, { cause: error })
  }
}
