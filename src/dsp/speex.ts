import { WavespoolError } from '../errors.ts'

/** The part of the resampler's WebAssembly module that is used; sizes and pointers are in bytes, as in C. */
export interface Speex {
  /** the memory; a new array after it has grown, which any allocation may make it do */
  readonly HEAPF32: Float32Array<ArrayBuffer>
  readonly HEAPU32: Uint32Array<ArrayBuffer>
  _malloc(bytes: number): number
  _free(pointer: number): void
  /** a state, or 0 with the reason at `error` */
  _speex_resampler_init(channels: number, from: number, to: number, quality: number, error: number): number
  _speex_resampler_skip_zeros(state: number): number
  /** takes from and writes to interleaved floats; the lengths at their pointers are frames, there and done */
  _speex_resampler_process_interleaved_float(
    state: number,
    input: number,
    inputLength: number,
    output: number,
    outputLength: number,
  ): number
  _speex_resampler_destroy(state: number): void
}

let loading: Promise<Speex> | undefined

/**
 * The one module of the process, loaded when it is first needed: 30 kB of WebAssembly with SIMD, which every Node that
 * is supported runs.
 *
 * @throws {WavespoolError} `ERR_WAVESPOOL_RESAMPLER` where it cannot be loaded
 */
export function loadSpeex(): Promise<Speex> {
  loading ??= load().catch((cause) => {
    loading = undefined
    throw new WavespoolError(
      'ERR_WAVESPOOL_RESAMPLER',
      'the resampler could not be loaded; is @echogarden/speex-resampler-wasm installed, and left external where your ' +
        'program is bundled?',
      { cause },
    )
  })
  return loading
}

async function load(): Promise<Speex> {
  // @ts-expect-error: the package has no types
  const { default: create } = await import('@echogarden/speex-resampler-wasm/simd')
  return create({ print: () => {}, printErr: () => {} })
}

/** Of speex's 0 to 10: the least that is flat within 0.1 dB to 85 % of the band and 100 dB down where it folds. */
const QUALITY = 6

/** One windowed sinc between two rates, with its buffers. */
export class SpeexFilter {
  /** the most frames that one `process()` gives */
  readonly outputFrames: number
  readonly #speex: Speex
  readonly #channels: number
  /** pointers, 0 when closed: the state; the input buffer, with the output buffer and two lengths behind it */
  #state: number
  #input: number
  readonly #output: number
  readonly #lengths: number

  /**
   * @param from input frames for every `to` output frames
   * @param inputFrames the most that one `process()` takes
   * @throws {WavespoolError} `ERR_WAVESPOOL_RESAMPLER` where there is not enough memory
   */
  constructor(speex: Speex, from: number, to: number, channels: number, inputFrames: number) {
    this.#speex = speex
    this.#channels = channels
    this.outputFrames = Math.ceil((inputFrames * to) / from) + 1
    const inputBytes = inputFrames * channels * 4
    const outputBytes = this.outputFrames * channels * 4
    this.#input = speex._malloc(inputBytes + outputBytes + 8)
    this.#output = this.#input + inputBytes
    this.#lengths = this.#output + outputBytes
    this.#state = this.#input && speex._speex_resampler_init(channels, from, to, QUALITY, this.#lengths)
    if (this.#state === 0) {
      this.close()
      throw new WavespoolError(
        'ERR_WAVESPOOL_RESAMPLER',
        `there is not enough memory to resample ${channels} channels by ${to} / ${from}`,
      )
    }
    speex._speex_resampler_skip_zeros(this.#state)
  }

  /** @returns the frames that are complete, in a place that the next call writes over */
  process(samples: Float64Array | Float32Array): Float32Array {
    // Read again each time: whatever else allocated may have let the memory grow, and that detaches the views.
    const { HEAPF32, HEAPU32 } = this.#speex
    HEAPF32.set(samples, this.#input / 4)
    HEAPU32[this.#lengths / 4] = samples.length / this.#channels
    HEAPU32[this.#lengths / 4 + 1] = this.outputFrames
    this.#speex._speex_resampler_process_interleaved_float(
      this.#state,
      this.#input,
      this.#lengths,
      this.#output,
      this.#lengths + 4,
    )
    const frames = HEAPU32[this.#lengths / 4 + 1]!
    return HEAPF32.subarray(this.#output / 4, this.#output / 4 + frames * this.#channels)
  }

  close(): void {
    if (this.#state !== 0) this.#speex._speex_resampler_destroy(this.#state)
    this.#speex._free(this.#input)
    this.#state = this.#input = 0
  }
}
