/**
 * Every error that Wavespool raises carries a stable `code`. Programs branch on the code; the message is for
 * people and names the remedy; `cause` holds the underlying error.
 */
export type WavespoolErrorCode =
  | 'ERR_WAVESPOOL_ARG_TYPE'
  | 'ERR_WAVESPOOL_ARG_RANGE'
  | 'ERR_WAVESPOOL_LIMIT'
  | 'ERR_WAVESPOOL_NO_SOURCE'
  | 'ERR_WAVESPOOL_PARTIAL_FRAME'
  | 'ERR_WAVESPOOL_FORMAT'
  | 'ERR_WAVESPOOL_WAV'
  | 'ERR_WAVESPOOL_TRUNCATED'
  | 'ERR_WAVESPOOL_FULL'
  | 'ERR_WAVESPOOL_STORAGE'
  | 'ERR_WAVESPOOL_RECORDING'
  | 'ERR_WAVESPOOL_DISPOSED'
  | 'ERR_WAVESPOOL_NOT_A_STRING'
  | 'ERR_WAVESPOOL_READ_ONLY'
  | 'ERR_WAVESPOOL_NO_BACKEND'
  | 'ERR_WAVESPOOL_NO_DEVICE'
  | 'ERR_WAVESPOOL_DEVICE'
  | 'ERR_WAVESPOOL_CAPTURE'
  | 'ERR_WAVESPOOL_GAP'
  | 'ERR_WAVESPOOL_DETECTOR'
  | 'ERR_WAVESPOOL_TIMELINE'
  | 'ERR_WAVESPOOL_MESSAGE'
  | 'ERR_WAVESPOOL_RAMP'
  | 'ERR_WAVESPOOL_JETSTREAM'
  | 'ERR_WAVESPOOL_SUPERSEDED'
  | 'ERR_WAVESPOOL_HOLE'
  | 'ERR_WAVESPOOL_IDLE'
  | 'ERR_WAVESPOOL_CODEC'

/** An error of the device, the disk or the data; see `code`. */
export class WavespoolError extends Error {
  override name = 'WavespoolError'
  readonly code: WavespoolErrorCode

  constructor(code: WavespoolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** An argument of the wrong kind: thrown at once, before anything is opened or changed. */
export class ArgumentTypeError extends TypeError {
  override name = 'ArgumentTypeError'
  readonly code = 'ERR_WAVESPOOL_ARG_TYPE' satisfies WavespoolErrorCode
}

/** An argument of the right kind with an impossible value: thrown at once, before anything is opened or changed. */
export class ArgumentRangeError extends RangeError {
  override name = 'ArgumentRangeError'
  readonly code = 'ERR_WAVESPOOL_ARG_RANGE' satisfies WavespoolErrorCode
}

/** How a value is shown in a message: short, and its kind recognisable. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    return printable(JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value))
  }
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`
  if (typeof value !== 'object' || value === null) return String(value)
  const name = value.constructor?.name
  return name === 'Object' || name === undefined ? '{…}' : `an instance of ${name}`
}

/**
 * Text from elsewhere (a file's name, its first bytes, a tag) without its power over the terminal that shows it:
 * control characters, C1 included, those that turn the direction of writing, and invisible ones become escapes, `\u009b`
 * for example. In JSON these escapes mean the same characters, so that it may be used on a whole document, but for its
 * line ends. The joiners of scripts and emoji stay.
 *
 * @param keep characters that the writer put there, line ends for example
 */
export function printable(text: string, keep = ''): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (sign) => {
    if (sign === '\u200c' || sign === '\u200d' || keep.includes(sign)) return sign
    return Array.from({ length: sign.length }, (_, i) => escaped(sign.charCodeAt(i))).join('')
  })
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}
