/*
 * The companding laws of ITU-T G.711 between 8-bit codes and linear samples. A linear sample that lies on a decision
 * value belongs to the interval above it, for negative samples too, as in ITU's own software (G.191, `alaw_compress`
 * and `ulaw_compress`): a negative sample is encoded as its one's complement.
 */

/** The 16-bit sample of each of the 256 codes. */
function table(decode: (code: number) => number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, code) => decode(code))
}

/** µ-law: all bits inverted; sign, three bits of segment, four of step, with a bias of 132. */
export const mulawSamples = table((code) => {
  const bits = ~code & 0xff
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84
  return bits & 0x80 ? -magnitude : magnitude
})

/** A-law: every other bit inverted; sign, three bits of segment, four of step, segment 0 being linear. */
export const alawSamples = table((code) => {
  const bits = code ^ 0x55
  const segment = (bits & 0x70) >> 4
  const step = ((bits & 0x0f) << 4) + 8
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1)
  return bits & 0x80 ? magnitude : -magnitude
})

/** The µ-law code of a sample of 14 bits, −8192 to 8191: the scale on which G.711 gives its decision values. */
export function mulawCode(sample: number): number {
  const biased = Math.min((sample < 0 ? ~sample : sample) + 33, 8191)
  const segment = 26 - Math.clz32(biased) // 33 to 63 is segment 0, and each is twice as long as the one before
  const step = (biased >> (segment + 1)) & 0x0f
  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | step) & 0xff
}

/** The A-law code of a sample of 12 bits, −2048 to 2047: G.711's 13 bits without the half steps that decide nothing. */
export function alawCode(sample: number): number {
  const magnitude = sample < 0 ? ~sample : sample
  const segment = Math.max(28 - Math.clz32(magnitude), 0) // 0 to 15 is segment 0, and 16 to 31 as long
  const step = (magnitude >> Math.max(segment - 1, 0)) & 0x0f
  return ((sample < 0 ? 0 : 0x80) | (segment << 4) | step) ^ 0x55
}
