/** The header of an MPEG audio frame of layer III (ISO/IEC 11172-3 and 13818-3, and the unofficial MPEG 2.5). */
export interface MpegFrame {
  /** the first two bits: 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5 */
  version: number
  layer: number
  sampleRate: number
  channels: 1 | 2
  /** of the frame, its header included */
  bytes: number
  samples: number
}

const rates = [44_100, 48_000, 32_000]
const kilobits = {
  1: [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  ],
  2: [
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  ],
}

/** @returns undefined where there is none at `at`, and where it says "free format" */
export function readMpegFrame(bytes: Uint8Array, at: number): MpegFrame | undefined {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) return undefined
  const version = (bytes[at + 1]! >> 3) & 3
  const layer = 4 - ((bytes[at + 1]! >> 1) & 3)
  const bitrateIndex = bytes[at + 2]! >> 4
  const rateIndex = (bytes[at + 2]! >> 2) & 3
  if (version === 1 || layer === 4 || bitrateIndex === 0 || bitrateIndex === 15 || rateIndex === 3)
    return undefined
  const sampleRate = rates[rateIndex]! / (version === 3 ? 1 : version === 2 ? 2 : 4)
  const bitrate = kilobits[version === 3 ? 1 : 2][layer - 1]![bitrateIndex]! * 1000
  const padding = (bytes[at + 2]! >> 1) & 1
  const samples = layer === 1 ? 384 : layer === 2 || version === 3 ? 1152 : 576
  const frameBytes =
    layer === 1
      ? (Math.floor((12 * bitrate) / sampleRate) + padding) * 4
      : Math.floor(((samples / 8) * bitrate) / sampleRate) + padding
  const channels = bytes[at + 3]! >> 6 === 3 ? 1 : 2
  return { version, layer, sampleRate, channels, bytes: frameBytes, samples }
}

/** The bitrates of layer III in bits a second. */
export function mp3Bitrates(sampleRate: number): number[] {
  const list = kilobits[sampleRate >= 32_000 ? 1 : 2][2]!.slice(1).map((each) => each * 1000)
  return sampleRate < 16_000 ? list.filter((each) => each <= 64_000) : list
}

/** The four bytes of a header of layer III without CRC or padding. */
export function writeMp3Header(sampleRate: number, channels: number, bitrate: number): Uint8Array {
  const version = sampleRate >= 32_000 ? 3 : sampleRate >= 16_000 ? 2 : 0
  const rateIndex = rates.indexOf(sampleRate * (version === 3 ? 1 : version === 2 ? 2 : 4))
  const bitrateIndex = kilobits[version === 3 ? 1 : 2][2]!.indexOf(bitrate / 1000)
  return Uint8Array.of(
    0xff,
    0xe0 | (version << 3) | (1 << 1) | 1,
    (bitrateIndex << 4) | (rateIndex << 2),
    channels === 1 ? 0xc0 : 0x40, // joint stereo
  )
}
