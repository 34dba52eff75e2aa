import { mp3Bitrates, readMpegFrame, writeMp3Header } from '../../format/mpegFrame.ts'

/** The values that are known at the end. */
export interface Mp3Length {
  /** MPEG frames, this one not counted */
  frames: number
  /** of the file, this frame included */
  bytes: number
  /** samples that the encoder put behind the last one that counts */
  padding: number
}

/** behind "Info": flags, frames, bytes, table of contents, quality */
const INFO_BYTES = 4 + 4 + 4 + 4 + 100 + 4
/** of LAME's extension behind it */
const LAME_BYTES = 36

/**
 * The frame at the start of an MP3 file that holds no sound but tells how long the file is, and how many samples to
 * drop at both ends: "Info" as Xing defined it (for constant bitrates), with LAME's extension.
 *
 * @param delay samples by which the encoder is late
 * @param length undefined while it is not known: the frame then tells the delay alone
 */
export function infoFrame(
  { sampleRate, channels, bitrate }: { sampleRate: number; channels: number; bitrate: number },
  delay: number,
  length: Mp3Length | undefined,
): Uint8Array {
  const isMpeg1 = sampleRate >= 32_000
  const sideInfo = isMpeg1 ? (channels === 1 ? 17 : 32) : channels === 1 ? 9 : 17
  const at = 4 + sideInfo
  const size = (rate: number) => readMpegFrame(writeMp3Header(sampleRate, channels, rate), 0)!.bytes
  const sufficient = [bitrate, ...mp3Bitrates(sampleRate)].find(
    (rate) => size(rate) >= at + INFO_BYTES + LAME_BYTES,
  )!
  const frame = Buffer.alloc(size(sufficient))
  frame.set(writeMp3Header(sampleRate, channels, sufficient))
  frame.write('Info', at, 'latin1')
  frame.writeUInt32BE(length ? 0b0111 : 0, at + 4) // flags of the fields that follow
  if (length) {
    frame.writeUInt32BE(length.frames, at + 8)
    frame.writeUInt32BE(length.bytes, at + 12)
    for (let i = 0; i < 100; i++) frame[at + 16 + i] = Math.floor((i * 256) / 100) // constant bitrate
  }
  const lame = at + 8 + (length ? 108 : 0)
  frame.write('LAME3.100', lame, 'latin1')
  frame[lame + 9] = 1 // revision 0, constant bitrate
  frame[lame + 20] = Math.min(255, bitrate / 1000)
  frame.writeUIntBE((delay << 12) | Math.min(4095, length?.padding ?? 0), lame + 21, 3)
  if (length) frame.writeUInt32BE(length.bytes, lame + 28)
  frame.writeUInt16BE(crc16(frame.subarray(0, lame + 34)), lame + 34)
  return frame
}

/** CRC-16 with polynomial 0x8005, least significant bit first, as LAME computes it. */
function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  }
  return crc
}
