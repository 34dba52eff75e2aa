import { ArgumentTypeError, show } from '../errors.ts'

/** The same memory as a Buffer: Node's own functions take shared memory in no other way. */
export function asBuffer(bytes: ArrayBufferView): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * Copies all of `source` to the start of `target`, and returns how many bytes. V8 copies shared memory that is not
 * 8-aligned byte by byte, with `set()` and `copy()` alike (Node 20 to 24); filling a Buffer with bytes is one memcpy.
 */
export function copyBytes(source: Uint8Array, target: Uint8Array): number {
  const { length } = source
  if (length > 0) Buffer.prototype.fill.call(target, source, 0, length)
  return length
}

/** The bytes from `start` to `end`, which a view is made of only where that is not all of them: views cost time. */
export function part(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return start === 0 && end >= bytes.length ? bytes : bytes.subarray(start, end)
}

/** The bytes of any view of memory, shared or not. @throws {ArgumentTypeError} for anything else */
export function bytesOf(target: unknown, caller: string): Uint8Array {
  if (target instanceof Uint8Array && target.buffer instanceof ArrayBuffer) return target
  if (ArrayBuffer.isView(target)) return asBuffer(target)
  if (target instanceof ArrayBuffer || target instanceof SharedArrayBuffer) return Buffer.from(target)
  throw new ArgumentTypeError(
    `${caller} takes a Buffer, a typed array, a DataView or an ArrayBuffer, got ${show(target)}`,
  )
}
