import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { checkOptions } from '../options.ts'
import { type Encoding, encodings } from './encoding.ts'

/** The meaning of the bytes of a PCM stream. Immutable; made by {@link pcmFormat}. */
export interface PcmFormat {
  /** frames per second, in Hz */
  readonly sampleRate: number
  /** samples in a frame */
  readonly channels: number
  /** how a sample is written */
  readonly encoding: Encoding
  /** bytes of one sample of one channel */
  readonly bytesPerSample: number
  /** bytes of one frame: one sample for every channel */
  readonly bytesPerFrame: number
  /** bytes of one second of all channels */
  readonly bytesPerSecond: number
}

/** The fields that a user chooses. */
export interface PcmFormatOptions {
  /** Hz, 1 to 4294967295 (default 16,000) */
  sampleRate?: number
  /** 1 to 1024 (default 1) */
  channels?: number
  /** how a sample is stored (default `'s16le'`) */
  encoding?: Encoding
}

/** nSamplesPerSec is a 32-bit field, and so is nAvgBytesPerSec. */
const MAX_32_BIT = 0xffffffff
/** nBlockAlign is a 16-bit field: 1024 channels of f64le are 8192 bytes. More is no microphone. */
export const MAX_CHANNELS = 1024

const made = new WeakSet<object>()

/**
 * Checks and freezes a PCM format. Without arguments: 16 kHz, mono, s16le, which is what speech-to-text wants.
 *
 * @throws {ArgumentTypeError} for a field that is no number or no known encoding
 * @throws {ArgumentRangeError} for a rate or a number of channels that no WAV header can hold
 */
export function pcmFormat(options: PcmFormatOptions = {}): PcmFormat {
  checkOptions(options, fields, 'pcmFormat()')
  const { sampleRate = 16_000, channels = 1, encoding = 's16le' } = options
  requireWhole('sampleRate', sampleRate, MAX_32_BIT)
  requireWhole('channels', channels, MAX_CHANNELS)
  if (typeof encoding !== 'string' || !Object.hasOwn(encodings, encoding)) {
    throw new ArgumentTypeError(
      `encoding must be one of ${Object.keys(encodings).join(', ')}, got ${show(encoding)}`,
    )
  }
  const { bytesPerSample } = encodings[encoding]
  const bytesPerFrame = bytesPerSample * channels
  const bytesPerSecond = bytesPerFrame * sampleRate
  if (bytesPerSecond > MAX_32_BIT) {
    throw new ArgumentRangeError(
      `${sampleRate} Hz × ${channels} channels of ${encoding} are ${bytesPerSecond} bytes a second, more than a WAV header can hold`,
    )
  }
  const format = Object.freeze({
    sampleRate,
    channels,
    encoding,
    bytesPerSample,
    bytesPerFrame,
    bytesPerSecond,
  })
  made.add(format)
  return format
}

/**
 * The format that a stage was given as its first argument. Unlike {@link pcmFormat} it has no defaults: a format
 * that is passed on must say everything, since nothing is guessed from the pipe.
 *
 * @throws {ArgumentTypeError} when it is no format, or lacks a field
 */
export function requireFormat(format: unknown, caller: string, which = 'the PCM format first'): PcmFormat {
  if (typeof format === 'object' && format !== null) {
    if (made.has(format)) return format as PcmFormat
    const { sampleRate, channels, encoding } = format as PcmFormatOptions
    if (sampleRate !== undefined && channels !== undefined && encoding !== undefined) {
      return pcmFormat({ sampleRate, channels, encoding })
    }
  }
  throw new ArgumentTypeError(
    `${caller} takes ${which}, as made by pcmFormat({ sampleRate, channels, encoding }), got ${show(format)}`,
  )
}

/** Those that follow from the others are taken, so that one format can be made from another, and computed anew. */
const fields = ['sampleRate', 'channels', 'encoding', 'bytesPerSample', 'bytesPerFrame', 'bytesPerSecond']

function requireWhole(field: string, value: unknown, max: number): asserts value is number {
  if (typeof value !== 'number') {
    throw new ArgumentTypeError(`${field} must be a number, got ${show(value)}`)
  }
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new ArgumentRangeError(`${field} must be a whole number from 1 to ${max}, got ${value}`)
  }
}
