import type { Paint } from './style.ts'
import { byteSize, clockTime } from './units.ts'

export interface LevelReading {
  seconds: number
  bytes: number
  /** dBFS, of the loudest sample since the last reading */
  peak: number
  /** whether a sample was cut off at full scale */
  isClipped: boolean
}

/** The quietest level that shows, in dBFS. */
const FLOOR = -60

/** `0:05.2   160 kB  -12 dB ██████····`: as wide as it may be. */
export function levelLine(
  { seconds, bytes, peak, isClipped }: LevelReading,
  width: number,
  paint: Paint,
): string {
  const level = Math.max(FLOOR, Math.min(0, peak))
  const label = `${clockTime(seconds)} ${byteSize(bytes).padStart(7)} ${level.toFixed(0).padStart(3)} dB `
  const barWidth = Math.max(4, width - label.length)
  const filled = Math.round((barWidth * (level - FLOOR)) / -FLOOR)
  const colour = isClipped || level > -3 ? 'red' : level > -12 ? 'yellow' : 'green'
  return label + paint(colour, '█'.repeat(filled)) + paint('grey', '·'.repeat(barWidth - filled))
}
