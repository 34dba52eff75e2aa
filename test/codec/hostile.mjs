// @ts-nocheck: run as it is by every Node version
// Broken files through decode(): each ends with a typed error or with samples, in bounded memory, and soon.
//   node test/codec/hostile.mjs [--count 20000] [--seed n] [--kinds flac,webm] [--only run]
// Every kind runs in a process of its own, which is ended where it makes no progress. Prints a line of JSON a kind.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { decode } from 'wavespool'
import { Random } from '../faults/random.mjs'

const kinds = {
  wav: 'a.wav',
  flac: '-c:a flac a.flac',
  'ogg-flac': '-c:a flac -page_duration 50000 a.ogg',
  opus: '-c:a libopus -page_duration 50000 a.ogg',
  vorbis: '-c:a libvorbis -page_duration 50000 a.ogg',
  webm: '-c:a libopus a.webm',
  mp3: '-c:a libmp3lame -b:a 32k a.mp3',
  aac: '-c:a aac -movflags +faststart a.m4a',
  'aac-last': '-c:a aac a.m4a',
  fragmented: '-c:a aac -movflags +frag_keyframe+empty_moov+default_base_moof -frag_duration 100000 a.mp4',
  'opus-mp4': '-c:a libopus a.mp4',
}
/** Kinds of which the samples in front of a fault are exact; the other codecs smooth over missing parts. */
const exact = new Set(['wav', 'flac', 'ogg-flac', 'opus', 'webm'])
/** No broken file makes more of the some seconds that it was made of, in bytes. */
const MOST_BYTES = 2 ** 30
const STALLED_MS = 60_000

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    kinds: { type: 'string', default: Object.keys(kinds).join() },
    only: { type: 'string' },
    child: { type: 'boolean', default: false },
  },
})
const count = Number(values.count)
const seed = Number(values.seed)

if (values.child) await runKind(values.kinds)
else for (const kind of values.kinds.split(',')) await watch(kind)

