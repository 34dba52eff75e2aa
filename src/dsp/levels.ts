import type { Encoding } from '../format/encoding.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { FULL_SCALE_16, FULL_SCALE_32 } from './fullScale.ts'
import { alawSamples, mulawSamples } from './g711.ts'
import { Scratch } from './scratch.ts'
import { addSamples, newSums, type Samples, type Sums } from './sums.ts'

/**
 * How loud a stretch of audio is. 0 dBFS is the largest value that a sample can have, for `rms` as for `peak`: a
 * square wave of full scale has an RMS of 0, a sine of full scale one of -3.01 (as in sox `stats` and ffmpeg
 * `astats`; AES17 calls that 0 dBFS, so add 3.01 for its reading). A constant offset counts. Floats that are infinite or
 * no number count as `nonFinite` alone, and as clipped where they are infinite.
 */
export interface ChannelLevels {
  /** the lowest sample, where full scale is -1 to 1 */
  min: number
  /** the highest sample, on the same scale */
  max: number
  /** dBFS of the sample that is farthest from zero; -Infinity for silence, above 0 for floats beyond full scale */
  peak: number
  /** dBFS of the root of the mean square; -Infinity for silence */
  rms: number
  /** samples at an end of the range that the encoding has, for floats at ±1 or beyond */
  clipped: number
  /** samples that are Infinity, -Infinity or NaN, where there are any */
  nonFinite?: number
}

/** The same over all channels, and for each. */
export interface Levels extends ChannelLevels {
  /** the levels of each channel, in the order of the samples */
  channels: ChannelLevels[]
}

/** The levels of a piece of PCM of whole frames. */
export function measureLevels(bytes: Uint8Array, format: PcmFormat): Levels {
  const meter = new LevelMeter(format)
  meter.add(bytes)
  return meter.take()
}

/** Measures PCM in pieces of whole frames; how they are cut does not change the result. */
export class LevelMeter {
  /** frames since the last {@link take} */
  frames = 0
  readonly #format: PcmFormat
  readonly #scale: Scale
  readonly #blockBytes: number
  #channels: Sums[]

  constructor(format: PcmFormat) {
    this.#format = format
    this.#scale = scales[format.encoding]
    this.#blockBytes = Math.ceil(BLOCK_BYTES / format.bytesPerFrame) * format.bytesPerFrame
    this.#channels = this.#newSums()
  }

