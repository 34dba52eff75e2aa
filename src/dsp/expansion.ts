import { WavespoolError } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'

/** bytes that any conversion may put out, however little goes in */
const ALWAYS = 2 ** 28
/** 8 kHz µ-law becomes 48 kHz floats by a factor of 24 */
const MAX_FACTOR = 32

/** The most bytes that so many bytes of samples may become, unless more is asked for. */
export function mostBytesOf(inputBytes: number): number {
  return Math.max(ALWAYS, MAX_FACTOR * inputBytes)
}

/**
 * A file may say of itself that it has a few samples a second: a megabyte of it becomes a gigabyte at a usual rate.
 *
 * @param inputBytes of samples in the format `from`
 * @param maxBytes the most bytes of the output
 * @param remedy ends the message
 * @throws {WavespoolError} `ERR_WAVESPOOL_FULL` where they would become more; nothing has been allocated or written
 */
export function checkExpansion(
  inputBytes: number,
  from: PcmFormat,
  to: PcmFormat,
  maxBytes: number,
  caller: string,
  remedy: string,
): void {
  const bytes = Math.round((inputBytes / from.bytesPerSecond) * to.sampleRate) * to.bytesPerFrame
  if (bytes <= maxBytes) return
  throw new WavespoolError(
    'ERR_WAVESPOOL_FULL',
    `${caller}: ${inputBytes} bytes of samples at ${from.sampleRate} Hz would become ${bytes} at ${to.sampleRate} Hz, and at most ${maxBytes} are allowed; ${remedy}`,
  )
}
