import type { Output } from '../../format/wholeFrames.ts'
import { oggCrc } from './crc.ts'

/** a page holds at most so many lacing values */
const MAX_SEGMENTS = 255

/** Packets into pages of one logical stream, as RFC 3533 has it. */
export class OggWriter {
  readonly #serial: number
  readonly #out: Output
  #sequence = 0
  #packets: Uint8Array[] = []
  #lacing: number[] = []
  #granule = 0n

  constructor(serial: number, out: Output) {
    this.#serial = serial
    this.#out = out
  }

  /**
   * Adds a packet to the page that is being filled.
   *
   * @param granule position of its end, which the page has where it is the last one on it
   */
  add(packet: Uint8Array, granule: bigint): void {
    const segments = Math.floor(packet.length / 255) + 1
    if (this.#lacing.length + segments > MAX_SEGMENTS) this.flush()
    for (let remaining = packet.length; remaining >= 0; remaining -= 255)
      this.#lacing.push(Math.min(remaining, 255))
    this.#packets.push(packet)
    this.#granule = granule
  }

  /** packets on the page that is being filled */
  get waiting(): number {
    return this.#packets.length
  }

  /** Puts the page out. */
  flush(isLast = false): void {
    if (this.#packets.length === 0) return
    const header = Buffer.alloc(27 + this.#lacing.length)
    header.write('OggS', 0, 'latin1')
    header[5] = (this.#sequence === 0 ? 2 : 0) | (isLast ? 4 : 0) // header_type: first, last page
    header.writeBigInt64LE(this.#granule, 6)
    header.writeUInt32LE(this.#serial, 14)
    header.writeUInt32LE(this.#sequence++, 18)
    header[26] = this.#lacing.length
    header.set(this.#lacing, 27)
    const page = Buffer.concat([header, ...this.#packets])
    page.writeUInt32LE(oggCrc(page), 22)
    this.#packets = []
    this.#lacing = []
    this.#out.push(page)
  }
}
