import { messageError } from './messages.ts'

const alphabet = /^[A-Za-z0-9+/]*={0,2}$/

/** @throws {WavespoolError} `ERR_WAVESPOOL_MESSAGE` for invalid base64, of which Node would decode a part */
export function fromBase64(text: unknown, name: string): Buffer {
  if (typeof text !== 'string' || text.length % 4 === 1 || !alphabet.test(text)) {
    throw messageError(`${name} is no base64`)
  }
  return Buffer.from(text, 'base64')
}
