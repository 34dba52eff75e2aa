/** Numbers in which samples are computed. */
export type Samples = Float32Array | Float64Array

/**
 * Room for samples on their way through one call, which all of a thread take turns with: it is for whom took it last,
 * until the next one does.
 */
export class Scratch<T extends Samples | Int16Array | Int32Array> {
  readonly #Samples: new (
    length: number,
  ) => T
  #buffer: T
  #taken: T

  constructor(Samples: new (length: number) => T) {
    this.#Samples = Samples
    this.#buffer = this.#taken = new Samples(0)
  }

  /** Exactly `length` samples, with the content of the last use. */
  take(length: number): T {
    if (this.#taken.length !== length) {
      if (this.#buffer.length < length) this.#buffer = new this.#Samples(length)
      this.#taken = this.#buffer.subarray(0, length) as T
    }
    return this.#taken
  }
}
