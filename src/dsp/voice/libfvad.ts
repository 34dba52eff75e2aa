import { WavespoolError } from '../../errors.ts'
import { clearInterval, setInterval } from '../../realTimers.ts'
import { FULL_SCALE_16 } from '../fullScale.ts'
import type { VoiceDetector } from './detector.ts'

/** The part of the WebAssembly module that is used; pointers and sizes are in bytes, as in C. */
interface Libfvad {
  /** the memory; a new array after it has grown, which any allocation may make it do */
  readonly HEAP16: Int16Array
  _malloc(bytes: number): number
  _free(pointer: number): void
  _fvad_new(): number
  _fvad_free(state: number): void
  _fvad_set_mode(state: number, mode: number): number
  _fvad_set_sample_rate(state: number, hertz: number): number
  /** 1 for speech, 0 for none, −1 for a frame of a wrong length */
  _fvad_process(state: number, samples: number, count: number): number
}

/** Hz that libfvad hears; inside it goes down to 8 kHz in any case. */
const RATES = [48_000, 32_000, 16_000, 8000]
/** The third of four, from "quality" to "very aggressive": the last one misses speech that is quiet. */
const MODE = 2
const FRAMES_PER_SECOND = 50

/**
 * Noise louder than this (root mean square, −40 dBFS) is turned down to it. libfvad's model of noise begins at fixed
 * levels and never gets to know one of −30 dBFS: it takes all of it for speech, for ever (measured with pink noise).
 */
const LOUDEST_NOISE = 0.01
/** How fast the level of the noise is taken to rise, 6 dB a second; it falls with the quietest frame. */
const RISE = 10 ** (6 / 10 / FRAMES_PER_SECOND)

/** WebRTC's voice activity detector, as the library libfvad, in frames of 20 ms. */
export class LibfvadDetector implements VoiceDetector {
  readonly sampleRate: number
  readonly frameSamples: number
  #library: Libfvad | undefined
  #state = 0
  #samples = 0
  /** mean square of the noise */
  #noise = Number.POSITIVE_INFINITY

  /** @param streamRate Hz of the stream: it hears at the same rate if it can */
  constructor(streamRate: number) {
    this.sampleRate = RATES.includes(streamRate) ? streamRate : streamRate > 16_000 ? 16_000 : 8000
    this.frameSamples = this.sampleRate / FRAMES_PER_SECOND
  }

  async open(): Promise<void> {
    const library = await loadLibfvad()
    this.#library = library
    this.#samples = library._malloc(this.frameSamples * 2)
    this.#state = library._fvad_new()
    library._fvad_set_mode(this.#state, MODE)
    library._fvad_set_sample_rate(this.#state, this.sampleRate)
  }

  isSpeech(frame: Float32Array): boolean {
    const library = this.#library!
    const factor = this.#gain(frame) * FULL_SCALE_16
    const heap = library.HEAP16
    let at = this.#samples / 2
    for (const sample of frame)
      heap[at++] = Math.max(-FULL_SCALE_16, Math.min(FULL_SCALE_16 - 1, sample * factor))
    return library._fvad_process(this.#state, this.#samples, frame.length) === 1
  }

  #gain(frame: Float32Array): number {
    let sum = 0
    for (const sample of frame) sum += sample * sample
    this.#noise = Math.max(LOUDEST_NOISE ** 2, Math.min(this.#noise * RISE, sum / frame.length))
    return LOUDEST_NOISE / Math.sqrt(this.#noise)
  }

  close(): void {
    const library = this.#library
    if (library === undefined) return
    this.#library = undefined
    library._fvad_free(this.#state)
    library._free(this.#samples)
  }
}

let loading: Promise<Libfvad> | undefined

/**
 * The one module of the process, loaded when it is first needed: 20 kB of WebAssembly.
 *
 * @throws {WavespoolError} `ERR_WAVESPOOL_DETECTOR` where it cannot be loaded
 */
function loadLibfvad(): Promise<Libfvad> {
  loading ??= load().catch((cause) => {
    loading = undefined
    throw new WavespoolError(
      'ERR_WAVESPOOL_DETECTOR',
      'the voice detector could not be loaded; is @echogarden/fvad-wasm installed, and left external where your ' +
        'program is bundled?',
      { cause },
    )
  })
  return loading
}

async function load(): Promise<Libfvad> {
  // Compiling keeps no event loop alive. Where nothing else does, Node goes on with the program from within the wait
  // for its compiler threads (`NodePlatform::DrainTasks`), and one of those that wants the garbage collected, which
  // only the waiting thread can do, hangs it for ever: seen on Node 20 in one start of thirty.
  const awake = setInterval(() => {}, 1000)
  try {
    // @ts-expect-error: the package has no types
    const { default: create } = await import('@echogarden/fvad-wasm')
    return await create({ print: () => {}, printErr: () => {} })
  } finally {
    clearInterval(awake)
  }
}
