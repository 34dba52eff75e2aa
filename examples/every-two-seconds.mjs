// Records until Ctrl-C and processes a finished WAV of two seconds after another, with nothing lost in between.
import { pipeline } from 'node:stream/promises'
import { pcmFormat, segment } from 'wavespool'
import { pickSource } from './source.mjs'

const format = pcmFormat()
const source = await pickSource(format)
process.once('SIGINT', () => source.stop())
console.log('recording; Ctrl-C ends it')

let processed = 0
await pipeline(source, segment(format, { every: { seconds: 2 } }), async (segments) => {
  for await (const { file, start, end } of segments) {
    // The recording goes on meanwhile. A recogniser would take the file here, as it takes any other.
    const samples = await file.toFloat32()
    processed += samples.length
    console.log(`${time(start)} to ${time(end)}: ${file.name}, ${file.size} bytes, ${loudness(samples)} dBFS`)
    await file.dispose()
  }
})
console.log(`processed ${time(processed)}`)

/** @param {number} frames */
function time(frames) {
  return `${(frames / format.sampleRate).toFixed(2)} s`
}

/** @param {Float32Array} samples from −1 to 1 */
function loudness(samples) {
  const sum = samples.reduce((sum, sample) => sum + sample * sample, 1e-9)
  return (10 * Math.log10(sum / samples.length)).toFixed(1)
}
