import { decodeSamples } from '../../dsp/decode.ts'
import { encodeSamples } from '../../dsp/encode.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'

/** Several mono tracks of equal length as one, into `out`. */
export type Combine = (tracks: readonly Uint8Array<ArrayBuffer>[], out: Buffer<ArrayBuffer>) => void

/** One channel a track, in their order, byte for byte. */
export function interleave({ bytesPerSample }: PcmFormat): Combine {
  // A unit is the largest integer that fills a sample, so that a sample of 16 bits is one step.
  const Units = bytesPerSample === 2 ? Uint16Array : bytesPerSample % 4 === 0 ? Uint32Array : Uint8Array
  const perSample = bytesPerSample / Units.BYTES_PER_ELEMENT
  const unitsOf = (bytes: Uint8Array<ArrayBuffer>) =>
    new Units(bytes.buffer, bytes.byteOffset, bytes.length / Units.BYTES_PER_ELEMENT)
  return (tracks, out) => {
    const target = unitsOf(out)
    const stride = tracks.length * perSample
    for (let track = 0; track < tracks.length; track++) {
      const units = unitsOf(tracks[track]!)
      if (perSample === 1) {
        for (let i = 0, at = track; i < units.length; i++, at += stride) target[at] = units[i]!
        continue
      }
      for (let i = 0, at = track * perSample; i < units.length; at += stride) {
        for (let unit = 0; unit < perSample; unit++) target[at + unit] = units[i++]!
      }
    }
  }
}

/** The sum of all tracks, cut off where it leaves the range of the encoding. */
export function mix(format: PcmFormat): Combine {
  let sum = new Float64Array(0)
  let samples = new Float64Array(0)
  return (tracks, out) => {
    const count = out.length / format.bytesPerSample
    if (sum.length < count) {
      sum = new Float64Array(count)
      samples = new Float64Array(count)
    }
    const total = sum.subarray(0, count)
    decodeSamples(tracks[0]!, format, total)
    for (let track = 1; track < tracks.length; track++) {
      decodeSamples(tracks[track]!, format, samples)
      for (let i = 0; i < count; i++) total[i] = total[i]! + samples[i]!
    }
    encodeSamples(total, format, out)
  }
}
