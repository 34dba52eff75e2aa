/** So many bytes of the start of a tag tell its length. */
export const ID3_HEAD_BYTES = 10

/**
 * The length of an ID3v2 tag, which any file may have in front of it, by its header, in which each byte of the size holds
 * seven bits (id3.org, "ID3 tag version 2.4.0", 3.1); undefined where it is none.
 */
export function id3Bytes(head: Uint8Array): number | undefined {
  if (head.length < ID3_HEAD_BYTES || head[0] !== 0x49 || head[1] !== 0x44 || head[2] !== 0x33)
    return undefined
  const size = head.subarray(6, ID3_HEAD_BYTES)
  if (head[3]! === 0xff || size.some((byte) => byte >= 0x80)) return undefined
  const hasFooter = (head[5]! & 0x10) !== 0
  return ID3_HEAD_BYTES + size.reduce((sum, byte) => sum * 128 + byte, 0) + (hasFooter ? ID3_HEAD_BYTES : 0)
}
