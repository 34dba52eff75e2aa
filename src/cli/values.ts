import { UsageError } from './command.ts'

const secondsPer: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 }

/**
 * A length of time as people write it: `5`, `1.5s`, `200ms`, `2m`, `1h`.
 *
 * @returns seconds, undefined for an option that was not given
 * @throws {UsageError} for anything else, and for nothing at all
 */
export function timeOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, digits, unit = 's'] = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h)?$/.exec(text) ?? []
  const seconds = Number(digits) * (secondsPer[unit] ?? Number.NaN)
  if (seconds > 0) return seconds
  throw new UsageError(`--${option} takes a time such as 5, 1.5s, 200ms or 2m, not ${text}`)
}

/** @throws {UsageError} for anything but a whole number above 0, or above `least` */
export function countOf(option: string, text: string | undefined, least = 1): number | undefined {
  if (text === undefined) return undefined
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(count) && count >= least) return count
  throw new UsageError(`--${option} takes a whole number of at least ${least}, not ${text}`)
}
