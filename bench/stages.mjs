// One stage between a source and a sink that throws everything away, against an identity Transform in its place.
import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { chunk, limit, meter, pcmFormat, wavHeader, wavReader } from 'wavespool'
import { alternate, median, ratio } from './measure.mjs'

const size = Number(process.argv[2])
const total = Math.min(64 * 2 ** 20, size * 30_000)
const format = pcmFormat()
const block = Buffer.alloc(size)
for (let at = 0; at < size; at += 2) block.writeInt16LE((at * 7919) % 20_000, at)
const header = wavHeader(format).end().read()

/** @param {Buffer} [first] */
function source(first) {
  let left = total
  const stream = new Readable({
    read() {
      left -= size
      this.push(left >= 0 ? block : null)
    },
  })
  if (first) stream.push(first)
  return stream
}

const sink = () => new Writable({ write: (_bytes, _encoding, callback) => callback() })

const stages = {
  limit: () => limit(format, { bytes: total * 2 }),
  chunk: () => chunk(format, { milliseconds: 20 }),
  wavHeader: () => wavHeader(format),
  wavReader: () => wavReader(),
  meter: () => meter(format, { every: { milliseconds: 100 } }),
}

const seconds = await alternate(7, {
  identity: () =>
    pipeline(
      source(),
      new Transform({ transform: (bytes, _encoding, callback) => callback(null, bytes) }),
      sink(),
    ),
  ...Object.fromEntries(
    Object.entries(stages).map(([name, make]) => [
      name,
      () => pipeline(source(name === 'wavReader' ? header : undefined), make(), sink()),
    ]),
  ),
})

const duration = total / format.bytesPerSecond
for (const name of Object.keys(stages)) {
  const realtime = Math.round(duration / median(seconds[name])).toLocaleString('en')
  console.log(
    `${String(size).padStart(6)} B/chunk   ${name.padEnd(10)} ${ratio(seconds[name], seconds.identity).toFixed(2).padStart(6)}× an identity Transform   ${realtime.padStart(9)} × real time`,
  )
}
