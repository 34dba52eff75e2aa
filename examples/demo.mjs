// npm run demo: three seconds of audio on their way into a virtual file, and what can be done with it.
// --mic records the microphone instead of the built-in voice.
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { limit, pcmFormat, portAudio, readWavHeader, VirtualFile, wavHeader } from 'wavespool'
import { script } from 'wavespool/testing'
import { colour, levelLine, peakOf, waveform, width } from './terminal.mjs'

const format = pcmFormat()
const isLive = process.argv.includes('--mic')
const source = isLive ? portAudio(format) : script(voice(), { pace: 'realtime', every: 20 })
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
print('Read', `at ${at}: ${[...window].slice(0, 4).join(' ')} …`)

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

/** Four seconds of syllables: a buzz of falling pitch through the formants of a vowel, each with its own loudness. */
function voice() {
  const syllables = [
    { from: 0.1, to: 0.35, pitch: 140, formants: [700, 1100], loudness: 0.5 },
    { from: 0.4, to: 0.75, pitch: 165, formants: [300, 2200], loudness: 0.8 },
    { from: 1.1, to: 1.3, pitch: 150, formants: [500, 1700], loudness: 0.4 },
    { from: 1.35, to: 1.9, pitch: 130, formants: [350, 800], loudness: 0.9 },
    { from: 2.3, to: 2.8, pitch: 120, formants: [650, 1200], loudness: 0.6 },
  ]
  const pcm = new Int16Array(4 * format.sampleRate)
  for (const { from, to, pitch, formants, loudness } of syllables) {
    let phase = 0
    for (let i = Math.round(from * format.sampleRate); i < to * format.sampleRate; i++) {
      const part = (i / format.sampleRate - from) / (to - from)
      const hertz = pitch * (1.1 - 0.2 * part)
      phase += (2 * Math.PI * hertz) / format.sampleRate
      let sum = 0
      for (let harmonic = 1; harmonic <= 20; harmonic++) {
        const nearness = formants.map((formant) => Math.exp(-(((harmonic * hertz - formant) / 180) ** 2)))
        sum += Math.sin(harmonic * phase) * (0.05 / harmonic + nearness.reduce((a, b) => a + b))
      }
      pcm[i] = 8000 * loudness * Math.sin(Math.PI * part) ** 0.5 * Math.tanh(sum)
    }
  }
  return Array.from({ length: 200 }, (_, i) => new Uint8Array(pcm.buffer, i * 640, 640))
}
