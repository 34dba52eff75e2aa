import { chunkOf } from './riff.ts'

/** The fields of a `fmt ` chunk, right or wrong. */
export interface Fmt {
  /** wFormatTag */
  tag?: number
  channels?: number
  rate?: number
  bits?: number
  /** nBlockAlign */
  align?: number
  byteRate?: number
  /** the bytes behind wBitsPerSample */
  rest?: Uint8Array
  isBigEndian?: boolean
}

const number = (bytes: number, value: number, isBigEndian: boolean) => {
  const buffer = Buffer.alloc(bytes)
  if (isBigEndian) buffer.writeUIntBE(value, 0, bytes)
  else buffer.writeUIntLE(value, 0, bytes)
  return buffer
}

/** The body of a `fmt ` chunk. */
export function fmtBody(fmt: Fmt = {}): Buffer {
  const { tag = 1, channels = 1, rate = 16_000, bits = 16, rest = Buffer.alloc(0), isBigEndian = false } = fmt
  const { align = Math.ceil(bits / 8) * channels } = fmt
  const { byteRate = rate * align } = fmt
  const u16 = (value: number) => number(2, value, isBigEndian)
  const u32 = (value: number) => number(4, value, isBigEndian)
  return Buffer.concat([u16(tag), u16(channels), u32(rate), u32(byteRate), u16(align), u16(bits), rest])
}

export function fmtChunk(fmt: Fmt = {}): Buffer {
  return chunkOf('fmt ', fmtBody(fmt))
}

/** The fields of WAVE_FORMAT_EXTENSIBLE behind wBitsPerSample. */
export function extension(
  { valid = 16, mask = 0, sub = 1, cbSize = 22 } = {},
  tail = '00001000800000aa00389b71',
): Buffer {
  const [u16, u32] = [(value: number) => number(2, value, false), (value: number) => number(4, value, false)]
  return Buffer.concat([u16(cbSize), u16(valid), u32(mask), u32(sub), Buffer.from(tail, 'hex')])
}

/** A chunk with a wrong size. */
export function chunkOfSize(id: string, body: Uint8Array, size: number): Buffer {
  const chunk = chunkOf(id, body)
  chunk.writeUInt32LE(size, 4)
  return chunk
}

/** The chunks in a file; its size is right unless another one is given. */
export function riffFile(
  chunks: Uint8Array[],
  { id = 'RIFF', size }: { id?: string; size?: number } = {},
): Buffer {
  const body = Buffer.concat([Buffer.from('WAVE'), ...chunks])
  return Buffer.concat([Buffer.from(id, 'latin1'), number(4, size ?? body.length, id === 'RIFX'), body])
}

/** A RIFX file of these samples, which are big-endian as its numbers are. */
export function rifxFile(fmt: Fmt, data: Uint8Array): Buffer {
  const chunk = (name: string, body: Uint8Array) =>
    Buffer.concat([Buffer.from(name), number(4, body.length, true), body, Buffer.alloc(body.length % 2)])
  return riffFile([chunk('fmt ', fmtBody({ ...fmt, isBigEndian: true })), chunk('data', data)], {
    id: 'RIFX',
  })
}

/** ds64 with these sizes. */
export function ds64Chunk(riff: number, data: number, frames: number): Buffer {
  const body = Buffer.alloc(28)
  for (const [i, value] of [riff, data, frames].entries()) body.writeBigUInt64LE(BigInt(value), i * 8)
  return chunkOf('ds64', body)
}

/** A Wave64 file, whose chunks begin at multiples of eight. */
export function wave64File(fmt: Fmt, data: Uint8Array, before: Buffer[] = []): Buffer {
  const chunks = [wave64Chunk('fmt ', fmtBody(fmt)), ...before, wave64Chunk('data', data)]
  const body = Buffer.concat([guid('wave'), ...chunks])
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(24 + body.length))
  return Buffer.concat([Buffer.from('riff'), Buffer.from('2e91cf11a5d628db04c10000', 'hex'), size, body])
}

export function wave64Chunk(name: string, body: Uint8Array): Buffer {
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(24 + body.length))
  return Buffer.concat([guid(name), size, body, Buffer.alloc((8 - (body.length % 8)) % 8)])
}

function guid(name: string): Buffer {
  return Buffer.concat([Buffer.from(name), Buffer.from('f3acd3118cd100c04f8edb8a', 'hex')])
}

/** An ID3v2.3 tag with a title, and `padding` zeros behind it. */
export function id3Tag(padding = 0): Buffer {
  const frame = Buffer.concat([Buffer.from('TIT2\0\0\0\x06\0\0\0hello', 'latin1'), Buffer.alloc(padding)])
  const size = [21, 14, 7, 0].map((bits) => (frame.length >> bits) & 0x7f)
  return Buffer.concat([Buffer.from('ID3\x03\0\0', 'latin1'), Buffer.from(size), frame])
}
