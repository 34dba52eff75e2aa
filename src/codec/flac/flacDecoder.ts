import type { WavespoolError } from '../../errors.ts'
import { decodingError } from '../decodingError.ts'
import type { DecoderKernel, DecoderOutput } from '../kernel.ts'
import { headOf } from './flacHead.ts'
import { FlacTrack } from './flacTrack.ts'
import { FrameScanner } from './frameScanner.ts'
import type { LibFlac } from './libflac.ts'
import { readStreamInfo } from './streamInfo.ts'

/**
 * A FLAC file into PCM. libFLAC reads when it wants to and takes too little for the end, so that it gets whole frames.
 */
export class FlacDecoder implements DecoderKernel {
  readonly #flac: LibFlac
  #track: FlacTrack | undefined
  #buffer: Buffer = Buffer.alloc(0)
  /** bytes of metadata that are passed over */
  #toSkip = 0
  #isBehindMetadata = false
  #hasMagic = false
  #scanner: FrameScanner | undefined
  #out: DecoderOutput | undefined

  static async create(): Promise<FlacDecoder> {
    return new FlacDecoder(await FlacTrack.load())
  }

  private constructor(flac: LibFlac) {
    this.#flac = flac
  }

  push(bytes: Uint8Array, out: DecoderOutput): void {
    const skipped = Math.min(this.#toSkip, bytes.length)
    this.#toSkip -= skipped
    let rest = bytes.subarray(skipped)
    if (!this.#isBehindMetadata) {
      this.#buffer = this.#buffer.length > 0 ? Buffer.concat([this.#buffer, rest]) : Buffer.from(rest)
      while (!this.#isBehindMetadata) if (!this.#readMetadata(out)) return
      rest = this.#buffer
      this.#buffer = Buffer.alloc(0)
    }
    this.#out = out
    this.#scanner!.push(rest)
  }

  /** @returns whether it can go on with what has come */
  #readMetadata(out: DecoderOutput): boolean {
    if (!this.#hasMagic) {
      if (this.#buffer.length < 4) return false
      this.#hasMagic = true // checked where this decoder was chosen
      this.#buffer = this.#buffer.subarray(4)
    }
    if (this.#buffer.length < 4) return false
    const isLast = (this.#buffer[0]! & 0x80) !== 0
    const type = this.#buffer[0]! & 0x7f
    const length = this.#buffer.readUIntBE(1, 3)
    if (type === 0) {
      if (this.#buffer.length < 4 + length) return false
      if (length < 34 || this.#track) throw corrupt('its metadata make no sense')
      const info = this.#buffer.subarray(4, 38)
      const format = readStreamInfo(info)
      if (format === undefined) throw corrupt('its STREAMINFO makes no sense')
      const track = new FlacTrack(this.#flac, format, headOf(info))
      this.#scanner = new FrameScanner(format, {
        frame: (frame) => track.decode(frame, this.#out!),
        loss: () => track.lose(),
      })
      this.#track = track
      track.begin(out)
    } else if (this.#track === undefined || type === 127) throw corrupt('its metadata make no sense')
    const skipped = Math.min(4 + length, this.#buffer.length)
    this.#toSkip = 4 + length - skipped
    this.#buffer = this.#buffer.subarray(skipped)
    this.#isBehindMetadata = isLast
    return this.#toSkip === 0
  }

  flush(out: DecoderOutput): void {
    if (!this.#isBehindMetadata) throw truncated()
    this.#out = out
    if (this.#scanner!.end()) throw truncated()
    this.#track!.end(out)
  }

  free(): void {
    this.#track?.free()
    this.#track = undefined
  }
}

function truncated(): WavespoolError {
  return decodingError('this FLAC file ends within a frame', { code: 'ERR_WAVESPOOL_TRUNCATED' })
}

function corrupt(reason: string): WavespoolError {
  return decodingError(`this FLAC file cannot be decoded any further: ${reason}`)
}