  add(bytes: Uint8Array): void {
    const { bytesPerFrame } = this.#format
    for (let at = 0; at < bytes.length; at += this.#blockBytes) {
      const block =
        bytes.length <= this.#blockBytes
          ? bytes
          : bytes.subarray(at, Math.min(at + this.#blockBytes, bytes.length))
      addSamples(this.#channels, this.#samplesOf(block), this.#scale)
    }
    this.frames += bytes.length / bytesPerFrame
  }

  /** The levels of all that was added, to begin anew. */
  take(): Levels {
    const { full } = this.#scale
    const total: Sums = newSums()
    for (const sums of this.#channels) {
      total.min = Math.min(total.min, sums.min)
      total.max = Math.max(total.max, sums.max)
      total.squares += sums.squares
      total.clipped += sums.clipped
      total.nonFinite += sums.nonFinite
    }
    const channels = this.#channels.map((sums) => toLevels(sums, this.frames, full))
    const levels = Object.assign(toLevels(total, this.frames * channels.length, full), { channels })
    this.#channels = this.#newSums()
    this.frames = 0
    return levels
  }

  #newSums(): Sums[] {
    return Array.from({ length: this.#format.channels }, newSums)
  }

  /** The samples in the machine's own order, which is little-endian wherever Node has a build with PortAudio. */
  #samplesOf(bytes: Uint8Array): Samples {
    const { bytesPerSample } = this.#format
    const { Samples, table, isBigEndian = false } = this.#scale
    const count = bytes.length / bytesPerSample
    if (
      !isBigEndian &&
      Samples.BYTES_PER_ELEMENT === bytesPerSample &&
      bytes.byteOffset % bytesPerSample === 0
    ) {
      return new Samples(bytes.buffer as ArrayBuffer, bytes.byteOffset, count)
    }
    const samples = scratches.get(Samples)!.take(count)
    if (table !== undefined) {
      for (let i = 0; i < count; i++) samples[i] = table[bytes[i]!]!
    } else if (bytesPerSample === 3) {
      const [low, high] = isBigEndian ? [2, 0] : [0, 2]
      for (let i = 0, at = 0; i < count; i++, at += 3) {
        samples[i] = (bytes[at + low]! << 8) | (bytes[at + 1]! << 16) | (bytes[at + high]! << 24)
      }
    } else {
      new Uint8Array(samples.buffer).set(bytes)
      if (isBigEndian) turnRound(samples)
    }
    return samples
  }
}

/** Small enough to stay in the processor's cache while every channel is looked at. */
const BLOCK_BYTES = 2 ** 14

/** For samples that have to be decoded, or do not lie at a multiple of their size. */
const scratches = new Map<Scale['Samples'], Scratch<Samples>>(
  [Int16Array, Int32Array, Float32Array, Float64Array].map((Samples) => [
    Samples,
    new Scratch<Samples>(Samples),
  ]),
)

interface Scale {
  /** the type of the samples */
  Samples: Int16ArrayConstructor | Int32ArrayConstructor | Float32ArrayConstructor | Float64ArrayConstructor
  /** 0 dBFS in it */
  full: number
  /** the lowest sample that the encoding has */
  low: number
  /** the highest sample, on the same scale */
  high: number
  /** the sample of each code */
  table?: Int16Array
  isBigEndian?: true
}

const samples16 = { Samples: Int16Array, full: FULL_SCALE_16, low: -FULL_SCALE_16, high: FULL_SCALE_16 - 1 }
const samples32 = { Samples: Int32Array, full: FULL_SCALE_32, low: -FULL_SCALE_32, high: FULL_SCALE_32 - 1 }
/** in the upper bits of 32 */
const samples24 = { ...samples32, high: FULL_SCALE_32 - 2 ** 8 }
const floats32 = { Samples: Float32Array, full: 1, low: -1, high: 1 }

const scales: Record<Encoding, Scale> = {
  u8: tableScale(Int16Array.from({ length: 256 }, (_, code) => (code - 128) * 256)),
  s16le: samples16,
  s24le: samples24,
  s32le: samples32,
  f32le: floats32,
  f64le: { ...floats32, Samples: Float64Array },
  mulaw: tableScale(mulawSamples),
  alaw: tableScale(alawSamples),
  s16be: { ...samples16, isBigEndian: true },
  s24be: { ...samples24, isBigEndian: true },
  s32be: { ...samples32, isBigEndian: true },
  f32be: { ...floats32, isBigEndian: true },
}

/** Puts the bytes of each sample into the other order. */
function turnRound(samples: Samples): void {
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  if (samples.BYTES_PER_ELEMENT === 2) bytes.swap16()
  else bytes.swap32()
}

function tableScale(table: Int16Array): Scale {
  return { ...samples16, low: Math.min(...table), high: Math.max(...table), table }
}

function toLevels(sums: Sums, count: number, full: number): ChannelLevels {
  const isEmpty = sums.min > sums.max
  const min = isEmpty ? 0 : sums.min / full
  const max = isEmpty ? 0 : sums.max / full
  const rms = isEmpty ? 0 : Math.sqrt(sums.squares / count) / full
  const { clipped, nonFinite } = sums
  const levels = { min, max, peak: toDecibels(Math.max(-min, max)), rms: toDecibels(rms), clipped }
  return nonFinite === 0 ? levels : { ...levels, nonFinite }
}

function toDecibels(amplitude: number): number {
  return 20 * Math.log10(amplitude)
}
