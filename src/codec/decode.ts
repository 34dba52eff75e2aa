import type { TransformCallback } from 'node:stream'
import { Converter, type ConvertOptions, checkConvertOptions } from '../dsp/converter.ts'
import type { WithEvents } from '../emitting.ts'
import { ArgumentTypeError } from '../errors.ts'
import type { Container } from '../format/containers.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { describeFormat, isSameFormat, Port } from '../neighbours.ts'
import { checkOptions } from '../options.ts'
import { Stage } from '../streams/stage.ts'
import type { Decoder } from './decoder.ts'
import { decodingError } from './decodingError.ts'
import type { DecoderOutput } from './kernel.ts'
import { Turns } from './turns.ts'

/** The options of `decode()`. */
export interface DecodeOptions extends Omit<ConvertOptions, 'channelMask'> {
  /** the format of the output (default: that of the file); `channel` and `dither` are those of `convert()` */
  to?: PcmFormat
}

/** Frames that a file or a stream lacks: the output goes on without them. */
export interface DecodeGap {
  /** frames of the output before it, as they are before a conversion by `to` */
  at: number
  /** undefined where the number is not known */
  frames: number | undefined
}

/**
 * A Transform from a file to its samples, while it comes: WAV, FLAC, MP3, Ogg (Opus, Vorbis, FLAC), WebM (Opus, as
 * a browser's MediaRecorder sends it), MP4 (AAC, Opus). The first bytes of the file tell its container.
 *
 * Emits `'format'` with the PcmFormat of the output before the first byte of PCM: f32le for MP3, Vorbis, AAC and
 * Opus, which comes at 48 kHz; for FLAC integers of as many bits as it has; for WAV the format of the file. The delay
 * and padding of encoders are removed where the file tells them. An MP4 file with its index at the end is decoded once it
 * has come, and kept in memory until then.
 *
 * Emits `'gap'` with a {@link DecodeGap} where pages of Ogg, blocks of WebM or frames of FLAC are missing or broken, and
 * goes on behind them. A stream that cannot be decoded any further fails with `ERR_WAVESPOOL_CODEC`, and a FLAC file
 * that ends within a frame with `ERR_WAVESPOOL_TRUNCATED`, each once everything before it was delivered.
 *
 * The libraries are optional peer dependencies, loaded when a file needs them: `opus-decoder`, `mpg123-decoder`,
 * `libflacjs`, `@wasm-audio-decoders/ogg-vorbis`, `mediabunny` for MP4, and for AAC `@audio/decode-aac`, which is under
 * GPL-2.0. Where one is not installed the stream fails with `ERR_WAVESPOOL_CODEC`, which names the command that installs it.
 *
 * @example
 * socket.pipe(decode({ to: pcmFormat() })) // 16 kHz, mono, s16le from any of them
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} at once, for a wrong option
 */
export function decode(options: DecodeOptions = {}): DecodeStage {
  checkOptions(options, ['to', 'channel', 'dither'], 'decode()')
  const { to, ...conversion } = options
  if (to === undefined) {
    if (conversion.channel !== undefined || conversion.dither !== undefined) {
      throw new ArgumentTypeError(
        'decode(): channel and dither belong to a conversion; name its format with { to }',
      )
    }
    return new DecodeStage(undefined, {})
  }
  const target = requireFormat(to, 'decode()', 'as `to` the PCM format that comes out')
  checkConvertOptions(undefined, target, conversion, 'decode()')
  return new DecodeStage(target, conversion)
}

interface DecodeStageEvents {
  format: [format: PcmFormat]
  gap: [gap: DecodeGap]
}

/** A Stage whose kernel is loaded and may answer with promises. */
export class DecodeStage extends (Stage as WithEvents<typeof Stage, DecodeStageEvents>) {
  readonly #gives: Port
  readonly #to: PcmFormat | undefined
  readonly #conversion: ConvertOptions
  readonly #turns = new Turns()
  #decoder: Decoder | undefined
  #working: Promise<void> | undefined
  #converter: Converter | undefined
  #source: PcmFormat | undefined
  #format: PcmFormat | undefined
  #codec: string | undefined
  #frames = 0
  #isEnded = false
  /** the gaps so far, up to 10,000 of them */
  readonly gaps: DecodeGap[] = []

