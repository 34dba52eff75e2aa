import { printable } from '../../errors.ts'

/** A value as indented JSON, of which nothing gives orders to a terminal: it parses to the same value. */
export function toJson(value: unknown): string {
  return printable(JSON.stringify(value, null, 2), '\n')
}
