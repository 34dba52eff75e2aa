/** Everything of this room that only a running stage needs: loaded by the first one, in one piece. */
export { Decoder } from './decoder.ts'
export { createEncoder } from './encoder.ts'
