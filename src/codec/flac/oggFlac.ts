import { WavespoolError } from '../../errors.ts'
import type { DecoderOutput } from '../kernel.ts'
import type { OggTrack } from '../ogg/oggDecoder.ts'
import type { OggPacket } from '../ogg/oggReader.ts'
import { headOf } from './flacHead.ts'
import { FlacTrack } from './flacTrack.ts'
import type { LibFlac } from './libflac.ts'
import { readStreamInfo } from './streamInfo.ts'

/** FLAC in Ogg (RFC 9639, 10.1): a frame a packet, behind packets of metadata. */
export class OggFlac implements OggTrack {
  readonly #track: FlacTrack
  #hasBegun = false

  static create(data: Uint8Array, flac: LibFlac): OggFlac {
    // 0x7F "FLAC", version, number of header packets, then the start of a FLAC file
    const info = data.length >= 51 ? data.subarray(17, 51) : undefined
    const format = info && readStreamInfo(info)
    if (info === undefined || format === undefined) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_CODEC',
        'this Ogg stream says FLAC, and its STREAMINFO makes no sense',
      )
    }
    return new OggFlac(new FlacTrack(flac, format, headOf(info)))
  }

  private constructor(track: FlacTrack) {
    this.#track = track
  }

  packet({ data, isAfterGap }: OggPacket, out: DecoderOutput): void {
    if (!this.#hasBegun) this.#track.begin(out)
    this.#hasBegun = true
    if (isAfterGap) this.#track.lose()
    if (data[0] !== 0xff) return // metadata
    if (!this.#track.decode(data, out)) this.#track.lose()
  }

  flush(out: DecoderOutput): void {
    this.#track.end(out)
  }

  free(): void {
    this.#track.free()
  }
}
