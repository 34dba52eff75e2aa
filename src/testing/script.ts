import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { checkOptions } from '../options.ts'
import { type Clock, clockOf } from '../streams/clock.ts'
import { checkError, MockSource } from './mockSource.ts'

/** The options of `script()`. */
export interface ScriptOptions {
  /** `'fast'` (default): as fast as it is read; `'realtime'`; or a clock that the test moves */
  pace?: 'fast' | 'realtime' | Clock
  /** milliseconds from one chunk to the next, the first one included (default 20) */
  every?: number
  /** number of chunks after which nothing more comes, and no end either (default: never) */
  stallAfter?: number
  /** number of chunks after which it fails, once they have been read (default: never) */
  errorAfter?: number
  /** the error of the stream (default: an Error that says so) */
  error?: Error
}

/**
 * A source that plays these chunks, one push each, and ends: any bytes, in any chunking, half frames too.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for anything but Uint8Arrays with something in them, and for wrong options
 *
 * @example
 * const packets = script([Buffer.alloc(641), Buffer.alloc(639)], { errorAfter: 2 })
 */
export function script(chunks: readonly Uint8Array[], options: ScriptOptions = {}): MockSource {
  if (!Array.isArray(chunks))
    throw new ArgumentTypeError(`script() takes a list of chunks, got ${show(chunks)}`)
  for (const chunk of chunks) {
    if (!(chunk instanceof Uint8Array))
      throw new ArgumentTypeError(`script(): a chunk is a Uint8Array, got ${show(chunk)}`)
    if (chunk.length === 0)
      throw new ArgumentRangeError('script(): a chunk must not be empty; streams swallow those')
  }
  checkOptions(options, ['pace', 'every', 'stallAfter', 'errorAfter', 'error'], 'script()')
  const { pace = 'fast', every = 20, stallAfter, errorAfter, error } = options
  if (typeof every !== 'number')
    throw new ArgumentTypeError(`script(): every must be milliseconds, got ${show(every)}`)
  if (!(every > 0 && every < Number.POSITIVE_INFINITY)) {
    throw new ArgumentRangeError(`script(): every must be more than 0 milliseconds, got ${every}`)
  }
  const played = [...chunks]
  const material = {
    unitsPerMillisecond: 1 / every,
    unitsPerChunk: 1,
    take: (index: number) => Buffer.from(played[index]!),
  }
  return new MockSource(material, clockOf(pace, 'script()'), {
    end: played.length,
    stallAt: countOf(stallAfter, 'stallAfter'),
    failAt: countOf(errorAfter, 'errorAfter'),
    error: checkError(error, 'script()'),
  })
}

function countOf(value: unknown, name: string): number {
  if (value === undefined) return Number.POSITIVE_INFINITY
  if (typeof value !== 'number')
    throw new ArgumentTypeError(`script(): ${name} is a number of chunks, got ${show(value)}`)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new ArgumentRangeError(`script(): ${name} must be a whole number of chunks from 0, got ${value}`)
}
