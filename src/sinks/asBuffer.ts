/** The same memory as a Buffer: Node's own functions take shared memory in no other way. */
export function asBuffer(bytes: ArrayBufferView): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
