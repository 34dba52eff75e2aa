import { crc8, crc16 } from '../../src/codec/flac/crc.ts'
import { type FlacFrameHeader, readFrameHeader } from '../../src/codec/flac/frameHeader.ts'

/** The metadata in front of the frames of a FLAC file, and each frame. */
export function partsOf(file: Buffer): { metadata: Buffer; frames: Buffer[] } {
  let at = 4
  for (let isLast = false; !isLast; at += 4 + file.readUIntBE(at + 1, 3)) isLast = (file[at]! & 0x80) !== 0
  const metadata = file.subarray(0, at)
  const frames: Buffer[] = []
  for (let next = at + 1; next <= file.length; next++) {
    const isEnd = next === file.length || readFrameHeader(file, next) !== undefined
    if (!isEnd || crc16(file, at, next) !== 0) continue
    frames.push(file.subarray(at, next))
    at = next
  }
  return { metadata, frames }
}

export const headerOf = (frame: Buffer): FlacFrameHeader => readFrameHeader(frame, 0)!

/** UTF-8's manner, of up to 16 bits. */
function codedNumber(value: number): Buffer {
  if (value < 0x80) return Buffer.of(value)
  const last = 0x80 | (value & 63)
  if (value < 0x800) return Buffer.of(0xc0 | (value >> 6), last)
  return Buffer.of(0xe0 | (value >> 12), 0x80 | ((value >> 6) & 63), last)
}

/** The frame as one of a stream of variable block size, which tells the number of its first sample. */
export function withSampleNumber(frame: Buffer, sample: number): Buffer {
  const header = headerOf(frame)
  const numberBytes = [0x80, 0x800, 0x10000].findIndex((limit) => header.number < limit) + 1
  const number = codedNumber(sample)
  const start = Buffer.concat([
    frame.subarray(0, 4),
    number,
    frame.subarray(4 + numberBytes, header.bytes - 1),
  ])
  start[1] = start[1]! | 1
  const body = [start, Buffer.of(crc8(start, 0, start.length)), frame.subarray(header.bytes, -2)]
  const crc = crc16(
    Buffer.concat(body),
    0,
    body.reduce((sum, { length }) => sum + length, 0),
  )
  return Buffer.concat([...body, Buffer.of(crc >> 8, crc & 0xff)])
}

/** The frames of several files behind the metadata of the first, as one stream of variable block size. */
export function variableBlocks(files: readonly Buffer[], most: number): Buffer {
  const metadata = Buffer.from(partsOf(files[0]!).metadata)
  let sample = 0
  const frames = files.flatMap((file) =>
    partsOf(file).frames.map((frame) => {
      const at = sample
      sample += headerOf(frame).blockSize
      return withSampleNumber(frame, at)
    }),
  )
  metadata.writeUInt16BE(16, 8)
  metadata.writeUInt16BE(most, 10)
  metadata.fill(0, 12, 18) // sizes of frames are not known
  metadata.writeUInt32BE(sample, 22)
  metadata.fill(0, 26, 42) // nor is the MD5
  return Buffer.concat([metadata, ...frames])
}
