import { WavespoolError, type WavespoolErrorCode } from '../errors.ts'

const NOTE = '; the audio before it was delivered'

/** The error at the place where a stream cannot be decoded any further. */
export function decodingError(
  reason: string,
  { code = 'ERR_WAVESPOOL_CODEC', cause }: { code?: WavespoolErrorCode; cause?: unknown } = {},
): WavespoolError {
  return new WavespoolError(code, `${reason}${NOTE}`, cause === undefined ? {} : { cause })
}

/** The message of an error without the note on delivery, which is wrong where a command removes its partial output. */
export function withoutDeliveryNote(message: string): string {
  return message.replace(NOTE, '')
}
