import type { BuiltInStorage } from './storage.ts'

const ZEROS = new Uint8Array(65_536)

/**
 * Overwrites bytes and continues beyond the end; a gap between the end and `position` becomes zeros. Returns a
 * promise where the storage does.
 */
export function overwrite(
  storage: BuiltInStorage,
  bytes: Uint8Array,
  position: number,
): void | Promise<void> {
  if (bytes.length === 0) return
  const { size } = storage
  const inside = bytes.subarray(0, Math.max(0, Math.min(bytes.length, size - position)))
  const beyond = bytes.subarray(inside.length)
  const written = inside.length > 0 ? storage.write(inside, position) : undefined
  const append = () => appendBehindGap(storage, Math.max(0, position - size), beyond)
  return written ? written.then(append) : append()
}

/** A gap of zeros, then bytes, at the end. Returns a promise where the storage does. */
function appendBehindGap(storage: BuiltInStorage, gap: number, bytes: Uint8Array): void | Promise<void> {
  let remaining = gap
  while (remaining > 0) {
    const piece = ZEROS.subarray(0, remaining)
    remaining -= piece.length
    const appended = storage.append([piece])
    if (appended) return appended.then(() => appendBehindGap(storage, remaining, bytes))
  }
  if (bytes.length > 0) return storage.append([bytes])
}
