import type { Encoding } from '../format/encoding.ts'

/** Puts a sample between -1 and 1 at a byte position. */
export type SampleWriter = (bytes: Buffer, value: number, at: number) => void

/** The encodings whose samples are plain numbers. */
export const sampleWriters: Partial<Record<Encoding, SampleWriter>> = {
  u8: (bytes, value, at) => bytes.writeUInt8(quantize(value, 0x7f) + 0x80, at),
  s16le: (bytes, value, at) => bytes.writeInt16LE(quantize(value, 0x7fff), at),
  s24le: (bytes, value, at) => bytes.writeIntLE(quantize(value, 0x7fffff), at, 3),
  s32le: (bytes, value, at) => bytes.writeInt32LE(quantize(value, 0x7fffffff), at),
  f32le: (bytes, value, at) => bytes.writeFloatLE(value, at),
  f64le: (bytes, value, at) => bytes.writeDoubleLE(value, at),
}

function quantize(value: number, fullScale: number): number {
  return Math.round(value * fullScale)
}
