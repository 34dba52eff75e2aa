import { WavespoolError } from '../../errors.ts'
import { FlacTrack } from '../flac/flacTrack.ts'
import { OggFlac } from '../flac/oggFlac.ts'
import type { DecoderKernel, DecoderOutput } from '../kernel.ts'
import { OggOpus } from '../opus/oggOpus.ts'
import { readOpusHead } from '../opus/opusHead.ts'
import { OggVorbis } from '../vorbis/oggVorbis.ts'
import { type OggPacket, OggReader } from './oggReader.ts'

/** Decodes the packets of one logical stream. */
export interface OggTrack {
  packet(packet: OggPacket, out: DecoderOutput): void
  flush(out: DecoderOutput): void
  free(): void
}

/** Audio in Ogg: the first stream of a codec that is known, and those that are chained behind it. */
export class OggDecoder implements DecoderKernel {
  readonly #packets: OggPacket[] = []
  readonly #reader = new OggReader((packet) => this.#packets.push(packet))
  #track: OggTrack | undefined
  #serial: number | undefined
  #hasBegun = false
  #bytesBefore = 0

  async push(bytes: Uint8Array, out: DecoderOutput): Promise<void> {
    this.#reader.push(bytes)
    await this.#readPackets(out)
    if (this.#hasBegun) return
    this.#bytesBefore += bytes.length
    if (this.#bytesBefore > 2 ** 20) throw unknown()
  }

  async #readPackets(out: DecoderOutput): Promise<void> {
    for (const packet of this.#packets.splice(0)) {
      if (this.#track === undefined) await this.#begin(packet)
      else if (packet.serial === this.#serial) {
        this.#track.packet(packet, out)
        if (packet.isLast) this.#endTrack(out)
      }
    }
  }

  async #begin({ data, isFirst, serial }: OggPacket): Promise<void> {
    if (!isFirst) return
    this.#track = await createTrack(data)
    if (this.#track === undefined) return // a picture, or text
    this.#serial = serial
    this.#hasBegun = true
  }

  #endTrack(out: DecoderOutput): void {
    this.#track?.flush(out)
    this.#track?.free()
    this.#track = undefined
  }

  async flush(out: DecoderOutput): Promise<void> {
    this.#reader.end()
    await this.#readPackets(out)
    this.#endTrack(out)
    if (!this.#hasBegun) throw unknown()
  }

  free(): void {
    this.#track?.free()
    this.#track = undefined
  }
}

async function createTrack(data: Uint8Array): Promise<OggTrack | undefined> {
  const start = Buffer.from(data.subarray(0, 8)).toString('latin1')
  if (start === 'OpusHead') {
    const head = readOpusHead(data)
    return head && OggOpus.create(head)
  }
  if (start.startsWith('\x01vorbis')) return OggVorbis.create(data)
  if (start.startsWith('\x7fFLAC')) return OggFlac.create(data, await FlacTrack.load())
  return undefined
}

function unknown(): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_CODEC',
    'this Ogg stream holds no Opus, Vorbis or FLAC, or not its beginning',
  )
}
