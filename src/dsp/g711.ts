/** The 16-bit sample of each of the 256 codes, after ITU-T G.711. */
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
