// Cuts a stream at pauses with a voice detector of your own: here one that only measures the level. The speech comes from
// wavespool/testing, where the times of speech are known; a microphone would do as well.
import { pcmFormat, segment } from 'wavespool'
import { speech } from 'wavespool/testing'

/** Speech is 10 dB louder than the noise; the noise is the quietest recent level. */
class EnergyDetector {
  sampleRate = 16_000
  frameSamples = 320 // 20 ms
  #noise = Number.POSITIVE_INFINITY
  #framesLeft = 0

  /** @param {Float32Array} frame from −1 to 1 */
  isSpeech(frame) {
    const energy = frame.reduce((sum, sample) => sum + sample * sample, 0) / frame.length
    // It falls at once, and rises by 2 dB a second; what is below −70 dBFS is silence in any case.
    this.#noise = Math.max(1e-7, Math.min(this.#noise * 1.01, energy))
    if (energy > this.#noise * 10) this.#framesLeft = 5 // 100 ms: the end of a word is quiet
    return this.#framesLeft-- > 0
  }
}

const format = pcmFormat({ sampleRate: 48_000, channels: 2, encoding: 'f32le' }) // it is heard as 16 kHz mono
const source = speech(format, { duration: { seconds: 10 } })
const detector = new EnergyDetector()
const segments = source.pipe(segment(format, { silence: { milliseconds: 400 }, detector }))
let index = 0
for await (const { file, start, end } of segments) {
  const said = source.sentence(index++)
  console.log(
    `${file.name}: ${time(start)} to ${time(end)}, said from ${time(said.start)} to ${time(said.end)}`,
  )
  await file.dispose()
}

/** @param {number} frames */
function time(frames) {
  return `${(frames / format.sampleRate).toFixed(2)} s`
}
