/** All bytes as a DataView, also where they are a part of their buffer. */
export function viewOf(bytes: Uint8Array): DataView<ArrayBufferLike> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Four letters, as the names of chunks are. */
export function fourCC(bytes: Uint8Array, at = 0): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4))
}

/** The bytes of a name. */
export function bytesOf(id: string): Uint8Array {
  return Uint8Array.from(id, (char) => char.charCodeAt(0))
}

/** Whether the name of a chunk can begin so: with four characters of ASCII. */
export function isPrintable(id: string): boolean {
  return /^[\x20-\x7e]{4}/.test(id)
}

export function u32(bytes: Uint8Array, at: number, isBigEndian: boolean): number {
  return viewOf(bytes).getUint32(at, !isBigEndian)
}

/** Little-endian; above 2^53 it is not exact. */
export function u64(bytes: Uint8Array, at: number): number {
  return Number(viewOf(bytes).getBigUint64(at, true))
}
