/** The modules that only a running stage needs: the first one loads them, in one piece. */
export { Decoder } from './decoder.ts'
export { createEncoder } from './encoder.ts'
