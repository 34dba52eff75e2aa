import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import type { PcmFormat } from './pcmFormat.ts'

/** A stretch of audio, in exactly one unit. */
export type Span = { seconds: number } | { milliseconds: number } | { frames: number } | { bytes: number }

const units = ['seconds', 'milliseconds', 'frames', 'bytes'] as const

/**
 * The frames of a span: time becomes `floor(t × rate + 1e-6)` frames (the millionth of a frame makes up for
 * decimal fractions that binary floating point cannot hold: 0.29 s at 48 kHz is 13,920 frames, not 13,919),
 * `frames` must be whole, `bytes` are rounded down to whole frames.
 *
 * @throws {ArgumentTypeError} for anything but one unit with a number
 * @throws {ArgumentRangeError} for a span that is negative, not finite, or shorter than one frame
 */
export function spanFrames(format: PcmFormat, span: Span, name = 'span'): number {
  const given = typeof span === 'object' && span !== null ? Object.keys(span) : []
  const unit = units.find((u) => u === given[0])
  if (given.length !== 1 || unit === undefined) {
    const got = given.length > 0 ? `{ ${given.join(', ')} }` : show(span)
    throw new ArgumentTypeError(
      `${name} must be one of { seconds }, { milliseconds }, { frames } and { bytes }, got ${got}`,
    )
  }
  const amount = (span as Record<string, unknown>)[unit]
  if (typeof amount !== 'number') {
    throw new ArgumentTypeError(`${name}: ${unit} must be a number, got ${show(amount)}`)
  }
  if (!(amount > 0) || amount === Number.POSITIVE_INFINITY) {
    throw new ArgumentRangeError(`${name}: ${unit} must be more than 0 and finite, got ${amount}`)
  }
  if (unit === 'frames' && !Number.isInteger(amount)) {
    throw new ArgumentRangeError(`${name}: frames must be a whole number, got ${amount}`)
  }
  const frames = toFrames[unit](amount, format)
  if (frames < 1 || !Number.isSafeInteger(frames * format.bytesPerFrame)) {
    const frame = `a frame is ${format.bytesPerFrame} bytes or 1/${format.sampleRate} s`
    throw new ArgumentRangeError(
      `${name}: ${amount} ${unit} is ${frames < 1 ? 'less than one frame' : 'too long'} (${frame})`,
    )
  }
  return frames
}

const toFrames: Record<(typeof units)[number], (amount: number, format: PcmFormat) => number> = {
  seconds: (amount, { sampleRate }) => Math.floor(amount * sampleRate + 1e-6),
  milliseconds: (amount, { sampleRate }) => Math.floor((amount * sampleRate) / 1000 + 1e-6),
  frames: (amount) => amount,
  bytes: (amount, { bytesPerFrame }) => Math.floor(amount / bytesPerFrame),
}

/** The bytes of a span, always whole frames; see {@link spanFrames} for rounding and errors. */
export function spanBytes(format: PcmFormat, span: Span, name?: string): number {
  return spanFrames(format, span, name) * format.bytesPerFrame
}
