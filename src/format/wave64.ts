import { fourCC, u64 } from './fields.ts'
import { type Parsing, skip, take } from './pushParser.ts'
import type { WavHeaderScan } from './readWavHeader.ts'
import { FMT_BYTES, readFmt, type WavFormat } from './wavFormat.ts'

/** How a Wave64 file begins: the first four bytes of the GUID of `riff`. */
export const WAVE64_RIFF = 'riff'

/** A chunk's head: a GUID of 16 bytes and a size of 64 bits that counts both. */
const WAVE64_HEAD = 24

/** How the GUIDs of Wave64 go on behind the four letters of the chunk. */
const riffTail = '2e91cf11a5d628db04c10000'
const otherTail = 'f3acd3118cd100c04f8edb8a'

const MAX_CHUNKS = 2 ** 12

/**
 * Reads the header of Sony's Wave64 (Sonic Foundry, "Wave64 file format specification"), behind the first four bytes:
 * like RIFF, but with GUIDs for names, sizes of 64 bits that count the head of the chunk too, and chunks that begin at
 * multiples of eight.
 */
export function* parseWave64(riffAt: number): Parsing<WavHeaderScan> {
  const start = yield* take(36) // the rest of the GUID, the size of the file, the GUID of `wave`
  if (hex(start.subarray(0, 12)) !== riffTail || name(start.subarray(20)) !== 'wave') {
    return { fault: 'this is no WAV file: it begins like Wave64, and goes on otherwise' }
  }
  const riffBytes = u64(start, 12) - 8 // as RIFF counts: without the first eight bytes
  let fmt: WavFormat | undefined
  for (let at = riffAt + 40, count = 0; count < MAX_CHUNKS; count++) {
    const head = yield* take(WAVE64_HEAD)
    const id = name(head)
    const declared = u64(head, 16)
    const size: number = declared - WAVE64_HEAD
    const body: number = at + WAVE64_HEAD
    if (id === 'data') {
      if (fmt === undefined) return { fault: 'this WAV file has no fmt chunk in front of its data' }
      const fields = { container: 'W64', riffAt, dataSizeAt: body - 8, dataStart: body } as const
      return { header: { ...fmt, ...fields, dataBytes: Math.max(0, size), riffBytes, tags: {} } }
    }
    if (size < 0) break
    const padded: number = Math.ceil(size / 8) * 8
    let seen = 0
    if (id === 'fmt ') {
      seen = Math.min(size, FMT_BYTES)
      const read = readFmt(yield* take(seen), size)
      if (typeof read === 'string') return { fault: read }
      fmt = read
    }
    yield* skip(padded - seen)
    at = body + padded
  }
  return { fault: 'this Wave64 file has no samples' }
}

/** The four letters of a chunk; undefined for a GUID of another family. */
function name(guid: Uint8Array): string | undefined {
  return hex(guid.subarray(4, 16)) === otherTail ? fourCC(guid) : undefined
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
