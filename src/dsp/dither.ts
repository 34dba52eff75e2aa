import type { Encoding } from '../format/encoding.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'

/** The bits of the encodings whose steps are equal: those that dither is for. */
const integerBits: Partial<Record<Encoding, number>> = {
  u8: 8,
  s16le: 16,
  s24le: 24,
  s32le: 32,
  s16be: 16,
  s24be: 24,
  s32be: 32,
}
/** The bits that an encoding can carry; floats have steps of any size. */
const sourceBits: Partial<Record<Encoding, number>> = { ...integerBits, mulaw: 16, alaw: 16 }

/**
 * The noise that makes the rounding to fewer bits independent of the signal: triangular, two units wide in each
 * direction, the sum of two uniform ones (Lipshitz, Wannamaker and Vanderkooy, "Quantization and Dither", JAES 1992).
 * It comes from a generator with a fixed seed: the same input always gives the same output.
 */
export class Dither {
  readonly #unit: number
  #state = 0x9e3779b9 | 0

  constructor(bits: number) {
    this.#unit = 2 ** (1 - bits)
  }

  /**
   * The dither for a conversion, or undefined where nothing is rounded or the target's steps are not equal.
   *
   * @param isComputed whether samples are mixed or resampled, so that they have more bits than their source
   */
  static between(from: PcmFormat, to: PcmFormat, isComputed: boolean): Dither | undefined {
    const bits = integerBits[to.encoding]
    const before = isComputed ? Number.POSITIVE_INFINITY : sourceBits[from.encoding]
    return bits === undefined || (before ?? Number.POSITIVE_INFINITY) <= bits ? undefined : new Dither(bits)
  }

  addTo(samples: Float64Array): void {
    let state = this.#state
    for (let i = 0; i < samples.length; i++) {
      // Marsaglia's xorshift with 32 bits, twice; each gives −½ to ½ of 2³².
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      const first = state
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      samples[i] = samples[i]! + (first + state) * 2 ** -32 * this.#unit
    }
    this.#state = state
  }
}
