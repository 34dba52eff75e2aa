import type { DecoderOutput } from '../kernel.ts'
import type { OggTrack } from '../ogg/oggDecoder.ts'
import type { OggPacket } from '../ogg/oggReader.ts'
import { type OpusHead, opusPacketSamples } from './opusHead.ts'
import { OpusTrack } from './opusTrack.ts'

/** The packets behind the OpusHead of an Ogg stream (RFC 7845), trimmed by its granule positions. */
export class OggOpus implements OggTrack {
  readonly #head: OpusHead
  readonly #track: OpusTrack
  #hasTags = false
  /** samples by granule positions: pre-skip included */
  #position: bigint | undefined
  #hasDecoded = false
  /** packets of the page that is being read, until its granule position says where they lie */
  #page: OggPacket[] = []

  static async create(head: OpusHead): Promise<OggOpus> {
    return new OggOpus(head, await OpusTrack.create(head))
  }

  private constructor(head: OpusHead, track: OpusTrack) {
    this.#head = head
    this.#track = track
  }

  packet(packet: OggPacket, out: DecoderOutput): void {
    if (!this.#hasTags) {
      this.#hasTags = true // OpusTags
      this.#track.begin(out)
      return
    }
    this.#page.push(packet)
    if (packet.remaining > 0) return
    const packets = this.#page
    this.#page = []
    this.#decode(packets, packet, out)
  }

  #decode(packets: OggPacket[], { granule, isLast }: OggPacket, out: DecoderOutput): void {
    const lengths = packets.map(({ data }) => opusPacketSamples(data))
    const samples = lengths.reduce((sum, each) => sum + each, 0)
    if (granule !== undefined && !isLast) {
      const start = granule - BigInt(samples)
      const isAfterGap = packets.some((each) => each.isAfterGap)
      if (isAfterGap && this.#position !== undefined) {
        const missing = start - this.#position
        out.gap(missing > 0n ? Number(missing) : undefined)
      }
      this.#position = start
    }
    if (isLast && packets.some((each) => each.isAfterGap)) {
      out.gap(undefined)
      this.#position = undefined // where it begins cannot be told from where it ends
    }
    if (!this.#hasDecoded) this.#position ??= 0n
    this.#hasDecoded = true
    // The last page ends where its granule position says, which may be before its last packet does.
    let trim = 0
    if (isLast && granule !== undefined && this.#position !== undefined) {
      const end = granule < BigInt(this.#head.preSkip) ? BigInt(this.#head.preSkip) : granule
      trim = Math.max(0, Math.min(samples, Number(this.#position + BigInt(samples) - end)))
    }
    let behind = samples
    packets.forEach(({ data }, i) => {
      const length = lengths[i]!
      behind -= length
      if (data.length === 0) return
      this.#track.decode(data, Math.max(0, Math.min(length, trim - behind)), out)
    })
    this.#position = (this.#position ?? 0n) + BigInt(samples)
  }

  flush(out: DecoderOutput): void {
    const packets = this.#page.filter(({ data }) => data.length > 0)
    this.#page = []
    if (packets.length > 0)
      this.#decode(packets, { ...packets.at(-1)!, granule: undefined, isLast: false }, out)
  }

  free(): void {
    this.#track.free()
  }
}
