/** The first `count` bytes of a list of chunks. */
export function takeBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  const taken: Uint8Array[] = []
  let remaining = count
  for (const chunk of chunks) {
    if (remaining === 0) break
    const part = chunk.subarray(0, remaining)
    taken.push(part)
    remaining -= part.length
  }
  return taken
}

/** All but the first `count` bytes. */
export function dropBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let remaining = count
  return chunks.flatMap((chunk) => {
    const rest = chunk.subarray(Math.min(remaining, chunk.length))
    remaining -= chunk.length - rest.length
    return rest.length > 0 ? [rest] : []
  })
}
