// A source, segment() and a reader that disposes, against an identity Transform and a sink that throws everything away:
// the segments' files are part of what is measured.
import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pcmFormat, segment } from 'wavespool'
import { speech } from 'wavespool/testing'
import { alternate, median, ratio } from './measure.mjs'

const size = Number(process.argv[2])
const format = pcmFormat()
const material = Buffer.concat(await speech(format, { duration: { seconds: 60 } }).toArray())
const rounds = 10
const duration = (rounds * Math.floor(material.length / size) * size) / format.bytesPerSecond

function* chunks() {
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at + size <= material.length; at += size) yield material.subarray(at, at + size)
  }
}

function source() {
  const all = chunks()
  return new Readable({
    read() {
      this.push(all.next().value ?? null)
    },
  })
}

/** @param {boolean} objectMode */
const sink = (objectMode) =>
  new Writable({
    objectMode,
    write(item, _encoding, callback) {
      if (objectMode) item.file.dispose()
      callback()
    },
  })

const energy = () => ({
  sampleRate: 16_000,
  frameSamples: 320,
  isSpeech(frame) {
    let sum = 0
    for (const sample of frame) sum += sample * sample
    return sum > 0.01
  },
})
const silence = { milliseconds: 500 }
const rules = {
  'every 2 s': () => ({ every: { seconds: 2 } }),
  'at pauses, libfvad': () => ({ silence }),
  'at pauses, energy': () => ({ silence, detector: energy() }),
}

const seconds = await alternate(7, {
  identity: () =>
    pipeline(
      source(),
      new Transform({ transform: (bytes, _encoding, callback) => callback(null, bytes) }),
      sink(false),
    ),
  ...Object.fromEntries(
    Object.entries(rules).map(([name, rule]) => [
      name,
      () => pipeline(source(), segment(format, rule()), sink(true)),
    ]),
  ),
})

for (const name of Object.keys(rules)) {
  const realtime = Math.round(duration / median(seconds[name])).toLocaleString('en')
  console.log(
    `${String(size).padStart(6)} B/chunk   segment ${name.padEnd(20)} ${ratio(seconds[name], seconds.identity).toFixed(2).padStart(6)}× an identity Transform   ${realtime.padStart(9)} × real time`,
  )
}
