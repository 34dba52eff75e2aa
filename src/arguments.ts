import { ArgumentRangeError, ArgumentTypeError, show } from './errors.ts'

/** @throws {ArgumentTypeError | ArgumentRangeError} for anything but a whole number from 0 */
export function checkPosition(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw new ArgumentTypeError(`${name} must be a number, got ${show(value)}`)
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new ArgumentRangeError(`${name} must be a whole number from 0, got ${value}`)
  }
}

/** @throws {ArgumentTypeError} for anything but an AbortSignal, or none */
export function checkSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return
  throw new ArgumentTypeError(`signal must be an AbortSignal, got ${show(signal)}`)
}

/**
 * A name that means another file, a device or a stream somewhere is refused everywhere: a recording made on Linux is
 * handed out under its name on Windows, too.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for an invalid name of a file
 */
export function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new ArgumentTypeError(`name must be a string, got ${show(name)}`)
  const isDirectory = name === '' || name === '.' || name === '..'
  if (isDirectory || /[/\\\p{Cc}]/u.test(name) || Buffer.byteLength(name) > 255) {
    throw new ArgumentRangeError(
      `name must be the name of a file, without a directory or control characters, got ${show(name)}`,
    )
  }
  if (name.includes(':') || reservedNames.test(name)) {
    throw new ArgumentRangeError(
      `name must not have a colon, nor be a device of Windows (CON, NUL, COM1 …) with or without an extension, got ${show(name)}`,
    )
  }
}

/** learn.microsoft.com/windows/win32/fileio/naming-a-file: reserved with any extension; spaces before it are dropped */
const reservedNames = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)/i

/** The name of a file that is there, as a name that {@link checkName} takes: `10:30.wav` becomes `10-30.wav`. */
export function portableName(name: string): string {
  const plain = name.replace(/[:\\\p{Cc}]/gu, '-')
  return reservedNames.test(plain) ? `_${plain}` : plain
}

/** A name without an extension for a new recording: `recording-2026-01-31-090503`, in local time. */
export function nameByTime(now = new Date()): string {
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString()
  return `recording-${local.slice(0, 10)}-${local.slice(11, 19).replaceAll(':', '')}`
}
