/** `0:05.2`, `1:02:03.4` */
export function clockTime(seconds: number): string {
  const tenths = Math.floor(seconds * 10 + 1e-6)
  const whole = Math.floor(tenths / 10)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const minutes = h > 0 ? `${h}:${String(m).padStart(2, '0')}` : String(m)
  return `${minutes}:${String(s).padStart(2, '0')}.${tenths % 10}`
}

/** In powers of 1000, as disks and networks count. */
export function byteSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  let amount = bytes
  let unit = -1
  while (amount >= 999.5 && unit < 3) {
    amount /= 1000
    unit++
  }
  return `${amount < 9.95 ? amount.toFixed(1) : amount.toFixed(0)} ${['kB', 'MB', 'GB', 'TB'][unit]}`
}

/** `-12.3 dB`; silence is `-inf dB`, as sox writes it. */
export function decibels(level: number, digits = 1): string {
  return `${level === Number.NEGATIVE_INFINITY ? '-inf' : level.toFixed(digits)} dB`
}

/** To the millisecond: `5.000 s`, and from a minute on `59:29.000`. */
export function exactLength(seconds: number): string {
  const milliseconds = Math.round(seconds * 1000)
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(3)} s`
  const [hours, minutes] = [Math.floor(milliseconds / 3_600_000), Math.floor(milliseconds / 60_000) % 60]
  const rest = ((milliseconds % 60_000) / 1000).toFixed(3).padStart(6, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}
