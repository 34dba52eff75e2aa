import type { Encoding } from '../format/encoding.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import {
  checkArguments,
  type MockSource,
  type MockSourceOptions,
  mockSourceOptions,
  pcmSource,
} from './mockSource.ts'

/** How a sample holds its number. */
export interface RampCode {
  /**
   * Numbers come round after the largest prime that fits: buffers have sizes like 65,536, and a loss of just that
   * much must not go unseen.
   */
  period: number
  write(bytes: Buffer, number: number, at: number): void
  read(bytes: Buffer, at: number): number
}

const PERIOD_8 = 251
const PERIOD_16 = 65_521
const PERIOD_24 = 16_777_213
const PERIOD_32 = 4_294_967_291

/** Floats hold 24 bits exactly, here scaled to -1…1. */
const HALF_24 = 2 ** 23

export const rampCodes: Partial<Record<Encoding, RampCode>> = {
  u8: {
    period: PERIOD_8,
    write: (bytes, number, at) => bytes.writeUInt8(number, at),
    read: (bytes, at) => bytes.readUInt8(at),
  },
  s16le: {
    period: PERIOD_16,
    write: (bytes, number, at) => bytes.writeInt16LE(number - 0x8000, at),
    read: (bytes, at) => bytes.readInt16LE(at) + 0x8000,
  },
  s24le: {
    period: PERIOD_24,
    write: (bytes, number, at) => bytes.writeIntLE(number - 0x800000, at, 3),
    read: (bytes, at) => bytes.readIntLE(at, 3) + 0x800000,
  },
  s32le: {
    period: PERIOD_32,
    write: (bytes, number, at) => bytes.writeInt32LE(number - 0x80000000, at),
    read: (bytes, at) => bytes.readInt32LE(at) + 0x80000000,
  },
  f32le: {
    period: PERIOD_24,
    write: (bytes, number, at) => bytes.writeFloatLE(number / HALF_24 - 1, at),
    read: (bytes, at) => (bytes.readFloatLE(at) + 1) * HALF_24,
  },
  f64le: {
    period: PERIOD_24,
    write: (bytes, number, at) => bytes.writeDoubleLE(number / HALF_24 - 1, at),
    read: (bytes, at) => (bytes.readDoubleLE(at) + 1) * HALF_24,
  },
}

/**
 * A saw tooth in which every sample tells its position: sample n of the stream, counted over all channels, holds n,
 * modulo the largest prime below 2⁸ (u8), 2¹⁶ (s16le), 2²⁴ (s24le, f32le, f64le) or 2³² (s32le). A hole, a doubled
 * chunk or swapped channels show at once; see `assertRamp()`.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format or option; mulaw and alaw have no room
 *
 * @example
 * await pipeline(ramp(format, { duration: { seconds: 2 } }), wavHeader(format), memo)
 * await assertRamp(memo, format, { duration: { seconds: 2 } })
 */
export function ramp(format: PcmFormat, options: MockSourceOptions = {}): MockSource {
  const checked = checkArguments(format, options, 'ramp()', mockSourceOptions, Object.keys(rampCodes))
  return pcmSource(checked, options, 'ramp()', rampMaker(checked))
}

/** Makes the bytes of the ramp between two frames. */
export function rampMaker(format: PcmFormat): (from: number, to: number) => Buffer {
  const { channels, bytesPerSample, encoding } = format
  const { period, write } = rampCodes[encoding]!
  const compute = (from: number, count: number) => {
    const bytes = Buffer.allocUnsafeSlow(count * bytesPerSample)
    for (let i = 0; i < count; i++) write(bytes, (from + i) % period, i * bytesPerSample)
    return bytes
  }
  // Short periods are copied; a long one would be a table of 50 MB and more.
  let table: Buffer | undefined
  return (from, to) => {
    const first = (from * channels) % period
    const count = (to - from) * channels
    if (period > PERIOD_16) return compute(first, count)
    table ??= compute(0, period)
    const bytes = Buffer.allocUnsafeSlow(count * bytesPerSample)
    let at = table.copy(bytes, 0, first * bytesPerSample)
    while (at < bytes.length) at += table.copy(bytes, at)
    return bytes
  }
}
