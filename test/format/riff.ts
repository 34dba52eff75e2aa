/** A chunk, with its pad byte unless told otherwise. */
export function chunkOf(id: string, body: Uint8Array, pad = body.length % 2): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(body.length)
  return Buffer.concat([Buffer.from(id, 'latin1'), size, body, Buffer.alloc(pad)])
}

/** An entry of LIST INFO. */
export function entryOf(id: string, text: string | Uint8Array, pad?: number): Buffer {
  return chunkOf(id, Buffer.concat([Buffer.from(text as string), Buffer.alloc(1)]), pad)
}

export function infoOf(...entries: Uint8Array[]): Buffer {
  return chunkOf('LIST', Buffer.concat([Buffer.from('INFO'), ...entries]))
}

/** Puts chunks behind `fmt `. */
export function insert(header: Uint8Array, ...chunks: Uint8Array[]): Buffer {
  const at = Buffer.from(header).indexOf('fmt ')
  const end = at + 8 + new DataView(header.buffer, header.byteOffset).getUint32(at + 4, true)
  return Buffer.concat([header.subarray(0, end), ...chunks, header.subarray(end)])
}
