// encode() and decode() against ffmpeg as a process, in × real time; what 20 ms of audio cost; and for how long toFile()
// and decode() keep the event loop from everything else: node bench/codec.mjs
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { decode, encode, pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { speech } from 'wavespool/testing'
import { alternate, median, ratio, through } from './measure.mjs'

const SECONDS = 300
/** The longest that a turn of the event loop may take, in ms: p99, while five minutes are encoded or decoded. */
const MOST_P99_MS = 10

const format = pcmFormat()
const pieces = []
for await (const piece of speech(format, { pace: 'fast', duration: { seconds: SECONDS } })) pieces.push(piece)
const pcm = Buffer.concat(pieces).subarray(0, SECONDS * format.bytesPerSecond)

async function ffmpeg(bytes, args) {
  const child = spawn('ffmpeg', ['-v', 'error', ...args, '-'], { stdio: ['pipe', 'pipe', 'ignore'] })
  const out = []
  child.stdout.on('data', (piece) => out.push(piece))
  child.stdin.on('error', () => {})
  child.stdin.end(bytes)
  await once(child, 'close')
  return Buffer.concat(out)
}

/** Calls `work`, and measures each turn of the event loop meanwhile, in ms of CPU: a busy machine is not its fault. */
async function turnsOf(work) {
  const turns = []
  const cpu = () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
  let last = cpu()
  let isOver = false
  const tick = () => {
    const at = cpu()
    turns.push(at - last)
    last = at
    if (!isOver) setImmediate(tick)
  }
  setImmediate(tick)
  await work()
  isOver = true
  turns.sort((a, b) => a - b)
  return { turns: turns.length, p99: turns[Math.floor((turns.length - 1) * 0.99)], most: turns.at(-1) }
}

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0
const raw = ['-f', 's16le', '-ar', '16000', '-ac', '1']
const codecs = {
  flac: { out: ['-c:a', 'flac', '-f', 'flac'] },
  mp3: { out: ['-c:a', 'libmp3lame', '-b:a', '64k', '-f', 'mp3'] },
  opus: { out: ['-c:a', 'libopus', '-b:a', '32k', '-f', 'ogg'] },
}
const memo = new VirtualFile()
await pipeline(Readable.from([pcm], { objectMode: false }), wavHeader(format), memo)

for (const [codec, { out }] of Object.entries(codecs)) {
  const file = await through(encode(format, { codec }), pcm)
  const work = {
    'encode()': {
      ours: () => through(encode(format, { codec }), pcm),
      theirs: () => ffmpeg(pcm, [...raw, '-i', '-', ...out]),
    },
    'decode()': {
      ours: () => through(decode(), file),
      theirs: () => ffmpeg(file, ['-i', '-', '-f', 's16le']),
    },
  }
  for (const [name, { ours, theirs }] of Object.entries(work)) {
    const times = await alternate(3, { ours, ...(hasFfmpeg && { theirs }) }, { isWarm: true })
    const seconds = median(times.ours)
    const cost = ((seconds * 1e6) / (SECONDS * 50)).toFixed(0).padStart(4)
    const against = hasFfmpeg ? `   ffmpeg takes ${ratio(times.theirs, times.ours).toFixed(2)} × as long` : ''
    console.log(
      `  ${codec.padEnd(5)} ${name}  ${(SECONDS / seconds).toFixed(0).padStart(5)} × real time   ${cost} µs for 20 ms${against}`,
    )
  }
  for (const [name, work] of [
    ['toFile()', () => memo.toFile({ codec })],
    ['decode()', () => through(decode({ to: format }), file)],
  ]) {
    await work()
    const isJudged = name === 'toFile()' // the longest of decode() is the start of its library
    const { turns, p99, most } = await turnsOf(work)
    console.log(
      `  ${codec.padEnd(5)} ${name}  ${String(turns).padStart(4)} turns of the event loop: p99 ${p99.toFixed(1)} ms, longest ${most.toFixed(1)} ms${isJudged ? `   (p99 at most ${MOST_P99_MS})` : ''}`,
    )
    if (isJudged && p99 > MOST_P99_MS) process.exitCode = 1
  }
}
await memo.dispose()
