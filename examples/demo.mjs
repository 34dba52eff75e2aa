// npm run demo: three seconds of audio on their way into a virtual file, and what can be done with it.
// --mic records the microphone instead of the built-in voice.
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { limit, pcmFormat, portAudio, readWavHeader, VirtualFile, wavHeader } from 'wavespool'
import { speech } from 'wavespool/testing'
import { colour, levelLine, peakOf, waveform, width } from './terminal.mjs'

process.stdout.on('error', () => process.exit()) // `npm run demo | head` has seen enough
const format = pcmFormat()
const isLive = process.argv.includes('--mic')
const source = isLive
  ? portAudio(format)
  : speech(format, { pace: 'realtime', sentence: { seconds: 1.1 }, pause: { seconds: 0.35 } })
const memo = new VirtualFile({ name: 'demo.wav' })

print('Recording', isLive ? 'the microphone' : 'a built-in voice (or --mic)')
const meter = setInterval(drawLevel, 50)
try {
  await pipeline(source, limit(format, { seconds: 3 }), wavHeader(format), memo)
} catch (error) {
  const { code, message } = /** @type {{ code?: string, message: string }} */ (error)
  console.error(`\n${code ?? 'error'}: ${message}`)
  process.exit(1)
} finally {
  clearInterval(meter)
}
if (process.stdout.isTTY) process.stdout.write(`\r${' '.repeat(width - 1)}\r`)

const bytes = await memo.toBuffer()
const samples = new Int16Array(bytes.buffer, bytes.byteOffset + 44)
console.log(levelLine(peakOf(samples), memo.duration ?? 0))

print('File', `${memo.name}, ${memo.size} bytes, ${memo.duration} s`)
const header = readWavHeader(bytes)
print(
  'Header',
  `${header?.container}, tag ${header?.formatTag}, data at ${header?.dataStart}: ${header?.dataBytes}`,
)
print('Format', `${format.sampleRate} Hz, ${format.channels} ch, ${format.encoding}`)

const cursor = memo.cursor()
cursor.seek(-format.bytesPerSecond, 'end')
const last = await cursor.read()
print('Seek', `1 s from the end: ${last.length} bytes`)

const window = new Int16Array(8)
const at = 44 + 2 * Math.floor(Math.random() * (samples.length - window.length))
await memo.read(window, at)
print('Read', `${at}: ${[...window].slice(0, 3).join(' ')} …`)

console.log()
for (const line of waveform(samples, 5)) console.log(line)
console.log()

const path = join(tmpdir(), `wavespool-demo-${process.pid}.wav`)
await writeFile(path, bytes)
print('Saved', path)
await memo.dispose()

/** @param {string} label @param {string} text */
function print(label, text) {
  console.log(`${colour(1, label.padEnd(10))}${text}`)
}

/** Reads the file while it is being written: its last 50 ms. */
function drawLevel() {
  const { size } = memo
  const recent = new Int16Array(800)
  if (!process.stdout.isTTY || size < 44 + recent.byteLength) return
  memo.readSync(recent, size - recent.byteLength)
  process.stdout.write(`\r${levelLine(peakOf(recent), memo.duration ?? 0)}`)
}
