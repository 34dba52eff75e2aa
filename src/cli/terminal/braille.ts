/** The bits of a braille character (U+2800 on), row by row, for its left and its right column. */
const dots = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const

/**
 * Lines of braille characters, of two columns and four rows of dots each.
 *
 * @param low where each column of dots begins, -1 (bottom) to 1 (top)
 * @param high where it ends; silence is a line
 */
export function brailleLines(low: ArrayLike<number>, high: ArrayLike<number>, rows: number): string[] {
  const cells = Array.from({ length: rows }, () => new Uint8Array(Math.ceil(low.length / 2)))
  const last = rows * 4 - 1
  const rowOf = (value: number) => Math.round(((1 - Math.max(-1, Math.min(1, value))) / 2) * last)
  for (let column = 0; column < low.length; column++) {
    const bottom = rowOf(low[column]!)
    for (let row = rowOf(high[column]!); row <= bottom; row++) {
      cells[row >> 2]![column >> 1]! |= dots[row & 3]![column & 1]!
    }
  }
  return cells.map((line) => String.fromCharCode(...Array.from(line, (bits) => 0x2800 + bits)))
}
