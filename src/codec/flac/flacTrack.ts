import { WavespoolError } from '../../errors.ts'
import { viewOf } from '../../format/fields.ts'
import { type PcmFormat, pcmFormat } from '../../format/pcmFormat.ts'
import type { DecoderOutput } from '../kernel.ts'
import { type FlacFrameHeader, fitsStream, readFrameHeader, samplesBetween } from './frameHeader.ts'
import { type LibFlac, loadLibFlac } from './libflac.ts'
import type { FlacFormat } from './streamInfo.ts'

/** Whole frames of a FLAC stream into integers of 8, 16, 24 or 32 bits, the unused ones of a sample zero. */
export class FlacTrack {
  readonly #flac: LibFlac
  readonly #format: FlacFormat
  readonly #head: Uint8Array
  readonly #pcmFormat: PcmFormat
  readonly #shift: number
  #decoder = 0
  #pending: Uint8Array[] = []
  #pcm: Uint8Array | undefined
  #hasFault = false
  #previous: FlacFrameHeader | undefined
  #hasLost = false

  static load(): Promise<LibFlac> {
    return loadLibFlac('decoding FLAC')
  }

  /** @param head "fLaC" and STREAMINFO, marked as the last block of metadata */
  constructor(flac: LibFlac, format: FlacFormat, head: Uint8Array) {
    const { sampleRate, channels, bits } = format
    const bytesPerSample = Math.ceil(bits / 8)
    const encoding = ({ 1: 'u8', 2: 's16le', 3: 's24le', 4: 's32le' } as const)[bytesPerSample]
    if (encoding === undefined || bits > 24) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_CODEC',
        `FLAC of ${bits} bits cannot be decoded; libFLAC 1.3 goes up to 24`,
      )
    }
    this.#flac = flac
    this.#format = format
    this.#head = Uint8Array.from(head)
    this.#pcmFormat = pcmFormat({ sampleRate, channels, encoding })
    this.#shift = bytesPerSample * 8 - bits
    this.#start()
  }

  #start(): void {
    const flac = this.#flac
    this.#pending = [this.#head]
    this.#decoder = flac.create_libflac_decoder(false)
    flac.init_decoder_stream(
      this.#decoder,
      (bytes) => this.#read(bytes),
      (data, { blocksize }) => this.#write(data, blocksize),
      () => {
        this.#hasFault = true
      },
      () => {},
    )
    flac.FLAC__stream_decoder_process_until_end_of_metadata(this.#decoder)
  }

  begin(out: DecoderOutput): void {
    out.begin(this.#pcmFormat, 'flac')
  }

  #read(bytes: number): { buffer: Uint8Array; readDataLength: number; error: boolean } {
    const first = this.#pending.shift() ?? new Uint8Array(0)
    const buffer = first.subarray(0, bytes)
    if (first.length > bytes) this.#pending.unshift(first.subarray(bytes))
    return { buffer, readDataLength: buffer.length, error: false }
  }

  /**
   * Samples that are missing in front of the frame, by its number, are reported first.
   *
   * @param frame exactly one
   * @returns false where it cannot be decoded
   */
  decode(frame: Uint8Array, out: DecoderOutput): boolean {
    const header = readFrameHeader(frame, 0)
    if (header === undefined || !fitsStream(header, this.#format)) return false
    this.#pending.push(frame)
    this.#pcm = undefined
    this.#hasFault = false
    const isDecoded = this.#flac.FLAC__stream_decoder_process_single(this.#decoder)
    const pcm = this.#pcm as Uint8Array | undefined
    if (!isDecoded || this.#hasFault || pcm === undefined) {
      this.free() // it would go on searching, and take the end of the frame for the end of the stream
      this.#start()
      return false
    }
    this.#reportLoss(header, out)
    out.push(pcm)
    return true
  }

  #reportLoss(header: FlacFrameHeader, out: DecoderOutput): void {
    const isFirst = this.#previous === undefined && !this.#hasLost // a stream may begin at any number
    const missing = isFirst ? 0 : samplesBetween(this.#previous, header, this.#format)
    if (missing > 0) out.gap(missing)
    else if (missing < 0 && this.#hasLost) out.gap(undefined)
    this.#hasLost = false
    this.#previous = header
  }

  /** Says that frames may be missing in front of the next one. */
  lose(): void {
    this.#hasLost = true
  }

  /** Reports samples that are missing at the end. */
  end(out: DecoderOutput): void {
    if (!this.#hasLost) return
    this.#hasLost = false
    const { frames, maxBlockSize } = this.#format
    const last = this.#previous
    if (last === undefined) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_CODEC',
        'this FLAC stream cannot be decoded: none of its frames is sound',
      )
    }
    if (frames === 0) {
      out.gap(undefined)
      return
    }
    const start = last.isVariable ? last.number : last.number * maxBlockSize
    const missing = frames - start - last.blockSize
    if (missing > 0) out.gap(missing)
  }

  /** libflacjs gives each sample in 1, 2 or 4 bytes. */
  #write(channels: Uint8Array[], frames: number): void {
    const { bytesPerSample, bytesPerFrame } = this.#pcmFormat
    const shift = this.#shift
    const pcm = Buffer.allocUnsafeSlow(frames * bytesPerFrame)
    channels.forEach((bytes, channel) => {
      const from = viewOf(bytes)
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
    this.#pcm = pcm
  }

  free(): void {
    this.#flac.FLAC__stream_decoder_finish(this.#decoder)
    this.#flac.FLAC__stream_decoder_delete(this.#decoder)
  }
}
