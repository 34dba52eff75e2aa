/** Bytes in front of the samples that never change in length: "fLaC", the block's header, and STREAMINFO. */
export const FLAC_HEAD_BYTES = 4 + 4 + 34
const STREAMINFO_AT = 8

export interface FlacFormat {
  minBlockSize: number
  maxBlockSize: number
  maxFrameBytes: number
  sampleRate: number
  channels: number
  bits: number
  /** 0 where it is not known */
  frames: number
}

/** STREAMINFO, 34 bytes, as RFC 9639 (8.2) lays them out; undefined where their values are impossible. */
export function readStreamInfo(bytes: Uint8Array): FlacFormat | undefined {
  const info = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const packed = info.readBigUInt64BE(10) // 20 bits rate, 3 channels − 1, 5 bits − 1, 36 samples
  const format = {
    minBlockSize: info.readUInt16BE(0),
    maxBlockSize: info.readUInt16BE(2),
    maxFrameBytes: info.readUIntBE(7, 3),
    sampleRate: Number(packed >> 44n),
    channels: Number((packed >> 41n) & 7n) + 1,
    bits: Number((packed >> 36n) & 31n) + 1,
    frames: Number(packed & 0xfffffffffn),
  }
  return format.sampleRate > 0 && format.maxBlockSize >= 16 && format.bits >= 4 ? format : undefined
}

/** The head of a file with the values that libFLAC has at the end: sizes of frames, length, MD5 of the samples. */
export function finalHead(
  head: Uint8Array,
  info: { min_framesize: number; max_framesize: number; total_samples: number; md5sum: string },
): Uint8Array {
  const copy = Buffer.from(head.subarray(0, FLAC_HEAD_BYTES))
  copy.writeUIntBE(info.min_framesize, STREAMINFO_AT + 4, 3)
  copy.writeUIntBE(info.max_framesize, STREAMINFO_AT + 7, 3)
  const packed = copy.readBigUInt64BE(STREAMINFO_AT + 10) & ~0xfffffffffn
  const frames = BigInt(info.total_samples)
  copy.writeBigUInt64BE(packed | (frames < 1n << 36n ? frames : 0n), STREAMINFO_AT + 10)
  copy.write(info.md5sum, STREAMINFO_AT + 18, 16, 'hex')
  return copy
}
