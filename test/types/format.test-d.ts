/** Checked by `tsc --noEmit`: right code compiles, and wrong code is refused. Nothing here is run. */
import { type Encoding, type PcmFormat, pcmFormat, readWavHeader, type Span } from '../../src/index.ts'

const format: PcmFormat = pcmFormat()
pcmFormat({ sampleRate: 48_000, channels: 2, encoding: 'f32le' } satisfies Partial<PcmFormat>)
const encodings: Encoding[] = ['u8', 's16le', 's24le', 's32le', 'f32le', 'f64le', 'mulaw', 'alaw', 's16be']
const spans: Span[] = [{ seconds: 1 }, { milliseconds: 20 }, { frames: 160 }, { bytes: 320 }]
const dataBytes: number | undefined = readWavHeader(new Uint8Array())?.dataBytes

export { dataBytes, encodings, spans }

// @ts-expect-error an encoding that is none
pcmFormat({ encoding: 's16me' })
// @ts-expect-error a rate in words
pcmFormat({ sampleRate: '16000' })
// @ts-expect-error a field that no format has
pcmFormat({ rate: 16_000 })
// @ts-expect-error a format is immutable
format.sampleRate = 8000
// @ts-expect-error a span has a unit
export const noUnit: Span = 3
// @ts-expect-error a unit that is none
export const minutes: Span = { minutes: 3 }
// @ts-expect-error a span is a number of something
export const words: Span = { seconds: '3' }
// @ts-expect-error the result may be undefined
readWavHeader(new Uint8Array()).format
