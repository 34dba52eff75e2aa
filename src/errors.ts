/**
 * Every error that Wavespool raises carries a stable `code`. Programs branch on the code; the message is for
 * people and says what to do; `cause` holds what lay underneath.
 */
export type WavespoolErrorCode =
  | 'ERR_WAVESPOOL_ARG_TYPE'
  | 'ERR_WAVESPOOL_ARG_RANGE'
  | 'ERR_WAVESPOOL_LIMIT'
  | 'ERR_WAVESPOOL_NO_SOURCE'
  | 'ERR_WAVESPOOL_PARTIAL_FRAME'
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
  | 'ERR_WAVESPOOL_RAMP'
  | 'ERR_WAVESPOOL_JETSTREAM'
  | 'ERR_WAVESPOOL_SUPERSEDED'
  | 'ERR_WAVESPOOL_HOLE'
  | 'ERR_WAVESPOOL_IDLE'

/** What the device, the disk or the data brought about; see `code`. */
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
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`
  if (typeof value !== 'object' || value === null) return String(value)
  const name = value.constructor?.name
  return name === 'Object' || name === undefined ? '{…}' : `an instance of ${name}`
}
