import { ArgumentTypeError, show } from './errors.ts'

/**
 * The one check of options in the package: an object, and no option that is not known. Call it first, before a value is
 * looked at or anything is opened; it changes nothing.
 *
 * ```ts
 * checkOptions(options, ['hop', 'tail'], 'chunk()')
 * checkOptions(options, ['name', 'storage'], 'new VirtualFile()', { path: '{ storage: { path } }' })
 * ```
 *
 * @param known the names of all options
 * @param caller begins the message: a function with its brackets, or the name of a nested option
 * @param instead the options to suggest, by wrong names in lower case
 * @throws {ArgumentTypeError} for anything but a plain object, and for an unknown option: the message names the nearest
 * known one, and all of them
 */
export function checkOptions(
  options: unknown,
  known: readonly string[],
  caller: string,
  instead: Readonly<Record<string, string>> = {},
): asserts options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ArgumentTypeError(
      `${caller} takes its options as an object, ${listed(known)}, got ${show(options)}`,
    )
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown === undefined) return
  const lowerCase = unknown.toLowerCase()
  const suggestion = Object.hasOwn(instead, lowerCase) ? instead[lowerCase] : nearest(unknown, known)
  const question = suggestion === undefined ? '.' : `; did you mean ${suggestion}?`
  throw new ArgumentTypeError(`${caller} has no option ${show(unknown)}${question} It takes ${listed(known)}`)
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? '{}' : `{ ${names.join(', ')} }`
}

/**
 * Of the known names the one that a wrong name was meant to be: the same in another case, one that begins with it or
 * that it begins with, or the one with the fewest letters to change, up to a third of them and at least two; undefined
 * where none is near.
 */
export function nearest(wrong: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let fewest = Number.POSITIVE_INFINITY
  for (const name of known) {
    const changes = distance(wrong.toLowerCase(), name.toLowerCase())
    if (changes >= fewest || !isNear(wrong.toLowerCase(), name.toLowerCase(), changes)) continue
    best = name
    fewest = changes
  }
  return best
}

function isNear(wrong: string, name: string, changes: number): boolean {
  const shorter = Math.min(wrong.length, name.length)
  if (shorter >= 3 && (wrong.includes(name) || name.includes(wrong))) return true
  return changes <= Math.max(Math.min(2, shorter - 1), Math.floor(Math.max(wrong.length, name.length) / 3))
}

/**
 * Letters to change, add, leave out or exchange with their neighbour (the optimal string alignment distance, as in
 * L. Boytsov, "Indexing methods for approximate dictionary searching", 2011).
 */
export function distance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + change)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        next[j] = Math.min(next[j]!, before[j - 2]! + 1)
      }
    }
    before = row
    row = next
  }
  return row[b.length]!
}
