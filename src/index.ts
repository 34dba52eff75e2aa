export { ArgumentRangeError, ArgumentTypeError, WavespoolError, type WavespoolErrorCode } from './errors.ts'
export type { Encoding } from './format/encoding.ts'
export { type PcmFormat, type PcmFormatOptions, pcmFormat } from './format/pcmFormat.ts'
export type { Span } from './format/span.ts'
