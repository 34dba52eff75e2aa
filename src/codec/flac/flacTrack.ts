import { WavespoolError } from '../../errors.ts'
import { type PcmFormat, pcmFormat } from '../../format/pcmFormat.ts'
import type { DecoderOutput } from '../kernel.ts'
import { type LibFlac, loadLibFlac } from './libflac.ts'
import type { FlacFormat } from './streamInfo.ts'

/** Whole frames of a FLAC stream into integers of 8, 16, 24 or 32 bits, the unused ones of a sample zero. */
export class FlacTrack {
  readonly #flac: LibFlac
  readonly #decoder: number
  readonly #format: PcmFormat
  readonly #shift: number
  #pending: Uint8Array[]
  #out: DecoderOutput | undefined
  #fault: string | undefined

  static load(): Promise<LibFlac> {
    return loadLibFlac('decoding FLAC')
  }

  /** @param head "fLaC" and STREAMINFO, marked as the last block of metadata */
  constructor(flac: LibFlac, { sampleRate, channels, bits }: FlacFormat, head: Uint8Array) {
    const bytesPerSample = Math.ceil(bits / 8)
    const encoding = ({ 1: 'u8', 2: 's16le', 3: 's24le', 4: 's32le' } as const)[bytesPerSample]
    if (encoding === undefined || bits > 24) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_CODEC',
        `FLAC of ${bits} bits cannot be decoded; libFLAC 1.3 goes up to 24`,
      )
    }
    this.#flac = flac
    this.#format = pcmFormat({ sampleRate, channels, encoding })
    this.#shift = bytesPerSample * 8 - bits
    this.#pending = [head]
    this.#decoder = flac.create_libflac_decoder(false)
    flac.init_decoder_stream(
      this.#decoder,
      (bytes) => this.#read(bytes),
      (data, { blocksize }) => this.#write(data, blocksize),
      (_code, message) => {
        this.#fault = message
      },
      () => {},
    )
    flac.FLAC__stream_decoder_process_until_end_of_metadata(this.#decoder)
  }

  begin(out: DecoderOutput): void {
    out.begin(this.#format, 'flac')
  }

  #read(bytes: number): { buffer: Uint8Array; readDataLength: number; error: boolean } {
    const first = this.#pending.shift() ?? new Uint8Array(0)
    const buffer = first.subarray(0, bytes)
    if (first.length > bytes) this.#pending.unshift(first.subarray(bytes))
    return { buffer, readDataLength: buffer.length, error: false }
  }

  /** @param frame exactly one */
  decode(frame: Uint8Array, out: DecoderOutput): void {
    this.#pending.push(frame)
    this.#out = out
    const isDecoded = this.#flac.FLAC__stream_decoder_process_single(this.#decoder)
    this.#out = undefined
    if (isDecoded && this.#fault === undefined) return
    throw new WavespoolError(
      'ERR_WAVESPOOL_CODEC',
      `this FLAC stream cannot be decoded any further: ${this.#fault ?? 'libFLAC gave up'}; what came before it was delivered`,
    )
  }

  /** libflacjs gives each sample in 1, 2 or 4 bytes. */
  #write(channels: Uint8Array[], frames: number): void {
    const { bytesPerSample, bytesPerFrame } = this.#format
    const shift = this.#shift
    const pcm = Buffer.allocUnsafeSlow(frames * bytesPerFrame)
    channels.forEach((bytes, channel) => {
      const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      const given = bytes.length / frames
      let at = channel * bytesPerSample
      for (let i = 0; i < bytes.length; i += given, at += bytesPerFrame) {
        if (bytesPerSample === 1) pcm[at] = (from.getInt8(i) << shift) + 128
        else if (bytesPerSample === 2) {
          const value = from.getInt16(i, true) << shift
          pcm[at] = value
          pcm[at + 1] = value >> 8
        } else {
          const value = from.getInt32(i, true) << shift
          pcm[at] = value
          pcm[at + 1] = value >> 8
          pcm[at + 2] = value >> 16
        }
      }
    })
    this.#out?.push(pcm)
  }

  free(): void {
    this.#flac.FLAC__stream_decoder_finish(this.#decoder)
    this.#flac.FLAC__stream_decoder_delete(this.#decoder)
  }
}
