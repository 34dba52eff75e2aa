/** Frames of a message: 21 ms at 48 kHz. */
const FRAMES = 1024

/** Hands the samples over as 16 bits, none left out: this runs beside the page, and goes on in the background. */
class Recorder extends AudioWorkletProcessor {
  #samples = new Int16Array(FRAMES)
  #length = 0
  #isEnding = false
  #isEnded = false

  constructor() {
    super()
    this.port.onmessage = () => {
      this.#isEnding = true
    }
  }

  /** @param {Float32Array[][]} inputs */
  process([[channel = new Float32Array(0)] = []]) {
    if (this.#isEnded) return false
    for (const sample of channel) {
      this.#samples[this.#length++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)))
      if (this.#length === FRAMES) this.#send()
    }
    if (!this.#isEnding) return true
    this.#send()
    this.port.postMessage(null)
    this.#isEnded = true // it may be called again all the same
    return false
  }

  #send() {
    this.port.postMessage(this.#samples.slice(0, this.#length))
    this.#length = 0
  }
}

registerProcessor('recorder', Recorder)
