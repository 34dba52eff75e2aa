import module from './sums.wat'
import { instantiate } from './wasm.ts'

export type Samples = Int16Array | Int32Array | Float32Array | Float64Array

/** The sums over the samples of a channel, in their own scale. */
export interface Sums {
  min: number
  max: number
  squares: number
  clipped: number
  nonFinite: number
}

/** The ends of the range that the samples can have. */
interface Range {
  low: number
  high: number
}

export function newSums(): Sums {
  return {
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    squares: 0,
    clipped: 0,
    nonFinite: 0,
  }
}

/** Adds interleaved samples of all channels, whole frames of them. */
export function addSamples(channels: Sums[], samples: Samples, range: Range): void {
  const done = samples instanceof Int16Array ? addVectors(channels, samples, range) : 0
  if (done === samples.length) return
  const rest = done === 0 ? samples : samples.subarray(done)
  for (const [channel, sums] of channels.entries()) addOneByOne(sums, rest, channel, channels.length, range)
}

/**
 * Squares are added one by one, so that the sum does not depend on where the pieces are cut. Rare samples, those at an
 * end of the range or NaN, are searched for only in a piece that has them.
 */
function addOneByOne(sums: Sums, samples: Samples, start: number, step: number, range: Range): void {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  let { squares } = sums
  for (let i = start; i < samples.length; i += step) {
    const sample = samples[i]!
    if (sample < min) min = sample
    if (sample > max) max = sample
    squares += sample * sample
  }
  if (min <= range.low || max >= range.high) sums.clipped += countClipped(samples, start, step, range)
  if (Number.isNaN(squares) || min === Number.NEGATIVE_INFINITY || max === Number.POSITIVE_INFINITY) {
    ;[min, max, squares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, sums.squares]
    for (let i = start; i < samples.length; i += step) {
      const sample = samples[i]!
      if (Number.isFinite(sample)) {
        min = Math.min(min, sample)
        max = Math.max(max, sample)
        squares += sample * sample
      } else sums.nonFinite++
    }
  }
  sums.min = Math.min(sums.min, min)
  sums.max = Math.max(sums.max, max)
  sums.squares = squares
}

function countClipped(samples: Samples, start: number, step: number, { low, high }: Range): number {
  let clipped = 0
  for (let i = start; i < samples.length; i += step) {
    if (samples[i]! <= low || samples[i]! >= high) clipped++
  }
  return clipped
}

/** samples that are added at a time by {@link Vectors} */
const LANES = 8
/** fewer are added as quickly one by one */
const LEAST = 64
/** bytes of samples in front of the result: those of one call */
const INPUT_BYTES = 2 ** 15

/** Adds 16-bit samples eight at a time, in WebAssembly. */
interface Vectors {
  /** where they come from */
  readonly input: Int16Array
  /** the results of `add()`, for each of the eight lanes */
  readonly min: Int16Array
  readonly max: Int16Array
  readonly squares: BigUint64Array
  add(input: number, inputEnd: number, result: number): void
}

/** undefined before it is needed, null where there is no WebAssembly */
let vectors: Vectors | null | undefined

function makeVectors(): Vectors | null {
  try {
    const { exports, memory } = instantiate(module)
    return {
      input: new Int16Array(memory.buffer, 0, INPUT_BYTES / 2),
      min: new Int16Array(memory.buffer, INPUT_BYTES, LANES),
      max: new Int16Array(memory.buffer, INPUT_BYTES + 16, LANES),
      squares: new BigUint64Array(memory.buffer, INPUT_BYTES + 32, LANES),
      add: exports.add as Vectors['add'],
    }
  } catch {
    return null
  }
}

/**
 * Adds as many samples as fill vectors, where each lane of them has a channel of its own. The squares of 16 bits are
 * whole numbers: their sum is exact up to 2^53, in any order.
 *
 * @returns how many
 */
function addVectors(channels: Sums[], samples: Int16Array, range: Range): number {
  const count = samples.length - (samples.length % LANES)
  if (count < LEAST || count * 2 > INPUT_BYTES || LANES % channels.length !== 0) return 0
  if (vectors === undefined) vectors = makeVectors()
  if (vectors === null) return 0
  const { input, min, max, squares } = vectors
  input.set(count === samples.length ? samples : samples.subarray(0, count))
  vectors.add(0, count * 2, INPUT_BYTES)
  for (const [channel, sums] of channels.entries()) {
    let [lowest, highest] = [min[channel]!, max[channel]!]
    for (let lane = channel; lane < LANES; lane += channels.length) {
      lowest = Math.min(lowest, min[lane]!)
      highest = Math.max(highest, max[lane]!)
      sums.squares += Number(squares[lane]!)
    }
    sums.min = Math.min(sums.min, lowest)
    sums.max = Math.max(sums.max, highest)
    if (lowest <= range.low || highest >= range.high) {
      sums.clipped += countClipped(input.subarray(0, count), channel, channels.length, range)
    }
  }
  return count
}
