// convert() between two sample rates, against `sox rate -v` as a process and the npm packages of the same quality:
// node bench/resample.mjs <from Hz> <to Hz> <seconds of audio>
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { convert, pcmFormat } from 'wavespool'
import { alternate, median, ratio } from './measure.mjs'
import { loadPeers } from './peers.mjs'

const [from, to, seconds] = process.argv.slice(2).map(Number)
console.log(`  from ${from} to ${to} Hz`)
const peers = await loadPeers({
  '@alexanderolsen/libsamplerate-js': '2.1.2',
  'wave-resampler': '1.0.0',
}).catch((error) => console.log(`  no npm peers, as they could not be installed: ${error.message}`))

/** s16le through the stage, in pieces as a file stream delivers them. */
async function wavespool(bytes, fromRate, toRate) {
  const size = 2 ** 16
  let at = 0
  const source = new Readable({
    read() {
      this.push(at < bytes.length ? bytes.subarray(at, at + size) : null)
      at += size
    },
  })
  const out = []
  const sink = new Writable({
    write(piece, _encoding, callback) {
      out.push(piece)
      callback()
    },
  })
  await pipeline(
    source,
    convert(pcmFormat({ sampleRate: fromRate }), pcmFormat({ sampleRate: toRate })),
    sink,
  )
  return Buffer.concat(out)
}

const raw = (rate) => ['-t', 'raw', '-r', rate, '-c', 1, '-e', 'signed', '-b', 16].map(String)

/** Bytes in, bytes out, as a program without Wavespool would have it done. */
async function sox(bytes, fromRate, toRate) {
  const child = spawn('sox', ['-D', ...raw(fromRate), '-', ...raw(toRate), '-', 'rate', '-v'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const out = []
  child.stdout.on('data', (piece) => out.push(piece))
  child.stdin.end(bytes)
  await once(child, 'close')
  return Buffer.concat(out)
}

const floats = (bytes) => Float32Array.from(samplesOf(bytes), (x) => x / 32_768)
const samplesOf = (bytes) => new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
const shorts = (values) =>
  Buffer.from(
    Int16Array.from(values, (x) => Math.max(-32_768, Math.min(32_767, Math.round(x * 32_768)))).buffer,
  )

const candidates = { wavespool, 'sox rate -v': sox }
if (peers) {
  const { create, ConverterType } = peers['@alexanderolsen/libsamplerate-js']
  const { resample } = peers['wave-resampler']
  const libsamplerate = (converterType) => async (bytes, fromRate, toRate) => {
    const converter = await create(1, fromRate, toRate, { converterType })
    const out = shorts(converter.full(floats(bytes)))
    converter.destroy()
    return out
  }
  Object.assign(candidates, {
    'libsamplerate-js, fastest': libsamplerate(ConverterType.SRC_SINC_FASTEST),
    'libsamplerate-js, medium': libsamplerate(ConverterType.SRC_SINC_MEDIUM_QUALITY),
    'wave-resampler, sinc': (bytes, fromRate, toRate) =>
      shorts(resample(floats(bytes), fromRate, toRate, { method: 'sinc', LPFType: 'FIR' })),
  })
}

const tone = (hertz) =>
  Buffer.from(
    Int16Array.from({ length: 24_000 }, (_, i) => 32_000 * Math.sin((2 * Math.PI * hertz * i) / 48_000))
      .buffer,
  )

function level(bytes) {
  const samples = samplesOf(Buffer.from(bytes)).subarray(2000, 6000)
  return (
    20 * Math.log10(Math.sqrt((2 * samples.reduce((sum, x) => sum + x * x, 0)) / samples.length) / 32_000)
  )
}

/** What is promised from 48 to 16 kHz: flat within 0.1 dB to 6.8 kHz, and 80 dB down what folds back. */
async function hasQuality(candidate) {
  const at = async (hertz) => level(await candidate(tone(hertz), 48_000, 16_000))
  for (const hertz of [1000, 5000, 6800])
    if (Math.abs(await at(hertz)) > 0.1) return `${(await at(hertz)).toFixed(2)} dB at ${hertz} Hz`
  for (let hertz = 9000; hertz <= 20_000; hertz += 1000)
    if ((await at(hertz)) > -80) return `${(await at(hertz)).toFixed(0)} dB of ${hertz} Hz folded back`
}

const noise = Buffer.from(
  Int16Array.from({ length: from * seconds }, () => (Math.random() - 0.5) * 30_000).buffer,
)
const hasSox = spawnSync('sox', ['--version']).status === 0
const left = {}
for (const [name, candidate] of Object.entries(candidates)) {
  const fault = name === 'sox rate -v' && !hasSox ? 'not installed' : await hasQuality(candidate)
  if (fault) console.log(`  ${name} is left out: ${fault}`)
  else left[name] = () => candidate(noise, from, to)
}
if (hasSox) {
  // shown, not judged: the least that sox can take, without a pipe and with nothing written
  const folder = mkdtempSync(join(tmpdir(), 'wavespool-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'in.raw'), noise)
  const args = ['-D', ...raw(from), join(folder, 'in.raw'), ...raw(to), '/dev/null', 'rate', '-v']
  left['sox rate -v, from a file into nothing'] = async () => {
    await once(spawn('sox', args, { stdio: 'ignore' }), 'close')
  }
}

const times = await alternate(9, left)
// 48 to 16 kHz is what browsers and microphones need most: faster than all. The others: at least half as fast as sox.
const least = from === 48_000 && to === 16_000 ? 1 : 0.5
for (const [name, of] of Object.entries(times)) {
  const speed = (seconds / median(of)).toFixed(0).padStart(6)
  const factor = ratio(of, times.wavespool)
  const isJudged = name in candidates && name !== 'wavespool'
  const tail =
    name === 'wavespool'
      ? ''
      : `   convert() ${factor.toFixed(2)} × as fast${isJudged ? `   (at least ${least})` : ''}`
  console.log(`  ${name.padEnd(38)} ${speed} × real time${tail}`)
  if (isJudged && factor < least) process.exitCode = 1
}
