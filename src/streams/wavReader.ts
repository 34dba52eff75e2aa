import { Converter, type ConvertOptions, checkConvertOptions } from '../dsp/converter.ts'
import type { WithEvents } from '../emitting.ts'
import { ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import type { InfoTags } from '../format/infoTags.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { maskOf, type WavInfo } from '../format/readWavHeader.ts'
import { type Truncation, WavReaderKernel } from '../format/wavReaderKernel.ts'
import { describeFormat, isSameFormat, Port, type Ports } from '../neighbours.ts'
import { checkOptions } from '../options.ts'
import { type Kernel, type Output, Stage } from './stage.ts'

export { type Truncation, WavReaderKernel }

/** The options of `wavReader()`. */
export interface WavReaderOptions extends Omit<ConvertOptions, 'channelMask'> {
  /**
   * where the samples end before the length that the header announces: `'keep'` (default) takes the samples that are
   * there and emits `'truncated'`, `'error'` fails with `ERR_WAVESPOOL_TRUNCATED` once it has been delivered
   */
  onTruncated?: 'keep' | 'error'
  /**
   * where another WAV file follows in the same stream, as some services send speech: `'stop'` (default) ends with the
   * first and emits `'next'`, `'read'` emits it and reads on
   */
  onNext?: 'stop' | 'read'
  /** the format of the output (default: that of the file); `channel` and `dither` are those of `convert()` */
  to?: PcmFormat
}

/**
 * A Transform from a WAV file, as it comes by, to its samples: RIFF, RF64, BW64, RIFX and Wave64, every encoding that
 * Wavespool knows, plain and as WAVE_FORMAT_EXTENSIBLE, with any chunks around the samples. It holds a few bytes
 * of the header at a time, tags up to 64 KiB, and one frame; of a file of 24 bits whose header leaves it open how they
 * lie up to 1 MiB of samples, most of it silence.
 *
 * Emits `'format'` with the PcmFormat of the output before the first byte of PCM, and `'truncated'` with a
 * {@link Truncation} where samples are missing at the end. A length that a writer into a pipe had to leave open means
 * "to the end", or to the next WAV file; so does 0, unless the size of RIFF counts something behind it. The rest of a
 * frame at the end is dropped. Only of 8-bit mono of open length it cannot be told whether a pad byte follows: it is then
 * taken for a sample.
 *
 * Fails with `ERR_WAVESPOOL_WAV` for input that is no WAV file, or one in an unknown encoding, and for a file that
 * follows in another format where no `to` is asked for.
 *
 * @example
 * createReadStream('call.wav').pipe(wavReader({ to: pcmFormat() })) // 16 kHz, mono, s16le, from any WAV
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} at once, for a wrong option
 */
export function wavReader(options: WavReaderOptions = {}): WavReader {
  checkOptions(options, ['onTruncated', 'onNext', 'to', 'channel', 'dither'], 'wavReader()')
  const { onTruncated = 'keep', onNext = 'stop', to, ...conversion } = options
  if (onTruncated !== 'keep' && onTruncated !== 'error') {
    throw new ArgumentTypeError(
      `wavReader(): onTruncated must be 'keep' or 'error', got ${show(onTruncated)}`,
    )
  }
  if (onNext !== 'stop' && onNext !== 'read') {
    throw new ArgumentTypeError(`wavReader(): onNext must be 'stop' or 'read', got ${show(onNext)}`)
  }
  const target =
    to === undefined ? undefined : requireFormat(to, 'wavReader()', 'as `to` the PCM format that comes out')
  if (target === undefined && (conversion.channel !== undefined || conversion.dither !== undefined)) {
    throw new ArgumentTypeError(
      'wavReader(): channel and dither belong to a conversion; name its format with { to }',
    )
  }
  if (target !== undefined) checkConvertOptions(undefined, target, conversion, 'wavReader()')
  return new WavReader(new WavReaderKernel(), { onTruncated, onNext, to: target, conversion })
}

interface Reading {
  onTruncated: 'keep' | 'error'
  onNext: 'stop' | 'read'
  to: PcmFormat | undefined
  conversion: Omit<ConvertOptions, 'channelMask'>
}

/** The samples of a file, and of those that follow it, in one format. */
class InOneFormat implements Kernel {
  readonly ports: Ports
  readonly #kernel: WavReaderKernel
  readonly #to: PcmFormat | undefined
  readonly #conversion: Reading['conversion']
  readonly #onFormat: (format: PcmFormat) => void
  readonly #converted: Output = { push: (samples) => this.#put(this.#converter!.convert(samples)) }
  #converter: Converter | undefined
  #out: Output = []
  /** the format of the output */
  format: PcmFormat | undefined

  constructor(kernel: WavReaderKernel, { to, conversion }: Reading, onFormat: (format: PcmFormat) => void) {
    this.#kernel = kernel
    this.#to = to
    this.#conversion = conversion
    this.#onFormat = onFormat
    this.ports = { gives: new Port('wavReader()', to && { kind: 'pcm', format: to }) }
    kernel.onFormat = (format) => this.#begin(format)
  }

  #begin(format: PcmFormat): void {
    this.#finish()
    if (this.#to !== undefined) {
      const options = { ...this.#conversion, channelMask: maskOf(this.#kernel.header!) }
      this.#converter = new Converter(format, this.#to, options, 'wavReader({ to })')
    } else if (this.format !== undefined && !isSameFormat(this.format, format)) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_WAV',
        `another WAV file follows in this stream, ${describeFormat(format)} behind ${describeFormat(this.format)}; name the format that is to come out, wavReader({ to })`,
      )
    }
    if (this.format !== undefined) return
    this.format = this.#to ?? format
    this.ports.gives!.know({ kind: 'pcm', format: this.format })
    this.#onFormat(this.format)
  }

  #finish(): void {
    const rest = this.#converter?.finish()
    this.#converter = undefined
    if (rest) this.#put(rest)
  }

  #put(samples: Uint8Array): void {
    if (samples.length > 0) this.#out.push(samples)
  }

  push(bytes: Uint8Array, out: Output): void {
    this.#out = out
    this.#kernel.push(bytes, this.#to === undefined ? out : this.#converted)
  }

  stop(): void {
    this.#kernel.stop()
  }

  flush(out: Output): void {
    this.#out = out
    try {
      this.#kernel.flush(this.#to === undefined ? out : this.#converted)
    } finally {
      this.#finish()
    }
  }
}

