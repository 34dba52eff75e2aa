/** Hands over all that it hears, with the frame of the clock: it has no samples where nothing sounds. */
class Tap extends AudioWorkletProcessor {
  /** @param {Float32Array[][]} inputs */
  process([[channel = new Float32Array(128)] = []]) {
    const samples = Int16Array.from(channel, (sample) =>
      Math.max(-32768, Math.min(32767, Math.round(sample * 32768))),
    )
    this.port.postMessage({ at: currentFrame, samples })
    return true
  }
}
registerProcessor('tap', Tap)
