import { crc8 } from './crc.ts'
import type { FlacFormat } from './streamInfo.ts'

export interface FlacFrameHeader {
  /** of the header, its CRC included */
  bytes: number
  /** samples of each channel */
  blockSize: number
  /** of the first sample, or of the frame where all blocks are of one size */
  number: number
  isVariable: boolean
  channels: number
  /** 0: as STREAMINFO says */
  bits: number
  /** 0: as STREAMINFO says */
  sampleRate: number
}

/** the most that a header has: sync and codes, a number of 7 bytes, two of block size, two of the rate, CRC */
export const MAX_FRAME_HEADER_BYTES = 16

const bitsOf = [0, 8, 12, -1, 16, 20, 24, 32]
const ratesOf = [0, 88_200, 176_400, 192_000, 8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000]

/**
 * The header of a FLAC frame (RFC 9639, 9.1).
 *
 * @returns undefined where no header begins at `at`, or its CRC is wrong
 */
export function readFrameHeader(bytes: Uint8Array, at: number): FlacFrameHeader | undefined {
  if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xfe) !== 0xf8 || at + 6 > bytes.length) return undefined
  const isVariable = (bytes[at + 1]! & 1) === 1
  const blockCode = bytes[at + 2]! >> 4
  const rateCode = bytes[at + 2]! & 15
  const channelCode = bytes[at + 3]! >> 4
  const bits = bitsOf[(bytes[at + 3]! >> 1) & 7]!
  if (blockCode === 0 || rateCode === 15 || channelCode > 10 || bits < 0 || (bytes[at + 3]! & 1) === 1)
    return undefined
  const coded = codedNumber(bytes, at + 4)
  if (coded === undefined) return undefined
  let end = coded.end
  let blockSize = blockCode === 1 ? 192 : blockCode < 6 ? 576 << (blockCode - 2) : 256 << (blockCode - 8)
  if (blockCode === 6) blockSize = bytes[end++]! + 1
  else if (blockCode === 7) {
    blockSize = ((bytes[end]! << 8) | bytes[end + 1]!) + 1
    end += 2
  }
  let sampleRate = ratesOf[rateCode] ?? 0
  if (rateCode === 12) sampleRate = bytes[end++]! * 1000
  else if (rateCode > 12) {
    sampleRate = ((bytes[end]! << 8) | bytes[end + 1]!) * (rateCode === 14 ? 10 : 1)
    end += 2
  }
  if (end >= bytes.length || crc8(bytes, at, end) !== bytes[end]) return undefined
  const channels = channelCode < 8 ? channelCode + 1 : 2
  return { bytes: end + 1 - at, blockSize, number: coded.value, isVariable, channels, bits, sampleRate }
}

/** Whether the stream that STREAMINFO describes can hold this frame. */
export function fitsStream(header: FlacFrameHeader, format: FlacFormat): boolean {
  const { channels, bits, sampleRate, blockSize } = header
  return (
    channels === format.channels &&
    (bits === 0 || bits === format.bits) &&
    (sampleRate === 0 || sampleRate === format.sampleRate) &&
    blockSize <= format.maxBlockSize
  )
}

/**
 * The samples of each channel that are missing between two frames; negative where the numbers go back.
 *
 * @param previous undefined where `next` is the first one
 */
export function samplesBetween(
  previous: FlacFrameHeader | undefined,
  next: FlacFrameHeader,
  format: FlacFormat,
): number {
  if (next.isVariable) return next.number - (previous ? previous.number + previous.blockSize : 0)
  return (next.number - (previous ? previous.number + 1 : 0)) * format.maxBlockSize
}

/** A number of up to 36 bits in UTF-8's manner. */
function codedNumber(bytes: Uint8Array, at: number): { value: number; end: number } | undefined {
  const first = bytes[at]!
  const ones = Math.clz32(~(first << 24))
  if (ones === 0) return { value: first, end: at + 1 }
  if (ones === 1 || ones > 7 || at + ones > bytes.length) return undefined
  let value = first & (0x7f >> ones)
  for (let i = 1; i < ones; i++) {
    const byte = bytes[at + i]!
    if (byte >> 6 !== 2) return undefined
    value = value * 64 + (byte & 63)
  }
  return { value, end: at + ones }
}
