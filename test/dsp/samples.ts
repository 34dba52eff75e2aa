import { type Encoding, encodings } from '../../src/format/encoding.ts'

/** Numbers that come again in every run: a linear congruential generator, from 0 to 1. */
export function random(seed = 1): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/**
 * Every code of the encodings that have up to 16 bits; of the others the edges, values around zero, and random ones.
 */
export function material(encoding: Encoding, count = 50_000): Buffer {
  const { bytesPerSample } = encodings[encoding]
  if (encoding.endsWith('be')) {
    const little = material(encoding.replace('be', 'le') as Encoding, count)
    return Buffer.from(little.map((_, i) => little[i + bytesPerSample - 1 - 2 * (i % bytesPerSample)]!))
  }
  const next = random()
  if (bytesPerSample === 1) return Buffer.from(Array.from({ length: 256 }, (_, code) => code))
  if (encoding === 's16le')
    return Buffer.from(Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768).buffer)
  const out = Buffer.alloc(count * bytesPerSample)
  if (encoding === 'f32le' || encoding === 'f64le') {
    const steps = [2 ** 7, 2 ** 15, 2 ** 23, 2 ** 31]
    const edges = steps.flatMap((step) => [
      ...Array.from({ length: 500 }, (_, i) => (i - 250) / 4 / step), // halves and quarters
      ...Array.from({ length: 200 }, (_, i) => Math.sign(i - 99.5) * (1 - i / 4 / step)), // the ends of the range
      (0.5 - 2 ** -25) / step, // becomes a half by rounding or truncation
      -(0.5 + 2 ** -24) / step,
    ])
    for (let i = 0; i < count; i++) {
      const value = edges[i] ?? (next() - 0.5) * 2
      if (encoding === 'f32le') out.writeFloatLE(value, i * 4)
      else out.writeDoubleLE(value, i * 8)
    }
    return out
  }
  const half = 2 ** (bytesPerSample * 8 - 1)
  for (let i = 0; i < count; i++) {
    const edges = [-half + i * 37, half - 1 - i * 37, i - 500]
    const value = i < 3000 ? edges[i % 3]! : Math.floor((next() - 0.5) * 2 * half)
    out.writeIntLE(value, i * bytesPerSample, bytesPerSample)
  }
  return out
}
