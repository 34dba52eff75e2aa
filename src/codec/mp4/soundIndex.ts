/** Of one chunk or one fragment: hours of packets, where others write a second. */
const MOST_SAMPLES = 2 ** 20

/**
 * Whether the tables in a part of an MP4 file count no more samples than there can be: `stsc`, samples in a chunk, and
 * `trun`, samples of a fragment (ISO 14496-12, 8.7.4 and 8.8.8). In encoded audio their names come about once in
 * thousands of millions of bytes.
 */
export function isSoundIndex(part: Uint8Array): boolean {
  const bytes = Buffer.from(part.buffer, part.byteOffset, part.length)
  for (const run of positionsOf(bytes, 'trun')) {
    if (run + 12 <= bytes.length && bytes.readUInt32BE(run + 8) > MOST_SAMPLES) return false
  }
  for (const table of positionsOf(bytes, 'stsc')) {
    const entries = table + 12 <= bytes.length ? bytes.readUInt32BE(table + 8) : 0
    for (let i = 0, at = table + 16; i < entries && at + 4 <= bytes.length; i++, at += 12) {
      if (bytes.readUInt32BE(at) > MOST_SAMPLES) return false
    }
  }
  return true
}

function* positionsOf(bytes: Buffer, name: string): Generator<number> {
  for (let at = bytes.indexOf(name, 0, 'latin1'); at >= 0; at = bytes.indexOf(name, at + 4, 'latin1'))
    yield at
}
