/** How 24 bits of a sample lie: in three bytes, or in the lower or the upper three of four. */
export type SampleLayout = 'packed' | 'right' | 'left'

/** So many groups of four bytes that are not all zero settle it. */
const ENOUGH = 64

/**
 * A WAV file of 24 bits a sample whose nBlockAlign says four bytes has a wrong block align, or holds four bytes a sample:
 * right-justified and sign-extended as `arecord -f S24_LE` writes it, or left-justified. Only the samples tell, as
 * libsndfile finds too. Silence tells nothing.
 *
 * @param bytes the first samples, from the first byte of a frame on
 * @returns undefined while they leave it open
 */
export function findLayout(
  bytes: Uint8Array,
  isBigEndian: boolean,
  isLast: boolean,
): SampleLayout | undefined {
  const [lowest, high, highest] = isBigEndian ? [3, 1, 0] : [0, 2, 3]
  let [isRight, isLeft, seen] = [true, true, 0]
  for (let at = 0; at + 4 <= bytes.length && seen < ENOUGH; at += 4) {
    const low = bytes[at + lowest]!
    const top = bytes[at + high]!
    const extension = bytes[at + highest]!
    if (low === 0 && top === 0 && extension === 0 && bytes[at + 3 - high] === 0) continue
    seen++
    if (extension !== (top >= 0x80 ? 0xff : 0)) isRight = false
    if (low !== 0) isLeft = false
    if (!isRight && !isLeft) return 'packed'
  }
  if (seen === 0) return isLast ? 'packed' : undefined
  if (seen < ENOUGH && !isLast) return undefined
  return isRight ? 'right' : 'left'
}

/**
 * The samples of whole frames as a little-endian encoding has them: without what fills them up, and turned round where
 * the file is big-endian. The bytes themselves where nothing is to be done.
 *
 * @param stored bytes that a sample has in the file
 * @param wanted bytes that it has in the encoding; what is too much lies above it
 */
export function unpackSamples(
  bytes: Uint8Array,
  stored: number,
  wanted: number,
  isBigEndian: boolean,
): Uint8Array {
  if (stored === wanted && (!isBigEndian || stored === 1)) return bytes
  const out = Buffer.allocUnsafeSlow((bytes.length / stored) * wanted)
  if (stored === wanted && stored !== 3) {
    out.set(bytes)
    if (stored === 2) return out.swap16()
    return stored === 4 ? out.swap32() : out.swap64()
  }
  let at = 0
  for (let start = 0; start < bytes.length; start += stored) {
    for (let i = 0; i < wanted; i++) out[at++] = bytes[start + (isBigEndian ? stored - 1 - i : i)]!
  }
  return out
}
