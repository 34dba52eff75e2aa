/** Flat up to here, as a part of the band that both rates have: 6.8 kHz of 8. */
const PASS = 0.85
/** Nothing left from here on. The band in between folds back into the band above `2 − STOP`, where speech has little. */
const STOP = 1.05
/** How far that is down, in dB, and the pass band from flat. */
const ATTENUATION = 105
// Kaiser's formulas for the window and its length (Oppenheim and Schafer, "Discrete-Time Signal Processing", 7.5.3)
const BETA = 0.1102 * (ATTENUATION - 8.7)
/** zero crossings of the sinc on either side */
const CROSSINGS = (ATTENUATION - 8) / (2.285 * Math.PI * (STOP - PASS)) / 2
/** the 6 dB point */
const CUTOFF = (PASS + STOP) / 2

/** floats that the filters may take: half a megabyte, which the processor's cache holds */
const MOST = 2 ** 17
/** places between two samples from which those between them are interpolated linearly, with an error of −109 dB */
const PLACES = 512

/** Low-pass filters that interpolate between samples: a sinc under a Kaiser window, for one place after another. */
export interface SincFilters {
  /** one behind the other; `length` each, of which the last few may be zero */
  readonly coefficients: Float32Array<ArrayBuffer>
  /** a multiple of 4 */
  readonly length: number
  /** how many samples lie in front of the place: it is behind sample `reach − 1` of those that a filter covers */
  readonly reach: number
  /** into how many places the distance between two samples is divided; behind the last follows that of the next sample */
  readonly places: number
  /** whether every output sample falls on one of the places */
  readonly isExact: boolean
}

/**
 * The filters for a change of rate.
 *
 * @param from with `to`, the rates without their common divisor
 */
export function sincFilters(from: number, to: number): SincFilters {
  const scale = Math.min(1, to / from) // of the band, where the lower rate is that of the output
  const reach = Math.ceil(CROSSINGS / scale)
  const length = Math.ceil((2 * reach) / 4) * 4
  const isExact = (to + 1) * length <= MOST
  const places = isExact ? to : Math.ceil(PLACES * scale)
  const coefficients = new Float32Array((places + 1) * length)
  // A place as far from the next sample as another place from this one has the same filter, reversed.
  for (let place = 0; place * 2 <= places; place++) {
    for (let i = 0; i < 2 * reach; i++) {
      const distance = i + 1 - reach - place / places
      const coefficient =
        CUTOFF * scale * sinc(CUTOFF * scale * distance) * kaiser((distance * scale) / CROSSINGS)
      coefficients[place * length + i] = coefficient
      coefficients[(places - place) * length + 2 * reach - 1 - i] = coefficient
    }
  }
  return { coefficients, length, reach, places, isExact }
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** @param x from −1 to 1; zero beyond */
function kaiser(x: number): number {
  return Math.abs(x) < 1 ? bessel(BETA * Math.sqrt(1 - x * x)) / BESSEL_OF_BETA : 0
}

/** The modified Bessel function of the first kind of order zero, by its power series. */
function bessel(x: number): number {
  const quarter = (x * x) / 4
  let sum = 1
  let term = 1
  for (let k = 1; term > sum * 1e-9; k++) {
    term *= quarter / (k * k)
    sum += term
  }
  return sum
}

const BESSEL_OF_BETA = bessel(BETA)
