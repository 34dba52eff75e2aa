import { viewOf } from '../format/fields.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { FULL_SCALE_8, FULL_SCALE_16, FULL_SCALE_24, FULL_SCALE_32 } from './fullScale.ts'
import { alawCode, mulawCode } from './g711.ts'
import type { Samples } from './scratch.ts'

/**
 * Numbers from −1 to 1 as samples of an encoding. Integers are rounded to the nearest, a half upwards, and cut off at
 * the ends of their range; NaN becomes silence. G.711 takes the interval that the number lies in.
 * Floats are kept as they are, above 1 too.
 *
 * @param out room for as many samples, at any alignment
 */
export function encodeSamples(
  samples: Samples,
  { encoding }: Pick<PcmFormat, 'encoding'>,
  out: Uint8Array,
): void {
  const count = samples.length
  const view = viewOf(out)
  switch (encoding) {
    case 'u8':
      for (let i = 0; i < count; i++) out[i] = quantize(samples[i]! * FULL_SCALE_8 + 0.5, FULL_SCALE_8) + 128
      break
    case 's16le':
      for (let i = 0; i < count; i++) {
        view.setInt16(i * 2, quantize(samples[i]! * FULL_SCALE_16 + 0.5, FULL_SCALE_16), true)
      }
      break
    case 's24le':
      for (let i = 0, at = 0; i < count; i++) {
        const sample = quantize(samples[i]! * FULL_SCALE_24 + 0.5, FULL_SCALE_24)
        out[at++] = sample
        out[at++] = sample >> 8
        out[at++] = sample >> 16
      }
      break
    case 's32le':
      for (let i = 0; i < count; i++) {
        view.setInt32(i * 4, quantize(samples[i]! * FULL_SCALE_32 + 0.5, FULL_SCALE_32), true)
      }
      break
    case 'f32le':
      for (let i = 0; i < count; i++) view.setFloat32(i * 4, samples[i]!, true)
      break
    case 's16be':
      for (let i = 0; i < count; i++)
        view.setInt16(i * 2, quantize(samples[i]! * FULL_SCALE_16 + 0.5, FULL_SCALE_16))
      break
    case 's24be':
      for (let i = 0, at = 0; i < count; i++) {
        const sample = quantize(samples[i]! * FULL_SCALE_24 + 0.5, FULL_SCALE_24)
        out[at++] = sample >> 16
        out[at++] = sample >> 8
        out[at++] = sample
      }
      break
    case 's32be':
      for (let i = 0; i < count; i++)
        view.setInt32(i * 4, quantize(samples[i]! * FULL_SCALE_32 + 0.5, FULL_SCALE_32))
      break
    case 'f32be':
      for (let i = 0; i < count; i++) view.setFloat32(i * 4, samples[i]!)
      break
    case 'f64le':
      for (let i = 0; i < count; i++) view.setFloat64(i * 8, samples[i]!, true)
      break
    case 'mulaw':
      for (let i = 0; i < count; i++) out[i] = mulawCode(quantize(samples[i]! * 2 ** 13, 2 ** 13))
      break
    case 'alaw':
      for (let i = 0; i < count; i++) out[i] = alawCode(quantize(samples[i]! * 2 ** 11, 2 ** 11))
      break
  }
}

/** The whole number below, within −limit to limit − 1; 0 for NaN. */
function quantize(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit - 1, Math.floor(value))) | 0
}
