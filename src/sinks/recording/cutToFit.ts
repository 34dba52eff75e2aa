import { takeBytes } from '../../storage/chunkList.ts'
import type { HeaderTracker } from './headerTracker.ts'

/** The chunks that fit into `maxBytes`: whole frames, and the pad byte that they may need. */
export function cutToFit(
  chunks: readonly Uint8Array[],
  size: number,
  maxBytes: number,
  tracker: HeaderTracker,
): readonly Uint8Array[] {
  if (maxBytes === Number.POSITIVE_INFINITY) return chunks
  let total = 0
  for (const chunk of chunks) total += chunk.length
  const whole = tracker.extent(size + total)
  if (Math.max(size + total, whole.end + whole.pad) <= maxBytes) return chunks
  const { dataStart, blockAlign } = tracker
  let end = maxBytes
  if (dataStart > 0 && dataStart <= end) {
    end -= (end - dataStart) % blockAlign
    const { pad } = tracker.extent(end)
    if (end + pad > maxBytes) end -= blockAlign
  }
  return takeBytes(chunks, Math.max(0, end - size))
}
