import type { WavespoolError } from '../../errors.ts'
import { pcmFormat } from '../../format/pcmFormat.ts'
import { decodingError } from '../decodingError.ts'
import { interleave } from '../interleave.ts'
import type { DecoderOutput } from '../kernel.ts'
import type { OggTrack } from '../ogg/oggDecoder.ts'
import type { OggPacket } from '../ogg/oggReader.ts'
import { loadPeer } from '../peer.ts'

/**
 * The decoder inside @wasm-audio-decoders/ogg-vorbis, without the parser of Ogg around it, which takes whole pages and
 * answers with promises.
 */
interface LibraryDecoder {
  sendSetupHeader(packet: Uint8Array): void
  initDsp(): void
  decodePackets(packets: Uint8Array[]): { channelData: Float32Array[]; samplesDecoded: number }
  free(): void
}

/** a setup header is some kilobytes; the library's input has this capacity */
const MAX_PACKET_BYTES = 128 * 1024

/** The packets of a Vorbis stream in Ogg, trimmed by its granule positions (Vorbis I specification, A.2). */
export class OggVorbis implements OggTrack {
  readonly #decoder: LibraryDecoder
  readonly #format
  #headers = 1
  #position: bigint | undefined
  #page: OggPacket[] = []

  static async create(identification: Uint8Array): Promise<OggVorbis> {
    const head = Buffer.from(identification)
    const [channels, sampleRate] = head.length < 30 ? [0, 0] : [head[11]!, head.readUInt32LE(12)]
    if (channels === 0 || sampleRate === 0 || sampleRate > 200_000) throw corrupt('its header makes no sense')
    const name = '@wasm-audio-decoders/ogg-vorbis'
    const decoder = await loadPeer(name, 'decoding Vorbis', async () => {
      const { OggVorbisDecoder } = await import('@wasm-audio-decoders/ogg-vorbis')
      const made = new OggVorbisDecoder()
      await made.ready
      return (made as unknown as { _decoder: LibraryDecoder })._decoder
    })
    decoder.sendSetupHeader(identification)
    return new OggVorbis(decoder, sampleRate, channels)
  }

  private constructor(decoder: LibraryDecoder, sampleRate: number, channels: number) {
    this.#decoder = decoder
    this.#format = pcmFormat({ sampleRate, channels, encoding: 'f32le' })
  }

  packet(packet: OggPacket, out: DecoderOutput): void {
    if (packet.data.length > MAX_PACKET_BYTES && this.#headers !== 1) throw corrupt('a packet is too long')
    if (this.#headers < 3) {
      this.#headers += 1
      if (this.#headers < 3) return // the comment
      const isSetup = Buffer.from(packet.data.subarray(0, 7)).toString('latin1') === '\x05vorbis'
      if (!isSetup) throw corrupt('its setup header is missing')
      this.#decoder.sendSetupHeader(packet.data)
      this.#decoder.initDsp()
      out.begin(this.#format, 'vorbis')
      return
    }
    this.#page.push(packet)
    if (packet.remaining > 0) return
    this.#decode(this.#page.splice(0), packet, out)
  }

  #decode(packets: OggPacket[], { granule, isLast }: OggPacket, out: DecoderOutput): void {
    const { channelData, samplesDecoded } = this.#decoder.decodePackets(packets.map(({ data }) => data))
    if (samplesDecoded > 0 && channelData.length !== this.#format.channels) {
      throw corrupt('its number of channels changes')
    }
    const samples = BigInt(samplesDecoded)
    let start = 0
    let end = samplesDecoded
    if (granule !== undefined) {
      const first = granule - samples
      const isAfterGap = packets.some((each) => each.isAfterGap)
      if (isAfterGap && this.#position !== undefined) {
        const missing = first - this.#position
        out.gap(missing > 0n ? Number(missing) : undefined)
        this.#position = first
      }
      if (isLast) {
        const cut = (this.#position ?? 0n) + samples - granule
        if (cut > 0n) end = Number(cut > samples ? 0n : samples - cut)
      } else if (this.#position === undefined && first < 0n) start = Math.min(samplesDecoded, Number(-first))
      this.#position = granule
    } else if (this.#position !== undefined) this.#position += samples
    if (end > start) out.push(interleave(channelData, start, end))
  }

  flush(out: DecoderOutput): void {
    const packets = this.#page.splice(0)
    if (packets.length > 0)
      this.#decode(packets, { ...packets.at(-1)!, granule: undefined, isLast: false }, out)
  }

  free(): void {
    this.#decoder.free()
  }
}

function corrupt(reason: string): WavespoolError {
  return decodingError(`this Vorbis stream cannot be decoded any further: ${reason}`)
}