interface WavReaderEvents {
  format: [format: PcmFormat]
  truncated: [truncation: Truncation]
  next: []
}

/** `wavReader()` returns one: a {@link Stage} from a WAV file to its samples. */
export class WavReader extends (Stage as WithEvents<typeof Stage, WavReaderEvents>) {
  readonly #kernel: WavReaderKernel
  readonly #samples: InOneFormat

  constructor(kernel: WavReaderKernel, reading: Reading) {
    const samples = new InOneFormat(kernel, reading, (format) => this.emit('format', format))
    super(samples)
    this.#kernel = kernel
    this.#samples = samples
    kernel.onTruncated = (truncation) => {
      if (reading.onTruncated === 'error') throw truncatedError(truncation)
      this.emit('truncated', truncation)
    }
    kernel.onNext = () => {
      this.emit('next')
      return reading.onNext === 'read'
    }
  }

  /** The format that comes out; undefined until `'format'`. */
  get format(): PcmFormat | undefined {
    return this.#samples.format
  }

  /** The header of the file as it stands, right or wrong, of several files the last one; undefined until `'format'`. */
  get header(): WavInfo | undefined {
    return this.#kernel.header
  }

  /** `LIST INFO`: at `'format'` the tags in front of the samples, at the end also those behind them. */
  get tags(): InfoTags {
    return this.#kernel.tags
  }

  /** The argument of `'truncated'`: undefined until the end, and behind it where no sample is missing. */
  get truncation(): Truncation | undefined {
    return this.#kernel.truncation
  }
}

function truncatedError({ expectedBytes, bytes }: Truncation): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_TRUNCATED',
    `this WAV file announces ${expectedBytes} bytes of samples and ends after ${bytes}; those were delivered`,
  )
}
