import { messageError } from './messages.ts'

const alphabet = /^[A-Za-z0-9+/]*={0,2}$/

/** @throws {WavespoolError} `ERR_WAVESPOOL_MESSAGE` for what is no base64; Node would decode some of it */
export function fromBase64(text: unknown, what: string): Buffer {
  if (typeof text !== 'string' || text.length % 4 === 1 || !alphabet.test(text)) {
    throw messageError(`${what} is no base64`)
  }
  return Buffer.from(text, 'base64')
}
