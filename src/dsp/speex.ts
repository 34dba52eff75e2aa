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
  /** frames of input that the filter is behind */
  _speex_resampler_get_input_latency(state: number): number
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
