import { WavespoolError } from '../../errors.ts'
import type { DecoderKernel, DecoderOutput } from '../kernel.ts'
import { crc16 } from './crc.ts'
import { headOf } from './flacHead.ts'
import { FlacTrack } from './flacTrack.ts'
import { MAX_FRAME_HEADER_BYTES, readFrameHeader } from './frameHeader.ts'
import type { LibFlac } from './libflac.ts'
import { type FlacFormat, readStreamInfo } from './streamInfo.ts'

/**
 * A FLAC file into PCM. libFLAC reads when it wants to and takes too little for the end, so that it gets whole frames:
 * where one ends is known when its CRC is right and another begins behind it.
 */
export class FlacDecoder implements DecoderKernel {
  readonly #flac: LibFlac
  #track: FlacTrack | undefined
  #format: FlacFormat | undefined
  #buffer: Buffer = Buffer.alloc(0)
  /** bytes of metadata that are passed over */
  #toSkip = 0
  #isBehindMetadata = false
  #hasMagic = false
  /** bytes of the frame at the start of the buffer that are in its CRC */
  #checked = 0
  #crc = 0

  static async create(): Promise<FlacDecoder> {
    return new FlacDecoder(await FlacTrack.load())
  }

  private constructor(flac: LibFlac) {
    this.#flac = flac
  }

  push(bytes: Uint8Array, out: DecoderOutput): void {
    const skipped = Math.min(this.#toSkip, bytes.length)
    this.#toSkip -= skipped
    const rest = bytes.subarray(skipped)
    this.#buffer = this.#buffer.length > 0 ? Buffer.concat([this.#buffer, rest]) : Buffer.from(rest)
    while (!this.#isBehindMetadata) if (!this.#readMetadata(out)) return
    this.#readFrames(out, false)
  }

  /** @returns whether it can go on with what has come */
  #readMetadata(out: DecoderOutput): boolean {
    if (!this.#hasMagic) {
      if (this.#buffer.length < 4) return false
      this.#hasMagic = true // looked at by whoever chose this decoder
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
      this.#format = readStreamInfo(info)
      if (this.#format === undefined) throw corrupt('its STREAMINFO makes no sense')
      this.#track = new FlacTrack(this.#flac, this.#format, headOf(info))
      this.#track.begin(out)
    } else if (this.#track === undefined || type === 127) throw corrupt('its metadata make no sense')
    const skipped = Math.min(4 + length, this.#buffer.length)
    this.#toSkip = 4 + length - skipped
    this.#buffer = this.#buffer.subarray(skipped)
    this.#isBehindMetadata = isLast
    return this.#toSkip === 0
  }

  #readFrames(out: DecoderOutput, isEnd: boolean): void {
    for (;;) {
      const buffer = this.#buffer
      if (buffer.length === 0 || (!isEnd && buffer.length < MAX_FRAME_HEADER_BYTES)) return
      const header = readFrameHeader(buffer, 0)
      if (header === undefined) {
        if (isTag(buffer)) return
        throw isEnd && buffer.length < MAX_FRAME_HEADER_BYTES ? truncated() : corrupt('a frame was expected')
      }
      const end = this.#findEnd(header.bytes + 2, isEnd)
      if (end === undefined) {
        if (isEnd) throw truncated()
        if (buffer.length > this.#most) throw corrupt('a frame has no end')
        return
      }
      this.#track!.decode(buffer.subarray(0, end), out)
      this.#buffer = buffer.subarray(end)
      this.#checked = 0
      this.#crc = 0
    }
  }

  /** More than this is no frame: the samples as they are, and room for headers. */
  get #most(): number {
    const { maxBlockSize, channels, bits } = this.#format!
    return 2 * (Math.ceil((maxBlockSize * channels * (bits + 1)) / 8) + 1024) + MAX_FRAME_HEADER_BYTES
  }

  #findEnd(from: number, isEnd: boolean): number | undefined {
    const buffer = this.#buffer
    for (
      let at = buffer.indexOf(0xff, Math.max(from, this.#checked));
      at >= 0;
      at = buffer.indexOf(0xff, at + 1)
    ) {
      if (!isEnd && at + MAX_FRAME_HEADER_BYTES > buffer.length) return undefined
      this.#check(at)
      if (this.#crc === 0 && readFrameHeader(buffer, at) !== undefined) return at
    }
    if (!isEnd) return undefined
    const end = buffer.length - (isTag(buffer.subarray(-128)) ? 128 : 0)
    if (end >= this.#checked) this.#check(end)
    return this.#crc === 0 ? end : undefined
  }

  #check(end: number): void {
    this.#crc = crc16(this.#buffer, this.#checked, end, this.#crc)
    this.#checked = end
  }

  flush(out: DecoderOutput): void {
    if (!this.#isBehindMetadata) throw truncated()
    this.#readFrames(out, true)
  }

  free(): void {
    this.#track?.free()
    this.#track = undefined
  }
}

/** ID3v1 stands behind some files. */
function isTag(buffer: Buffer): boolean {
  return buffer.length <= 128 && buffer.toString('latin1', 0, 3) === 'TAG'
}

function truncated(): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_TRUNCATED',
    'this FLAC file ends within a frame; what came before it was delivered',
  )
}

function corrupt(reason: string): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_CODEC',
    `this FLAC file cannot be decoded any further: ${reason}; what came before it was delivered`,
  )
}
