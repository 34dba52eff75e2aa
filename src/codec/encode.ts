import type { TransformCallback } from 'node:stream'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { filePort, type Ports, pcmPort } from '../neighbours.ts'
import { type Kernel, type Output, Stage } from '../streams/stage.ts'
import { type EncodeOptions, type EncodePlan, planEncoding } from './codecs.ts'
import type { Encoder } from './encoder.ts'
import { Turns } from './turns.ts'

/**
 * A Transform from PCM to a compressed file: FLAC, MP3 (constant bitrate), or Opus in Ogg.
 *
 * - **flac** is lossless for integers of 8, 16 and 24 bits and for G.711; of s32le and floats it keeps 24 bits. Up to 8
 *   channels and 655,350 Hz.
 * - **mp3** and **opus** hold one or two channels. A rate that they do not have is converted into the next that they
 *   have.
 *
 * The length of a FLAC or MP3 file stands at its start and is known at its end. A VirtualFile that the stage is piped into
 * writes it there; in any other sink write {@link EncodeStage.head} over the first bytes of the file once the stage has
 * ended. Ogg tells the length at the end.
 *
 * The library is an optional peer dependency, loaded by the first stage that needs it: `libflacjs`,
 * `wasm-media-encoders` or `opusscript`. Where it is not installed the stream fails with `ERR_WAVESPOOL_CODEC`, which
 * names the command that installs it.
 *
 * @example
 * await pipeline(portAudio(format), limit(format, { seconds: 60 }), encode(format, { codec: 'opus' }), memo)
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} at once, for a wrong option or a format that the codec cannot hold
 */
export function encode(format: PcmFormat, options: EncodeOptions): EncodeStage {
  const checked = requireFormat(format, 'encode()')
  return new EncodeStage(checked, planEncoding(checked, options, 'encode()'))
}

/** of audio that are encoded at a time: Opus, the slowest, takes a third of a millisecond */
const STEP_SECONDS = 0.02

/** Set in `_construct()`, before which nothing is written. */
class LoadedKernel implements Kernel {
  readonly ports: Ports
  readonly isApart = true // it is loaded by the stage
  encoder: Encoder | undefined

  constructor(format: PcmFormat, container: string) {
    const gives = filePort('encode()', container, () => this.encoder?.head)
    this.ports = { takes: pcmPort('encode()', format), gives }
  }

  push(bytes: Uint8Array, out: Output): void {
    this.encoder!.push(bytes, out)
  }

  flush(out: Output): void {
    this.encoder?.flush(out) // undefined where the stage is stopped before the library was loaded
  }
}

/** `encode()` returns one: a {@link Stage} from PCM to a compressed file. */
export class EncodeStage extends Stage {
  readonly #format: PcmFormat
  readonly #plan: EncodePlan
  readonly #turns = new Turns()
  readonly #kernel: LoadedKernel

  constructor(format: PcmFormat, plan: EncodePlan) {
    const kernel = new LoadedKernel(format, plan.codec === 'opus' ? 'Ogg' : plan.codec.toUpperCase())
    super(kernel)
    this.#kernel = kernel
    this.#format = format
    this.#plan = plan
  }

  /**
   * The final start of the file, which replaces as many bytes of the output; undefined until the end, and where the
   * bytes that were written first are final.
   */
  get head(): Uint8Array | undefined {
    return this.#kernel.encoder?.head
  }

  override _construct(callback: (error?: Error | null) => void): void {
    import('./library.ts')
      .then(({ createEncoder }) => createEncoder(this.#format, this.#plan))
      .then((encoder) => {
        this.#kernel.encoder = encoder
        if (this.destroyed) encoder.free()
        callback()
      }, callback)
  }

  /** A large piece is encoded in small ones, so that the event loop is not blocked; the output does not depend on them. */
  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#encode(chunk).then(
      () => callback(),
      (error: Error) => this.failAfterEnd(error, callback),
    )
  }

  #encode(chunk: Buffer): Promise<void> {
    const step = Math.ceil(this.#format.bytesPerSecond * STEP_SECONDS)
    const encode = (piece: Buffer) => this.#kernel.push(piece, this)
    return this.#turns.each(chunk, step, encode, () => this.destroyed)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#kernel.encoder?.free()
    super._destroy(error, callback)
  }
}
