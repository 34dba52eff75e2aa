/** The first `count` bytes of a list of chunks. */
export function takeBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  const taken: Uint8Array[] = []
  let left = count
  for (const chunk of chunks) {
    if (left === 0) break
    const part = chunk.subarray(0, left)
    taken.push(part)
    left -= part.length
  }
  return taken
}

/** All but the first `count` bytes. */
export function dropBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count
  return chunks.flatMap((chunk) => {
    const rest = chunk.subarray(Math.min(left, chunk.length))
    left -= chunk.length - rest.length
    return rest.length > 0 ? [rest] : []
  })
}
