/** The size of every part but the first, and so of the memory between two part files. */
export const PART_BYTES = 8 * 2 ** 20

/** The part that a position falls into, where in it, and how many bytes it has from there on. */
export function placeOf(
  firstBytes: number,
  position: number,
): { index: number; offset: number; remaining: number } {
  if (position < firstBytes) return { index: 0, offset: position, remaining: firstBytes - position }
  const behind = position - firstBytes
  const offset = behind % PART_BYTES
  return { index: 1 + Math.floor(behind / PART_BYTES), offset, remaining: PART_BYTES - offset }
}
