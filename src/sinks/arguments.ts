import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { asBuffer } from '../storage/bytes.ts'

/** The bytes of any view of memory, shared or not. @throws {ArgumentTypeError} for anything else */
export function bytesOf(target: unknown, caller: string): Uint8Array {
  if (target instanceof Uint8Array && target.buffer instanceof ArrayBuffer) return target
  if (ArrayBuffer.isView(target)) return asBuffer(target)
  if (target instanceof ArrayBuffer || target instanceof SharedArrayBuffer) return Buffer.from(target)
  throw new ArgumentTypeError(
    `${caller} takes a Buffer, a typed array, a DataView or an ArrayBuffer, got ${show(target)}`,
  )
}

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

/** @throws {ArgumentTypeError | ArgumentRangeError} for what cannot be the name of a file */
export function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new ArgumentTypeError(`name must be a string, got ${show(name)}`)
  const isDirectory = name === '' || name === '.' || name === '..'
  if (isDirectory || ['/', '\\', '\0'].some((sign) => name.includes(sign)) || Buffer.byteLength(name) > 255) {
    throw new ArgumentRangeError(`name must be the name of a file, without a directory, got ${show(name)}`)
  }
}
