import { ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { readWavHeader } from '../format/readWavHeader.ts'
import { type Span, spanFrames } from '../format/span.ts'
import { checkArguments } from './mockSource.ts'
import { rampCodes, rampMaker } from './ramp.ts'

/** The part of a ramp that `assertRamp()` expects. */
export interface RampExpectations {
  /** frame of the ramp with which the bytes should begin (default 0) */
  from?: number
  /** how long it should be (default: any length will do) */
  duration?: Span
}

/** `ERR_WAVESPOOL_RAMP`: where a ramp broke. */
export class RampError extends WavespoolError {
  override name = 'RampError'
  /** the first frame that is wrong, counted from the start of the bytes */
  readonly frame: number
  /** number of the sample that should be there; undefined where the ramp should have ended */
  readonly expected: number | undefined
  /** number of the sample that is there; undefined where the bytes end too early */
  readonly got: number | undefined

  constructor(message: string, frame: number, expected: number | undefined, got: number | undefined) {
    super('ERR_WAVESPOOL_RAMP', message)
    this.frame = frame
    this.expected = expected
    this.got = got
  }
}

const PIECE_FRAMES = 16_384

/**
 * Asserts that a `ramp()` arrived whole: PCM or a WAV file, as bytes, or as a VirtualFile, for which it returns a
 * promise.
 *
 * @returns the number of frames
 * @throws {RampError} `ERR_WAVESPOOL_RAMP`, which says at which frame it broke, with the expected and the actual value
 * @throws {ArgumentTypeError | ArgumentRangeError} for wrong arguments
 */
export function assertRamp(bytes: Uint8Array, format: PcmFormat, expected?: RampExpectations): number
export function assertRamp(
  file: { toBuffer(): Promise<Uint8Array> },
  format: PcmFormat,
  expected?: RampExpectations,
): Promise<number>
export function assertRamp(
  input: Uint8Array | { toBuffer(): Promise<Uint8Array> },
  format: PcmFormat,
  expected: RampExpectations = {},
): number | Promise<number> {
  const checked = checkArguments(
    format,
    expected,
    'assertRamp()',
    ['from', 'duration'],
    Object.keys(rampCodes),
  )
  const { from = 0, duration } = expected
  if (!Number.isSafeInteger(from) || from < 0) {
    throw new ArgumentTypeError(`assertRamp(): from must be a number of frames, got ${show(from)}`)
  }
  const frames = duration && spanFrames(checked, duration, 'assertRamp(): duration')
  if (input instanceof Uint8Array) return check(samplesOf(input, checked), checked, from, frames)
  if (typeof input?.toBuffer !== 'function') {
    throw new ArgumentTypeError(`assertRamp() takes bytes or a VirtualFile, got ${show(input)}`)
  }
  return input.toBuffer().then((bytes) => check(samplesOf(bytes, checked), checked, from, frames))
}

/** The samples of a WAV file, or all of it: no ramp can begin with a RIFF header. */
function samplesOf(input: Uint8Array, format: PcmFormat): Buffer {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  const container = bytes.toString('latin1', 0, 4)
  if ((container !== 'RIFF' && container !== 'RF64') || bytes.toString('latin1', 8, 12) !== 'WAVE')
    return bytes
  const header = readWavHeader(bytes)
  if (header === undefined) return bytes.subarray(0, 0)
  const is = header.format
  const fields = ['sampleRate', 'channels', 'encoding'] as const
  const wrong = fields.find((field) => is?.[field] !== format[field])
  if (wrong !== undefined) {
    throw new RampError(
      `the WAV file says ${wrong} ${show(is?.[wrong])}; expected ${show(format[wrong])}`,
      0,
      undefined,
      undefined,
    )
  }
  const size = header.dataBytes || Number.POSITIVE_INFINITY
  return bytes.subarray(header.dataStart, Math.min(bytes.length, header.dataStart + size))
}

function check(samples: Buffer, format: PcmFormat, from: number, frames: number | undefined): number {
  const { bytesPerFrame, channels } = format
  const { period } = rampCodes[format.encoding]!
  const make = rampMaker(format)
  const whole = Math.floor(samples.length / bytesPerFrame)
  const numberAt = (frame: number) => ((from + frame) * channels) % period
  for (let frame = 0; frame < whole; frame += PIECE_FRAMES) {
    const end = Math.min(whole, frame + PIECE_FRAMES)
    const piece = samples.subarray(frame * bytesPerFrame, end * bytesPerFrame)
    const wanted = make(from + frame, from + end)
    if (!piece.equals(wanted)) throw breakAt(piece, wanted, frame, format)
  }
  const partial = samples.length - whole * bytesPerFrame
  if (partial > 0) {
    const message = `the ramp ends ${partial} bytes into frame ${whole}; a frame has ${bytesPerFrame}`
    throw new RampError(message, whole, numberAt(whole), undefined)
  }
  if (frames !== undefined && whole < frames) {
    const message = `the ramp ends at frame ${whole}; expected ${frames} frames`
    throw new RampError(message, whole, numberAt(whole), undefined)
  }
  if (frames !== undefined && whole > frames) {
    const got = rampCodes[format.encoding]!.read(samples, frames * bytesPerFrame)
    throw new RampError(`the ramp goes on at frame ${frames}, where it should end`, frames, undefined, got)
  }
  return whole
}

function breakAt(piece: Buffer, wanted: Buffer, firstFrame: number, format: PcmFormat): RampError {
  const { bytesPerSample, channels, encoding } = format
  const { read } = rampCodes[encoding]!
  let at = 0
  while (piece[at] === wanted[at]) at++
  const sample = Math.floor(at / bytesPerSample)
  const expected = read(wanted, sample * bytesPerSample)
  const got = read(piece, sample * bytesPerSample)
  const frame = firstFrame + Math.floor(sample / channels)
  const channel = channels > 1 ? `, channel ${sample % channels}` : ''
  const message = `the ramp breaks at frame ${frame}${channel}: expected sample ${expected}, got ${got}`
  return new RampError(message, frame, expected, got)
}
