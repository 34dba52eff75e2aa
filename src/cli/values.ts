import { UsageError } from './command.ts'

const secondsPer: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 }

/**
 * A length of time as people write it: `5`, `1.5s`, `200ms`, `2m`, `1h`, `1:30`, `1:02:03.5`.
 *
 * @returns seconds, undefined for an option that was not given
 * @throws {UsageError} for anything else, and for nothing at all
 */
export function timeOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, digits, unit = 's'] = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h)?$/.exec(text) ?? []
  const seconds = clockSeconds(text) ?? Number(digits) * (secondsPer[unit] ?? Number.NaN)
  if (seconds > 0) return seconds
  throw new UsageError(`--${option} takes a time such as 5, 1.5s, 200ms, 2m or 1:30, not ${text}`)
}

/** Minutes and seconds, or hours, minutes and seconds; undefined for anything else. */
function clockSeconds(text: string): number | undefined {
  const [, hours, minutes, seconds] = /^(?:(\d+):(?=\d\d:))?(\d+):([0-5]\d(?:\.\d+)?)$/.exec(text) ?? []
  if (minutes === undefined || (hours !== undefined && Number(minutes) > 59)) return undefined
  return Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(seconds)
}

/**
 * A sample rate, also as sox takes it (`8k`, `44.1k`), or a bitrate.
 *
 * @returns Hz or bits a second, undefined for an option that was not given
 * @throws {UsageError} for anything but a whole number above 0
 */
export function rateOf(option: string, text: string | undefined): number | undefined {
  const [, thousands] = /^(\d+(?:\.\d{1,3})?)k$/i.exec(text ?? '') ?? []
  return countOf(option, thousands === undefined ? text : String(Math.round(Number(thousands) * 1000)))
}

/** @throws {UsageError} for anything but a whole number above 0, or above `least` */
export function countOf(option: string, text: string | undefined, least = 1): number | undefined {
  if (text === undefined) return undefined
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(count) && count >= least) return count
  throw new UsageError(`--${option} takes a whole number of at least ${least}, not ${text}`)
}

const bytesPer: Record<string, number> = {
  '': 1,
  B: 1,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
}

/**
 * A size as people write it: `25MB` (25,000,000 bytes), `25M`, `25MiB`, `500kB`, `8k`, `2000000`.
 *
 * @returns bytes, undefined for an option that was not given
 * @throws {UsageError} for anything else, and for nothing at all
 */
export function sizeOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg](?:i?b)?|b)?$/i.exec(text) ?? []
  const bytes = Math.floor(Number(digits) * (bytesPer[unit.toUpperCase()] ?? Number.NaN))
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes
  throw new UsageError(`--${option} takes a size such as 25MB, 25MiB or 500kB, not ${text}`)
}
