/** What decoders give: one Float32Array a channel; and what a PCM stream carries: f32le, a frame behind the other. */
export function interleave(channels: readonly Float32Array[], start: number, end: number, gain = 1): Buffer {
  const count = channels.length
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, end - start) * count * 4)
  const samples = new Float32Array(bytes.buffer)
  channels.forEach((channel, index) => {
    for (let i = start, at = index; i < end; i++, at += count) samples[at] = channel[i]! * gain
  })
  return bytes
}
