import { readVint } from './ebml.ts'

export interface Block {
  track: number
  frames: Uint8Array[]
}

/**
 * The frames of a Block or SimpleBlock (RFC 9559, 10), laced or not.
 *
 * @returns undefined where its sizes do not add up
 */
export function readBlock(bytes: Uint8Array): Block | undefined {
  const track = readVint(bytes, 0)
  if (track === undefined || track.bytes + 3 > bytes.length) return undefined
  const flags = bytes[track.bytes + 2]!
  const content = bytes.subarray(track.bytes + 3)
  const lacing = (flags >> 1) & 3
  if (lacing === 0) return { track: track.value, frames: [content] }
  if (content.length === 0) return undefined
  const count = content[0]! + 1
  const laced = sizesOf(content, lacing, count)
  if (laced === undefined) return undefined
  const { sizes, start } = laced
  const last = content.length - start - sizes.reduce((sum, size) => sum + size, 0)
  if (last < 0 || sizes.some((size) => size < 0)) return undefined
  let at = start
  const frames = [...sizes, last].map((size) => {
    at += size
    return content.subarray(at - size, at)
  })
  return { track: track.value, frames }
}

/** Sizes of all frames but the last. */
function sizesOf(
  content: Uint8Array,
  lacing: number,
  count: number,
): { sizes: number[]; start: number } | undefined {
  let at = 1
  const sizes: number[] = []
  if (lacing === 2) {
    const size = (content.length - 1) / count
    return Number.isInteger(size) ? { sizes: Array(count - 1).fill(size), start: 1 } : undefined
  }
  for (let i = 0; i < count - 1; i++) {
    if (lacing === 1) {
      let size = 0
      let byte = 255
      while (byte === 255) {
        if (at >= content.length) return undefined
        byte = content[at++]!
        size += byte
      }
      sizes.push(size)
      continue
    }
    const vint = readVint(content, at)
    if (vint === undefined) return undefined
    at += vint.bytes
    // each size behind the first is a difference, with the middle of the numbers of its length as zero
    sizes.push(i === 0 ? vint.value : sizes[i - 1]! + vint.value - (2 ** (7 * vint.bytes - 1) - 1))
  }
  return { sizes, start: at }
}
