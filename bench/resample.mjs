// convert() between two sample rates, against `sox rate -v` as a process and the npm packages of the same quality:
// node bench/resample.mjs <from Hz> <to Hz> <seconds of audio>
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { convert, pcmFormat } from 'wavespool'
import { alternate, median, ratio, through } from './measure.mjs'
import { loadPeers } from './peers.mjs'

const [from, to, seconds] = process.argv.slice(2).map(Number)
console.log(`  from ${from} to ${to} Hz`)
const peers = await loadPeers(
  {
    '@alexanderolsen/libsamplerate-js': '2.1.2',
    '@echogarden/speex-resampler-wasm': '0.3.0',
    'speex-resampler': '3.0.1',
    'wave-resampler': '1.0.0',
  },
  { '@echogarden/speex-resampler-wasm': '@echogarden/speex-resampler-wasm/simd' },
).catch((error) => console.log(`  no npm peers, as they could not be installed: ${error.message}`))

const wavespool = (bytes, fromRate, toRate) =>
  through(convert(pcmFormat({ sampleRate: fromRate }), pcmFormat({ sampleRate: toRate })), bytes)

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

const samplesOf = (bytes) => new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)

// Peers want floats: plain loops, which are quicker than from() with a callback, so that these cost them little.
function floats(bytes) {
  const samples = samplesOf(bytes)
  const out = new Float32Array(samples.length)
  for (let i = 0; i < out.length; i++) out[i] = samples[i] / 32_768
  return out
}

function shorts(values) {
  const out = new Int16Array(values.length)
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.max(-32_768, Math.min(32_767, Math.round(values[i] * 32_768)))
  }
  return Buffer.from(out.buffer)
}

const candidates = { wavespool, 'sox rate -v': sox }
if (peers) {
  const { create, ConverterType } = peers['@alexanderolsen/libsamplerate-js']
  const libsamplerate = (converterType) => async (bytes, fromRate, toRate) => {
    const converter = await create(1, fromRate, toRate, { converterType })
    const out = shorts(converter.full(floats(bytes)))
    converter.destroy()
    return out
  }
  const speex = await peers['@echogarden/speex-resampler-wasm']()
  const SpeexResampler = peers['speex-resampler'].default ?? peers['speex-resampler']
  await SpeexResampler.initPromise
  Object.assign(candidates, {
    'libsamplerate-js, fastest': libsamplerate(ConverterType.SRC_SINC_FASTEST),
    'libsamplerate-js, medium': libsamplerate(ConverterType.SRC_SINC_MEDIUM_QUALITY),
    '@echogarden/speex, quality 4': echogarden(speex, 4),
    '@echogarden/speex, quality 6': echogarden(speex, 6),
    'speex-resampler, quality 6': (bytes, fromRate, toRate) =>
      new SpeexResampler(1, fromRate, toRate, 6).processChunk(bytes),
    'wave-resampler, sinc': (bytes, fromRate, toRate) =>
      shorts(
        peers['wave-resampler'].resample(floats(bytes), fromRate, toRate, { method: 'sinc', LPFType: 'FIR' }),
      ),
  })
}

/** The functions of the C library as they are, on all of the samples at once. */
function echogarden(speex, quality) {
  return (bytes, fromRate, toRate) => {
    const input = floats(bytes)
    const most = Math.ceil((input.length * toRate) / fromRate) + 1
    const [lengths, from, to] = [8, input.length * 4, most * 4].map((size) => speex._malloc(size))
    const state = speex._speex_resampler_init(1, fromRate, toRate, quality, lengths)
    speex._speex_resampler_skip_zeros(state)
    speex.HEAPF32.set(input, from / 4)
    speex.HEAPU32.set([input.length, most], lengths / 4)
    speex._speex_resampler_process_float(state, 0, from, lengths, to, lengths + 4)
    const out = shorts(speex.HEAPF32.subarray(to / 4, to / 4 + speex.HEAPU32[lengths / 4 + 1]))
    speex._speex_resampler_destroy(state)
    for (const pointer of [lengths, from, to]) speex._free(pointer)
    return out
  }
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

/** The promise from 48 to 16 kHz: flat within 0.1 dB to 6.8 kHz, and aliases 80 dB down. */
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

const times = await alternate(7, left, { isWarm: true })
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
