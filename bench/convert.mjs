// convert() in pieces of 20 ms, against an identity Transform in its place: node bench/convert.mjs
import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { convert, pcmFormat } from 'wavespool'
import { alternate, median, ratio } from './measure.mjs'

const SECONDS = 60

const format = (encoding, sampleRate = 16_000, channels = 1) => pcmFormat({ encoding, sampleRate, channels })
const cases = [
  ['nothing to convert', format('s16le'), format('s16le')],
  ['s16le to f32le', format('s16le'), format('f32le')],
  ['f32le to s16le', format('f32le'), format('s16le')],
  ['f32le to s16le, with dither', format('f32le'), format('s16le'), { dither: 'tpdf' }],
  ['s24le to s16le', format('s24le'), format('s16le')],
  ['mulaw to s16le', format('mulaw'), format('s16le')],
  ['s16le to mulaw', format('s16le'), format('mulaw')],
  ['s16le to alaw', format('s16le'), format('alaw')],
  ['s16le, stereo to mono', format('s16le', 48_000, 2), format('s16le', 48_000)],
  ['s16le, one channel of two', format('s16le', 48_000, 2), format('s16le', 48_000), { channel: 1 }],
  ['s16le, 48 to 16 kHz', format('s16le', 48_000), format('s16le')],
  ['s16le, 44.1 to 16 kHz', format('s16le', 44_100), format('s16le')],
  ['s16le, 16 to 48 kHz', format('s16le'), format('s16le', 48_000)],
  ['a phone: mulaw 8 kHz to s16le 16 kHz', format('mulaw', 8000), format('s16le')],
  ['a browser: f32le 48 kHz stereo to s16le 16 kHz', format('f32le', 48_000, 2), format('s16le')],
]

function source({ bytesPerSample, channels, sampleRate, encoding }) {
  const samples = (sampleRate / 50) * channels
  const block =
    encoding === 'f32le'
      ? Buffer.from(Float32Array.from({ length: samples }, (_, i) => Math.sin(i * i) / 2).buffer)
      : Buffer.from(Uint8Array.from({ length: samples * bytesPerSample }, (_, i) => i * 167))
  let left = SECONDS * 50
  return new Readable({
    read() {
      this.push(left-- > 0 ? block : null)
    },
  })
}

const sink = () => new Writable({ write: (_bytes, _encoding, callback) => callback() })
const identity = () => new Transform({ transform: (bytes, _encoding, callback) => callback(null, bytes) })

for (const [name, from, to, options] of cases) {
  const seconds = await alternate(7, {
    identity: () => pipeline(source(from), identity(), sink()),
    convert: () => pipeline(source(from), convert(from, to, options), sink()),
  })
  const factor = ratio(seconds.convert, seconds.identity).toFixed(1).padStart(6)
  const speed = (SECONDS / median(seconds.convert)).toFixed(0).padStart(6)
  console.log(`  ${name.padEnd(48)} ${factor} × an identity Transform ${speed} × real time`)
}