/** Runs a kind in a process of its own. */
async function watch(kind) {
  const args = [
    fileURLToPath(import.meta.url),
    '--child',
    '--kinds',
    kind,
    '--count',
    values.count,
    '--seed',
    values.seed,
  ]
  if (values.only) args.push('--only', values.only)
  const child = spawn(process.execPath, ['--expose-gc', ...args], { stdio: ['ignore', 'inherit', 'pipe'] })
  let last = ''
  let timer
  const wait = () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      console.log(JSON.stringify({ kind, seed, hangs: last.trim().split('\n').at(-1) }))
      child.kill('SIGKILL')
    }, STALLED_MS)
  }
  wait()
  child.stderr.on('data', (text) => {
    last = (last + text).slice(-2000)
    wait()
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  if (code === 0) return
  process.exitCode = 1
  if (code === 3) return
  console.log(JSON.stringify({ kind, seed, code, last: last.slice(-1500) }))
}

async function runKind(kind) {
  const bytes = make(kind)
  const { pcm: whole } = await decoded(bytes, [bytes.length])
  const outcomes = {}
  const faults = []
  let unhandled
  process.on('unhandledRejection', (error) => (unhandled = error))
  process.on('uncaughtException', (error) => (unhandled = error))
  for (const name of ['log', 'warn', 'error']) {
    const print = console[name]
    console[name] = (...words) => {
      if (!/^{"kind/.test(words[0])) unhandled = new Error(`prints ${words}`)
      print(...words)
    }
  }
  let mostBytes = 0
  let mostRss = 0
  for (let run = 0; run < count; run++) {
    if (values.only !== undefined && run !== Number(values.only)) continue
    const random = new Random(seed + run * 7919)
    const below = (n) => random.below(n)
    const { broken, isCut } = mutate(bytes, below, kind)
    process.stderr.write(`run ${run}\n`)
    const sizes = [[broken.length || 1], [4096], [1 + below(2000)], [1 + below(3000), 1], [1, 7, 2]][
      below(20) === 0 ? 4 : below(4)
    ]
    const { pcm, error, size } = await decoded(broken, sizes)
    const outcome = error ? (error.code ?? error.constructor.name) : 'samples'
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    mostBytes = Math.max(mostBytes, size)
    const reason = unhandled
      ? `unhandled: ${unhandled.stack}`
      : error && !/^ERR_WAVESPOOL_/.test(error.code)
        ? error.stack
        : size > MOST_BYTES
          ? `${size} bytes`
          : isCut && exact.has(kind) && !pcm.equals(whole.subarray(0, pcm.length))
            ? 'what came out is not what was in front of the cut'
            : undefined
    unhandled = undefined
    if (reason) faults.push({ run, reason })
    if (run % 200 === 199) {
      globalThis.gc?.()
      await new Promise(setImmediate)
      mostRss = Math.max(mostRss, process.memoryUsage().rss)
      const { pcm } = await decoded(bytes, [bytes.length])
      if (!pcm.equals(whole)) faults.push({ run, reason: 'the whole file is not decoded any more as it was' })
    }
  }
  const mebibytes = (value) => Math.round(value / 2 ** 20)
  console.log(
    JSON.stringify({
      kind,
      seed,
      runs: count,
      outcomes,
      mostMiB: mebibytes(mostBytes),
      rssMiB: mebibytes(mostRss || process.memoryUsage().rss),
      faults: faults.length,
      first: faults.slice(0, 5),
    }),
  )
  process.exitCode = faults.length > 0 ? 3 : 0
}

/** Half a second of tones, as ffmpeg makes it. */
function make(kind) {
  const folder = mkdtempSync(join(tmpdir(), 'wavespool-hostile-'))
  try {
    const source = ['-f', 'lavfi', '-i', "aevalsrc='0.3*sin(900*t*(1+t))|0.2*sin(3000*t)':s=48000:d=0.5"]
    const args = kinds[kind].split(' ')
    const path = join(folder, args.pop())
    const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-bitexact', ...source, ...args, path])
    if (status !== 0) throw new Error(`ffmpeg: ${stderr}`)
    return readFileSync(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function decoded(bytes, sizes) {
  const stage = decode()
  const chunks = []
  let size = 0
  return new Promise((resolve) => {
    const done = (error) => resolve({ pcm: Buffer.concat(chunks), error, size })
    stage.on('data', (chunk) => {
      size += chunk.length
      if (size <= 2 ** 22) chunks.push(chunk)
      if (size > MOST_BYTES) stage.destroy()
    })
    stage.once('error', done)
    stage.once('close', () => done())
    let at = 0
    const write = () => {
      for (let i = 0; at < bytes.length; i++) {
        if (stage.destroyed) return
        const from = at
        at += sizes[i % sizes.length]
        if (!stage.write(bytes.subarray(from, at))) return void stage.once('drain', write)
      }
      stage.end()
    }
    write()
  })
}

/** One to four changes. `isCut`: it is the file as it was, cut short. */
function mutate(bytes, below, kind) {
  if (below(8) === 0) return { broken: bytes.subarray(0, below(bytes.length)), isCut: true }
  let broken = Buffer.from(bytes)
  for (let changes = 1 + below(4); changes > 0; changes--) broken = changed(broken, below)
  const isOgg = broken.includes('OggS')
  // Else nothing but the check of their CRC would ever be tried.
  if (isOgg && below(2) === 0) for (const page of pagesOf(broken)) putCrc(page)
  return { broken, isCut: false, kind }
}

/** A place, in the first half kilobyte as often as anywhere else. */
function placeIn(bytes, below) {
  return below(below(2) === 0 ? Math.min(512, bytes.length + 1) : bytes.length + 1)
}

function changed(bytes, below) {
  const at = placeIn(bytes, below)
  const length = [1, 2, 4, 16, 200, 2000][below(6)]
  const [before, part, behind] = [
    bytes.subarray(0, at),
    bytes.subarray(at, at + length),
    bytes.subarray(at + length),
  ]
  const noise = () => Buffer.from(Array.from({ length }, () => below(256)))
  switch (below(9)) {
    case 0: {
      const copy = Buffer.from(bytes)
      if (at < copy.length) copy[at] ^= 1 << below(8)
      return copy
    }
    case 1:
      return Buffer.concat([before, noise(), behind])
    case 2: // values by which sizes and counts overflow
      return Buffer.concat([
        before,
        Buffer.alloc(Math.min(length, 8), [0, 0xff, 0x7f, 0x80][below(4)]),
        bytes.subarray(at + Math.min(length, 8)),
      ])
    case 3:
      return Buffer.concat([before, noise(), part, behind])
    case 4:
      return Buffer.concat([before, behind])
    case 5: {
      const from = placeIn(bytes, below)
      return Buffer.concat([before, bytes.subarray(from, from + length), part, behind])
    }
    case 6: {
      const times = [2, 10, 300][below(3)]
      return Buffer.concat([before, ...Array(length > 200 ? Math.min(times, 10) : times).fill(part), behind])
    }
    case 7:
      return bytes.subarray(0, at)
    default:
      return Buffer.concat([bytes, before])
  }
}

function* pagesOf(bytes) {
  for (let at = bytes.indexOf('OggS'); at >= 0; at = bytes.indexOf('OggS', at + 1)) {
    const segments = bytes[at + 26] ?? 0
    const lacing = bytes.subarray(at + 27, at + 27 + segments)
    const size = 27 + segments + lacing.reduce((sum, each) => sum + each, 0)
    if (at + size <= bytes.length) yield bytes.subarray(at, at + size)
  }
}

function putCrc(page) {
  page.fill(0, 22, 26)
  let crc = 0
  for (const byte of page) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  }
  page.writeUInt32LE(crc >>> 0, 22)
}
