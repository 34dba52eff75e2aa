/** The largest prime of 16 bits: a loss of a round number of samples does not go unseen. */
const PERIOD = 65_521

/** Samples of a ramp in s16le, from one on. @param {number} from @param {number} frames */
export function rampAt(from, frames) {
  const bytes = Buffer.alloc(2 * frames)
  for (let i = 0; i < frames; i++) bytes.writeInt16LE(((from + i) % PERIOD) - 0x8000, 2 * i)
  return bytes
}
