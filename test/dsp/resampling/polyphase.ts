/**
 * A resampler as plain as it can be, to hold the fast one against: a sinc under a Kaiser window, in 64-bit floats, one
 * sum for every output sample. Flat to 0.9 and 105 dB down from 1.1 of the lower Nyquist frequency (Kaiser's formulas,
 * as in Oppenheim and Schafer, "Discrete-Time Signal Processing").
 */
const ATTENUATION = 105
const BETA = 0.1102 * (ATTENUATION - 8.7)
/** zero crossings on either side, for a transition of 0.2 Nyquist */
const CROSSINGS = Math.ceil((ATTENUATION - 8) / (2.285 * 0.2 * Math.PI) / 2)

export function polyphase(samples: ArrayLike<number>, from: number, to: number): Float64Array {
  const divisor = greatestCommonDivisor(from, to)
  const [up, down] = [to / divisor, from / divisor]
  const scale = Math.min(1, to / from)
  const reach = Math.ceil(CROSSINGS / scale)
  // The filter for each place between two input samples. Of coprime rates there are as many as output samples: only
  // those that occur are made, and only few are kept.
  const phases = new Map<number, Float64Array>()
  const filterAt = (phase: number) => {
    const kept = phases.get(phase)
    if (kept !== undefined) return kept
    const filter = Float64Array.from({ length: 2 * reach }, (_, i) => {
      const distance = i + 1 - reach - phase / up
      return scale * sinc(distance * scale) * kaiser(distance / reach)
    })
    if (phases.size < 1000) phases.set(phase, filter)
    return filter
  }
  return Float64Array.from({ length: Math.round((samples.length * up) / down) }, (_, i) => {
    const whole = Math.floor((i * down) / up)
    const filter = filterAt((i * down) % up)
    let sum = 0
    for (let tap = 0; tap < filter.length; tap++)
      sum += filter[tap]! * (samples[whole + 1 - reach + tap] ?? 0)
    return sum
  })
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))

/** @param x from −1 to 1 */
function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA)
}

/** The modified Bessel function of the first kind of order zero, by its series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1]
  for (let k = 1; term > sum * 1e-18; k++) {
    term *= (x / 2 / k) ** 2
    sum += term
  }
  return sum
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
