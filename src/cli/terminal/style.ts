import { printable } from '../../errors.ts'

/** Columns of a terminal that text may fill: one less than there are, as some wrap at the last one. */
export function widthOf(stream: NodeJS.WriteStream): number {
  const columns = stream.columns || Number(process.env.COLUMNS) || 80
  return Math.max(20, Math.min(columns - 1, 200))
}

/** SGR parameters, ECMA-48 8.3.117. */
const colours = { red: 31, green: 32, yellow: 33, cyan: 36, grey: 90 } as const
export type Paint = (colour: keyof typeof colours, text: string) => string

/** Colours text where the stream is a terminal that shows them and NO_COLOR is not set. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  const isAllowed = stream.isTTY && !process.env.NO_COLOR && stream.hasColors()
  return isAllowed ? (colour, text) => `\x1b[${colours[colour]}m${text}\x1b[39m` : (_colour, text) => text
}

/** A value as indented JSON without control characters, which a terminal would obey: it parses to the same value. */
export function toJson(value: unknown): string {
  return printable(JSON.stringify(value, null, 2), '\n')
}
