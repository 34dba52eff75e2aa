import { ArgumentTypeError, show } from '../errors.ts'

/** The option that the functions of one prefix share. */
export interface PrefixOptions {
  /**
   * The beginning of the names of all streams and subjects (default `'wavespool'`: the recording `call-1` is on the
   * subject `wavespool.recordings.call-1` of the stream `wavespool-recordings`). Services that share a server take
   * one each.
   */
  prefix?: string
}

/** The streams of a prefix, by their content. */
export type Kind = 'recordings' | 'segments' | 'texts' | 'failed'

/** The durable consumer that all workers share. */
export const WORKERS = 'workers'

const DEFAULT_PREFIX = 'wavespool'
/** The characters that NATS allows in a token of a subject and in the name of a stream without quoting. */
const TOKEN = /^[A-Za-z0-9_-]+$/

/** The names that follow from a prefix. */
export interface Names {
  readonly prefix: string
  stream(kind: Kind): string
  /** the subject of one recording, or of a part of it */
  subject(kind: Kind, ...tokens: string[]): string
}

/** @throws {ArgumentTypeError} for a prefix that cannot be part of a name */
export function namesOf(prefix: unknown = DEFAULT_PREFIX, caller: string): Names {
  if (typeof prefix !== 'string' || !TOKEN.test(prefix)) {
    throw new ArgumentTypeError(
      `${caller}: prefix must consist of letters, digits, "-" and "_", got ${show(prefix)}`,
    )
  }
  return {
    prefix,
    stream: (kind) => `${prefix}-${kind}`,
    subject: (kind, ...tokens) => [prefix, kind, ...tokens].join('.'),
  }
}

/** @throws {ArgumentTypeError} for an id that cannot be part of a subject */
export function checkId(id: unknown, caller: string): string {
  if (typeof id === 'string' && TOKEN.test(id)) return id
  throw new ArgumentTypeError(
    `${caller} takes the id of the recording, of letters, digits, "-" and "_", got ${show(id)}`,
  )
}

/** The place of a segment as the last token of its subjects: its frames. */
export const placeToken = ({ start, end }: { start: number; end: number }) => `${start}-${end}`
