import fc from 'fast-check'
import { type Encoding, encodings } from '../../src/format/encoding.ts'
import { type PcmFormat, pcmFormat } from '../../src/format/pcmFormat.ts'

export const allEncodings = Object.keys(encodings) as Encoding[]
/** Those that a WAV file can hold. */
export const wavEncodings = allEncodings.filter((encoding) => encodings[encoding].formatTag !== undefined)

/** Formats that occur, and odd ones. */
export const formats: fc.Arbitrary<PcmFormat> = fc
  .record({
    sampleRate: fc.constantFrom(1, 8000, 11_025, 16_000, 44_100, 48_000, 192_000),
    channels: fc.constantFrom(1, 2, 3, 5, 6, 8, 11),
    encoding: fc.constantFrom(...wavEncodings),
  })
  .map(pcmFormat)

/** Cuts of something of `length` bytes into pieces, single bytes and empty ones among them. */
export function chunkings(bytes: Uint8Array): fc.Arbitrary<Uint8Array[]> {
  const cut = fc.oneof(
    fc.array(fc.nat(bytes.length), { maxLength: 12 }),
    fc.integer({ min: 1, max: 9 }).map((step) => {
      const cuts: number[] = []
      for (let at = step; at < bytes.length; at += step) cuts.push(at)
      return cuts
    }),
  )
  return cut.map((cuts) => {
    const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
    return edges.slice(1).map((end, i) => bytes.subarray(edges[i], end))
  })
}

/** Bytes of which no two neighbourhoods look alike, and none looks like silence. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => 1 + ((i * 167 + (i >> 8) * 13) % 251))
}
