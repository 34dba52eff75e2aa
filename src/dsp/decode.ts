import type { PcmFormat } from '../format/pcmFormat.ts'
import { alawSamples, mulawSamples } from './g711.ts'

/**
 * Samples as numbers from −1 to 1, in the order in which they lie: integers are divided by half their range
 * (32,768 for s16le), floats are taken as they are, G.711 as the 16-bit samples that it stands for.
 *
 * @param bytes whole samples, at any alignment
 */
export function decodeSamples(
  bytes: Uint8Array,
  { encoding, bytesPerSample }: PcmFormat,
): Float32Array<ArrayBuffer> {
  const count = Math.floor(bytes.length / bytesPerSample)
  const out = new Float32Array(count)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (encoding) {
    case 'u8':
      for (let i = 0; i < count; i++) out[i] = (bytes[i]! - 128) / 128
      break
    case 's16le':
      for (let i = 0; i < count; i++) out[i] = view.getInt16(i * 2, true) / 2 ** 15
      break
    case 's24le':
      for (let i = 0; i < count; i++) out[i] = int24(bytes, i * 3) / 2 ** 23
      break
    case 's32le':
      for (let i = 0; i < count; i++) out[i] = view.getInt32(i * 4, true) / 2 ** 31
      break
    case 'f32le':
      for (let i = 0; i < count; i++) out[i] = view.getFloat32(i * 4, true)
      break
    case 'f64le':
      for (let i = 0; i < count; i++) out[i] = view.getFloat64(i * 8, true)
      break
    case 'mulaw':
      for (let i = 0; i < count; i++) out[i] = mulawSamples[bytes[i]!]! / 2 ** 15
      break
    case 'alaw':
      for (let i = 0; i < count; i++) out[i] = alawSamples[bytes[i]!]! / 2 ** 15
      break
  }
  return out
}

function int24(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 8) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 24)) >> 8
}

/** One channel of all: the mean of each frame. One channel stays as it is. */
export function mixToMono(samples: Float32Array<ArrayBuffer>, channels: number): Float32Array<ArrayBuffer> {
  if (channels === 1) return samples
  const mono = new Float32Array(samples.length / channels)
  for (let frame = 0, at = 0; frame < mono.length; frame++) {
    let sum = 0
    for (let channel = 0; channel < channels; channel++) sum += samples[at++]!
    mono[frame] = sum / channels
  }
  return mono
}

/** Numbers from −1 to 1 as 16-bit samples, rounded to the nearest, cut off at the ends of the range. */
export function toInt16Samples(samples: Float32Array): Int16Array<ArrayBuffer> {
  const out = new Int16Array(samples.length)
  for (let i = 0; i < out.length; i++)
    out[i] = Math.max(-32_768, Math.min(32_767, Math.round(samples[i]! * 32_768)))
  return out
}
