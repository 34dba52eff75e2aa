import { checkPosition, checkSignal } from '../arguments.ts'
import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { checkOptions } from '../options.ts'
import type { StreamOptions } from './views/snapshotStream.ts'

/** The options of `createReadStream()`. */
export interface ReadStreamOptions {
  /**
   * first byte (default 0); `'live'` is behind the newest whole frame, where one joins that wants only what is still to
   * come
   */
  start?: number | 'live'
  /** last byte, inclusive as in `fs.createReadStream()` (default: Infinity) */
  end?: number
  /** stay open and deliver what is still to come, to the end of the recording (default false) */
  follow?: boolean
  /** with `false` the samples of a WAV alone: `start` and `end` count from the first of them (default true) */
  header?: boolean
  /** the most bytes in a chunk, as in `fs.createReadStream()` (default 65,536) */
  highWaterMark?: number
  /** the chunks are strings in this encoding, as in `fs.createReadStream()` (default: none, they are Buffers) */
  encoding?: BufferEncoding
  /** destroys the stream when it is aborted (default: none) */
  signal?: AbortSignal
}

const names = ['start', 'end', 'follow', 'header', 'highWaterMark', 'encoding', 'signal']

/**
 * The options with their defaults, and an `end` that is exclusive.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong one
 */
export function checkReadStreamOptions(
  options: ReadStreamOptions,
): Omit<StreamOptions, 'start'> & { start: number | 'live'; follow: boolean } {
  checkOptions(options, names, 'createReadStream()')
  const { start = 0, end = Number.POSITIVE_INFINITY, highWaterMark = 65_536, encoding, signal } = options
  const { follow = false, header = true } = options
  for (const [name, value] of Object.entries({ follow, header })) {
    if (typeof value !== 'boolean')
      throw new ArgumentTypeError(`${name} must be true or false, got ${show(value)}`)
  }
  if (start !== 'live') checkPosition(start, 'start')
  if (end !== Number.POSITIVE_INFINITY) checkPosition(end, 'end')
  if (start !== 'live' && end < start) {
    throw new ArgumentRangeError(`end (${end}) lies in front of start (${start})`)
  }
  checkPosition(highWaterMark, 'highWaterMark')
  if (highWaterMark === 0) throw new ArgumentRangeError('highWaterMark must be more than 0')
  if (encoding !== undefined && !Buffer.isEncoding(encoding)) {
    throw new ArgumentTypeError(`encoding must be one of Node's, such as 'base64', got ${show(encoding)}`)
  }
  checkSignal(signal)
  return { start, end: end + 1, follow, header, highWaterMark, encoding, signal }
}
