// Drawing for the demo: a level line and a waveform, for s16le mono.

export const width = Math.max(20, process.stdout.columns ?? (Number(process.env.COLUMNS) || 80))
const hasColour = process.stdout.isTTY && !process.env.NO_COLOR

/** @param {number} code of ECMA-48, 8.3.117 @param {string} text */
export function colour(code, text) {
  return hasColour ? `\x1b[${code}m${text}\x1b[0m` : text
}

/** @param {Int16Array} samples */
export function peakOf(samples) {
  let peak = 0
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample))
  return peak / 32768
}

/** A bar from -60 to 0 dBFS. @param {number} peak 0 to 1 @param {number} seconds */
export function levelLine(peak, seconds) {
  const decibels = Math.max(-60, 20 * Math.log10(peak || 1e-9))
  const label = `${seconds.toFixed(1)} s ${decibels.toFixed(0).padStart(4)} dBFS `
  const room = Math.max(4, width - label.length - 1)
  const filled = Math.round((room * (decibels + 60)) / 60)
  const tint = decibels > -3 ? 31 : decibels > -12 ? 33 : 32
  return label + colour(tint, '█'.repeat(filled)) + colour(90, '·'.repeat(room - filled))
}

/** The bits of a braille character (U+2800 on), row by row, for its left and its right column. */
const dots = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
]

/** Lines of braille characters as wide as the window. @param {Int16Array} samples @param {number} rows */
export function waveform(samples, rows) {
  const columns = (width - 1) * 2
  const height = rows * 4
  const peaks = Array.from({ length: columns }, (_, column) =>
    peakOf(
      samples.subarray(
        Math.floor((column * samples.length) / columns),
        Math.ceil(((column + 1) * samples.length) / columns),
      ),
    ),
  )
  const loudest = Math.max(...peaks, 1e-9)
  return Array.from({ length: rows }, (_, row) => {
    let line = ''
    for (let column = 0; column < columns; column += 2) {
      let bits = 0
      for (const [dotRow, pair] of dots.entries()) {
        const distance = Math.abs(row * 4 + dotRow + 0.5 - height / 2)
        for (const side of [0, 1]) {
          const reach = Math.max(0.5, ((peaks[column + side] ?? 0) / loudest) * (height / 2))
          if (distance <= reach) bits |= pair[side] ?? 0
        }
      }
      line += String.fromCharCode(0x2800 + bits)
    }
    return colour(36, line)
  })
}
