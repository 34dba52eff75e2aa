import { ArgumentRangeError, ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import { checkOptions } from '../options.ts'

/** Part of a message of JSON, not checked yet. */
export type Fields = Record<string, unknown>

/** The options of a parser of messages. */
export interface MessagesOptions {
  /**
   * how a message is handled that is malformed, too large or against the protocol: `'error'` (default) fails the stream
   * with `ERR_WAVESPOOL_MESSAGE`, `'skip'` leaves it out and emits `'invalid'`
   */
  invalid?: 'error' | 'skip'
  /** bytes of the largest message that is looked at (default 1 MiB; 20 ms of audio are less than 3 KiB) */
  maxMessageBytes?: number
  /** other names for the vendor's tracks (default: the vendor's names): `{ inbound: 'caller', outbound: 'agent' }` */
  tracks?: Readonly<Record<string, string>>
}

const MEBIBYTE = 2 ** 20

/** @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option */
export function checkMessagesOptions(
  options: MessagesOptions,
  caller: string,
  others: readonly string[] = [],
  most = MEBIBYTE,
): Required<MessagesOptions> {
  checkOptions(options, ['invalid', 'maxMessageBytes', 'tracks', ...others], caller)
  const { invalid = 'error', maxMessageBytes = most, tracks = {} } = options
  if (invalid !== 'error' && invalid !== 'skip') {
    throw new ArgumentTypeError(`${caller}: invalid must be 'error' or 'skip', got ${show(invalid)}`)
  }
  if (typeof maxMessageBytes !== 'number') {
    throw new ArgumentTypeError(`${caller}: maxMessageBytes must be a number, got ${show(maxMessageBytes)}`)
  }
  if (!Number.isSafeInteger(maxMessageBytes) || maxMessageBytes < 1) {
    throw new ArgumentRangeError(
      `${caller}: maxMessageBytes must be a whole number above 0, got ${maxMessageBytes}`,
    )
  }
  if (
    typeof tracks !== 'object' ||
    tracks === null ||
    !Object.values(tracks).every((name) => typeof name === 'string')
  ) {
    throw new ArgumentTypeError(
      `${caller}: tracks must give names to the vendor's tracks, got ${show(tracks)}`,
    )
  }
  return { invalid, maxMessageBytes, tracks }
}

export function messageError(message: string, cause?: unknown): WavespoolError {
  return new WavespoolError('ERR_WAVESPOOL_MESSAGE', message, ...(cause === undefined ? [] : [{ cause }]))
}

/** @throws {WavespoolError} `ERR_WAVESPOOL_MESSAGE` for anything but an object */
export function parseJson(text: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw messageError(`a message is no JSON: ${show(text)}`, cause)
  }
  return fieldsOf(value, 'a message')
}

/** @throws {WavespoolError} `ERR_WAVESPOOL_MESSAGE` for anything but an object */
export function fieldsOf(value: unknown, name: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw messageError(`${name} must be an object, got ${show(value)}`)
}

/** A whole number from 0, which vendors send as a number or as a string. */
export function countOf(value: unknown, name: string): number {
  const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  if (Number.isSafeInteger(count) && (count as number) >= 0) return count as number
  throw messageError(`${name} must be a whole number from 0, got ${show(value)}`)
}

/** A text, or undefined where the field is not there. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
