/** A number of EBML (RFC 8794): its length stands in the leading zeros of its first byte. */
export interface Vint {
  value: number
  bytes: number
  /** all ones: the size is not known */
  isUnknown: boolean
}

/** @returns undefined where it is not whole, or none */
export function readVint(bytes: Uint8Array, at: number): Vint | undefined {
  const first = bytes[at]
  if (first === undefined || first === 0) return undefined
  const length = Math.clz32(first) - 23
  if (at + length > bytes.length) return undefined
  let value = first & (0xff >> length)
  let isUnknown = value === 0xff >> length
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i]!
    value = value * 256 + byte
    isUnknown &&= byte === 0xff
  }
  return { value, bytes: length, isUnknown }
}

/** An ID keeps its marker. @returns undefined where it is not whole, or none: an ID has up to four bytes */
export function readId(bytes: Uint8Array, at: number): { id: number; bytes: number } | undefined {
  const first = bytes[at]
  if (first === undefined || first < 0x10) return undefined
  const length = Math.clz32(first) - 23
  if (at + length > bytes.length) return undefined
  let id = 0
  for (let i = 0; i < length; i++) id = id * 256 + bytes[at + i]!
  return { id, bytes: length }
}

export interface Element {
  id: number
  data: Uint8Array
}

/** The elements of a master element that lies in memory; an element that does not fit ends them. */
export function* elementsOf(bytes: Uint8Array): Generator<Element> {
  for (let at = 0; at < bytes.length; ) {
    const id = readId(bytes, at)
    const size = id && readVint(bytes, at + id.bytes)
    if (id === undefined || size === undefined) return
    const start = at + id.bytes + size.bytes
    const end = size.isUnknown ? bytes.length : start + size.value
    if (end > bytes.length) return
    yield { id: id.id, data: bytes.subarray(start, end) }
    at = end
  }
}

export function readUnsigned(bytes: Uint8Array): number {
  let value = 0
  for (const byte of bytes) value = value * 256 + byte
  return value
}

/** @returns as many as fit into a number; of 8 bytes at most */
export function readSigned(bytes: Uint8Array): number {
  const value = readUnsigned(bytes)
  return bytes.length > 0 && bytes[0]! >= 128 ? value - 256 ** bytes.length : value
}
