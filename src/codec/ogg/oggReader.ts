import { oggCrc } from './crc.ts'

export interface OggPacket {
  data: Uint8Array
  /** position at the end of the page, on the last packet that ends on it; of the others undefined */
  granule: bigint | undefined
  /** the packets that end on the same page, from this one on */
  remaining: number
  isFirst: boolean
  /** it is the last packet of its stream */
  isLast: boolean
  serial: number
  /** packets are missing in front of it */
  isAfterGap: boolean
}

const HEADER_BYTES = 27
const MAX_PAGE_BYTES = HEADER_BYTES + 255 + 255 * 255
/** The limit of a packet over many pages, such as a comment with a picture. No audio packet is as long. */
const MAX_PACKET_BYTES = 2 ** 24

/** One logical stream's packet of which a part has come. */
interface Partial {
  pieces: Uint8Array[]
  bytes: number
  nextSequence: number
  isAfterGap: boolean
}

/**
 * Packets out of the pages of an Ogg stream (RFC 3533), in any chunking. A page whose CRC is wrong is
 * skipped.
 */
export class OggReader {
  #buffer: Buffer = Buffer.alloc(0)
  readonly #streams = new Map<number, Partial>()
  readonly #onPacket: (packet: OggPacket) => void

  constructor(onPacket: (packet: OggPacket) => void) {
    this.#onPacket = onPacket
  }

  push(bytes: Uint8Array): void {
    this.#buffer = this.#buffer.length > 0 ? Buffer.concat([this.#buffer, bytes]) : Buffer.from(bytes)
    this.#read(false)
  }

  /** Ends the stream: the false start of a page that is not whole may hide others. */
  end(): void {
    this.#read(true)
  }

  #read(isEnd: boolean): void {
    const buffer = this.#buffer
    let at = 0
    for (;;) {
      const found = buffer.indexOf('OggS', at, 'latin1')
      if (found < 0) {
        at = Math.max(at, buffer.length - 3)
        break
      }
      at = found
      const size = pageBytes(buffer, at)
      const isWhole = size !== undefined && at + size <= buffer.length
      if (!isWhole && !isEnd) break
      const page = isWhole ? buffer.subarray(at, at + size) : undefined
      if (page && isSound(page)) {
        this.#readPage(page)
        at += page.length
      } else at += 4
    }
    this.#buffer = buffer.subarray(Math.min(at, buffer.length))
  }

  #readPage(page: Buffer): void {
    const flags = page[5]!
    const granule = page.readBigInt64LE(6)
    const serial = page.readUInt32LE(14)
    const sequence = page.readUInt32LE(18)
    const segments = page[26]!
    const isContinued = (flags & 1) !== 0
    if (!this.#streams.has(serial) && this.#streams.size > 64) this.#streams.clear()
    const stream = this.#streams.get(serial) ?? {
      pieces: [],
      bytes: 0,
      nextSequence: sequence,
      isAfterGap: false,
    }
    this.#streams.set(serial, stream)
    if (sequence !== stream.nextSequence || (!isContinued && stream.bytes > 0)) {
      stream.isAfterGap ||= sequence !== stream.nextSequence
      drop(stream)
    }
    stream.nextSequence = (sequence + 1) >>> 0
    let isUseless = isContinued && stream.bytes === 0 // its beginning is missing
    const ends = page.subarray(HEADER_BYTES, HEADER_BYTES + segments).filter((lacing) => lacing < 255).length
    let ended = 0
    let at = HEADER_BYTES + segments
    let start = at
    for (let i = 0; i < segments; i++) {
      const lacing = page[HEADER_BYTES + i]!
      at += lacing
      if (lacing === 255 && i < segments - 1) continue
      const piece = page.subarray(start, at)
      start = at
      if (lacing === 255 || !isUseless) {
        stream.pieces.push(piece)
        stream.bytes += piece.length
        if (stream.bytes > MAX_PACKET_BYTES) drop(stream)
      }
      if (lacing === 255) continue
      ended += 1
      if (isUseless) {
        isUseless = false
        continue
      }
      const data = stream.pieces.length === 1 ? stream.pieces[0]! : Buffer.concat(stream.pieces)
      const { isAfterGap } = stream
      stream.isAfterGap = false
      drop(stream)
      const isLastHere = ended === ends
      this.#onPacket({
        data,
        granule: isLastHere && granule >= 0n ? granule : undefined,
        remaining: ends - ended,
        isFirst: (flags & 2) !== 0,
        isLast: isLastHere && (flags & 4) !== 0,
        serial,
        isAfterGap,
      })
    }
  }
}

function drop(stream: Partial): void {
  stream.pieces = []
  stream.bytes = 0
}

/** @returns undefined while more bytes are needed to tell */
function pageBytes(buffer: Buffer, at: number): number | undefined {
  if (at + HEADER_BYTES > buffer.length) return undefined
  const segments = buffer[at + 26]!
  if (at + HEADER_BYTES + segments > buffer.length) return undefined
  let size = HEADER_BYTES + segments
  for (let i = 0; i < segments; i++) size += buffer[at + HEADER_BYTES + i]!
  return Math.min(size, MAX_PAGE_BYTES)
}

function isSound(page: Buffer): boolean {
  if (page[4] !== 0) return false // stream_structure_version
  let crc = oggCrc(page.subarray(0, 22))
  crc = oggCrc(zeros, crc)
  return oggCrc(page.subarray(26), crc) === page.readUInt32LE(22)
}

const zeros = new Uint8Array(4)
