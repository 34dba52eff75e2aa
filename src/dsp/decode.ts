import { viewOf } from '../format/fields.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { FULL_SCALE_16, FULL_SCALE_24, FULL_SCALE_32 } from './fullScale.ts'
import { alawSamples, mulawSamples } from './g711.ts'
import type { Samples } from './scratch.ts'

/**
 * Samples as numbers from −1 to 1, in the order in which they lie: integers are divided by half their range
 * (32,768 for s16le), floats are taken as they are, G.711 as the 16-bit samples that it stands for. A Float64Array
 * holds all of them exactly; a Float32Array all but those of 32 bits and f64le.
 *
 * @param bytes whole samples, at any alignment
 * @param out where they go, from its beginning; new unless given
 */
export function decodeSamples<T extends Samples = Float32Array<ArrayBuffer>>(
  bytes: Uint8Array,
  { encoding, bytesPerSample }: Pick<PcmFormat, 'encoding' | 'bytesPerSample'>,
  out = new Float32Array(Math.floor(bytes.length / bytesPerSample)) as Samples as T,
): T {
  const count = Math.floor(bytes.length / bytesPerSample)
  const view = viewOf(bytes)
  switch (encoding) {
    case 'u8':
      for (let i = 0; i < count; i++) out[i] = (bytes[i]! - 128) / 128
      break
    case 's16le':
      for (let i = 0; i < count; i++) out[i] = view.getInt16(i * 2, true) / FULL_SCALE_16
      break
    case 's24le':
      for (let i = 0; i < count; i++) out[i] = int24(bytes, i * 3) / FULL_SCALE_24
      break
    case 's32le':
      for (let i = 0; i < count; i++) out[i] = view.getInt32(i * 4, true) / FULL_SCALE_32
      break
    case 'f32le':
      for (let i = 0; i < count; i++) out[i] = view.getFloat32(i * 4, true)
      break
    case 's16be':
      for (let i = 0; i < count; i++) out[i] = view.getInt16(i * 2) / FULL_SCALE_16
      break
    case 's24be':
      for (let i = 0; i < count; i++) {
        out[i] =
          (((bytes[i * 3]! << 24) | (bytes[i * 3 + 1]! << 16) | (bytes[i * 3 + 2]! << 8)) >> 8) /
          FULL_SCALE_24
      }
      break
    case 's32be':
      for (let i = 0; i < count; i++) out[i] = view.getInt32(i * 4) / FULL_SCALE_32
      break
    case 'f32be':
      for (let i = 0; i < count; i++) out[i] = view.getFloat32(i * 4)
      break
    case 'f64le':
      for (let i = 0; i < count; i++) out[i] = view.getFloat64(i * 8, true)
      break
    case 'mulaw':
      for (let i = 0; i < count; i++) out[i] = mulawSamples[bytes[i]!]! / FULL_SCALE_16
      break
    case 'alaw':
      for (let i = 0; i < count; i++) out[i] = alawSamples[bytes[i]!]! / FULL_SCALE_16
      break
  }
  return out
}

function int24(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 8) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 24)) >> 8
}