  constructor(to: PcmFormat | undefined, conversion: ConvertOptions) {
    const gives = new Port('decode()', to && { kind: 'pcm', format: to })
    super({ push() {}, flush() {}, ports: { gives }, isApart: true })
    this.#gives = gives
    this.#to = to
    this.#conversion = conversion
  }

  /** The format that comes out; undefined until `'format'`. */
  get format(): PcmFormat | undefined {
    return this.#format
  }

  /** The container, which the first bytes tell; undefined until `'format'`. */
  get container(): Container | undefined {
    return this.#codec === undefined ? undefined : this.#decoder?.container
  }

  /** The codec of the samples: `flac`, `mp3`, `opus`, `vorbis`, `aac`, or `pcm`; undefined until `'format'`. */
  get codec(): string | undefined {
    return this.#codec
  }

  readonly #output: DecoderOutput = {
    begin: (format, codec) => this.#begin(format, codec),
    push: (pcm) => this.#put(pcm),
    gap: (frames) => this.#gap(frames),
  }

  #begin(format: PcmFormat, codec: string): void {
    const source = this.#source
    if (source !== undefined) {
      if (isSameFormat(source, format)) return
      throw decodingError(
        `the format of this stream changes from ${describeFormat(source)} to ${describeFormat(format)}`,
      )
    }
    this.#source = format
    this.#codec = codec
    if (this.#to) this.#converter = new Converter(format, this.#to, this.#conversion, 'decode({ to })')
    this.#format = this.#to ?? format
    this.#gives.know({ kind: 'pcm', format: this.#format })
    this.emit('format', this.#format)
  }

  #put(pcm: Uint8Array): void {
    if (this.#isEnded || this.destroyed || pcm.length === 0) return
    this.#frames += pcm.length / this.#source!.bytesPerFrame
    const samples = this.#converter?.convert(pcm) ?? pcm
    if (samples.length > 0) this.push(samples)
  }

  #gap(frames: number | undefined): void {
    const gap = { at: this.#frames, frames }
    if (this.gaps.length < MAX_GAPS) this.gaps.push(gap)
    this.emit('gap', gap)
  }

  override _construct(callback: (error?: Error | null) => void): void {
    import('./library.ts').then(({ Decoder }) => {
      this.#decoder = new Decoder()
      callback()
    }, callback)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    if (this.#isEnded) callback()
    else this.#work(this.#decode(chunk), callback)
  }

  override _flush(callback: TransformCallback): void {
    if (this.#isEnded) callback()
    else this.#work(this.#decoder!.flush(this.#output), callback, true)
  }

  /** A large piece is decoded in small ones, so that the event loop is not blocked. */
  #decode(chunk: Buffer): Promise<void> {
    const decode = (piece: Buffer) => this.#decoder!.push(piece, this.#output)
    return this.#turns.each(chunk, STEP_BYTES, decode, () => this.destroyed)
  }

  #work(working: Promise<void>, callback: TransformCallback, isLast = false): void {
    this.#working = working.then(
      () => {
        if (isLast) this.#finish()
        callback()
      },
      (error: Error) => {
        this.#finish()
        this.failAfterEnd(error, callback)
      },
    )
  }

  /** Pushes the samples that the resampler still holds. */
  #finish(): void {
    const rest = this.#converter?.finish()
    this.#converter = undefined
    if (rest && rest.length > 0 && !this.#isEnded && !this.destroyed) this.push(rest)
  }

  protected override endOutput(): void {
    this.#finish()
    this.#isEnded = true
    super.endOutput()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const decoder = this.#decoder
    // The decoder may be at work.
    if (this.#working) this.#working.then(() => decoder?.free())
    else decoder?.free()
    super._destroy(error, callback)
  }
}

/** Half a second of Opus, or some milliseconds of WAV. */
const STEP_BYTES = 2048
/** the length that `gaps` may reach */
const MAX_GAPS = 10_000
