/** Turns the Float32Array of each channel, as decoders give them, into f32le of interleaved frames. */
export function interleave(channels: readonly Float32Array[], start: number, end: number, gain = 1): Buffer {
  const count = channels.length
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, end - start) * count * 4)
  const samples = new Float32Array(bytes.buffer)
  channels.forEach((channel, index) => {
    for (let i = start, at = index; i < end; i++, at += count) samples[at] = channel[i]! * gain
  })
  return bytes
}
