/** The identification header of RFC 7845, which WebM's CodecPrivate holds as well. */
export interface OpusHead {
  channels: number
  /** samples at 48 kHz that are dropped at the start */
  preSkip: number
  /** factor of the output gain */
  gain: number
  streamCount: number
  coupledStreamCount: number
  channelMapping: number[]
}

/** @returns undefined where it is none */
export function readOpusHead(bytes: Uint8Array): OpusHead | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (head.length < 19 || head.toString('latin1', 0, 8) !== 'OpusHead' || head[8]! > 15) return undefined
  const channels = head[9]!
  const family = head[18]!
  const preSkip = head.readUInt16LE(10)
  const gain = 10 ** (head.readInt16LE(16) / 256 / 20)
  if (channels === 0) return undefined
  if (family === 0) {
    if (channels > 2) return undefined
    const channelMapping = channels === 1 ? [0] : [0, 1]
    return { channels, preSkip, gain, streamCount: 1, coupledStreamCount: channels - 1, channelMapping }
  }
  if (head.length < 21 + channels) return undefined
  const [streamCount, coupledStreamCount] = [head[19]!, head[20]!]
  const channelMapping = [...head.subarray(21, 21 + channels)]
  const decoded = streamCount + coupledStreamCount
  const isSound =
    streamCount > 0 &&
    coupledStreamCount <= streamCount &&
    decoded <= 255 &&
    channelMapping.every((index) => index < decoded || index === 255)
  return isSound ? { channels, preSkip, gain, streamCount, coupledStreamCount, channelMapping } : undefined
}

/** For one or two channels (mapping family 0). */
export function writeOpusHead(channels: number, preSkip: number, inputRate: number): Buffer {
  const head = Buffer.alloc(19)
  head.write('OpusHead', 0, 'latin1')
  head[8] = 1 // version
  head[9] = channels
  head.writeUInt16LE(preSkip, 10)
  head.writeUInt32LE(inputRate, 12)
  return head // no gain, mapping family 0
}

/** OpusTags: the vendor, and no comments. */
export function writeOpusTags(vendor: string): Buffer {
  const name = Buffer.from(vendor)
  const tags = Buffer.alloc(16 + name.length)
  tags.write('OpusTags', 0, 'latin1')
  tags.writeUInt32LE(name.length, 8)
  tags.set(name, 12)
  return tags
}

/** Samples at 48 kHz that a packet lasts, by its first bytes (RFC 6716, 3.1); 0 where it is no packet. */
export function opusPacketSamples(packet: Uint8Array): number {
  if (packet.length === 0) return 0
  const toc = packet[0]!
  const config = toc >> 3
  const frame =
    config >= 16
      ? 120 << (config & 3)
      : config >= 12
        ? 480 << (config & 1)
        : [480, 960, 1920, 2880][config & 3]!
  const code = toc & 3
  const frames = code === 0 ? 1 : code < 3 ? 2 : packet.length < 2 ? 0 : packet[1]! & 63
  const samples = frame * frames
  return samples > 5760 ? 0 : samples // no packet lasts more than 120 ms
}
