import { ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import type { InfoTags } from '../format/infoTags.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import type { PushParser } from '../format/pushParser.ts'
import {
  isChunkName,
  isOpenSize,
  trailingTagsParser,
  type WavHeader,
  wavHeaderParser,
} from '../format/readWavHeader.ts'
import { type Kernel, type Output, Stage } from './stage.ts'
import { WholeFrames } from './wholeFrames.ts'

export interface WavReaderOptions {
  /**
   * where the samples end before the length that the header announces: `'keep'` (default) takes what is there and emits
   * `'truncated'`, `'error'` fails with `ERR_WAVESPOOL_TRUNCATED` once it has been delivered
   */
  onTruncated?: 'keep' | 'error'
}

/** Samples that were announced and did not come. */
export interface Truncation {
  /** bytes of samples that the header announces; where it leaves the length open, up to the end of the frame begun */
  expectedBytes: number
  /** bytes of samples that came, in whole frames */
  bytes: number
}

/**
 * A Transform from a WAV file, as it comes by, to its samples: RIFF and RF64, every encoding that Wavespool knows,
 * plain and as WAVE_FORMAT_EXTENSIBLE, whatever chunks stand around the samples. It holds a few bytes of the header at
 * a time, tags up to 64 KiB, and one frame.
 *
 * Emits `'format'` with the PcmFormat before the first byte of PCM, and `'truncated'` with a {@link Truncation} where
 * samples are missing at the end. A length that a writer into a pipe had to leave open means "to the end"; so does 0,
 * unless another chunk follows. What is left of a frame at the end is dropped. Only of 8-bit mono of open length it
 * cannot be told whether a pad byte follows: it is then taken for a sample.
 *
 * Fails with `ERR_WAVESPOOL_WAV` for what is no WAV file, or one in an encoding that is not known.
 *
 * @throws {ArgumentTypeError} at once, for a wrong option
 */
export function wavReader(options: WavReaderOptions = {}): WavReader {
  if (typeof options !== 'object' || options === null) {
    throw new ArgumentTypeError(`wavReader(): the options are { onTruncated }, got ${show(options)}`)
  }
  const { onTruncated = 'keep' } = options
  if (onTruncated !== 'keep' && onTruncated !== 'error') {
    throw new ArgumentTypeError(
      `wavReader(): onTruncated must be 'keep' or 'error', got ${show(onTruncated)}`,
    )
  }
  return new WavReader(new WavReaderKernel(), onTruncated)
}

export class WavReaderKernel implements Kernel {
  /** called before the first sample is put out */
  onFormat: (format: PcmFormat) => void = () => {}
  /** called at the end of a stream that lacks samples */
  onTruncated: (truncation: Truncation) => void = () => {}
  truncation: Truncation | undefined
  /** The stream was ended on purpose: where it ends is no news. */
  isStopped = false
  header: WavHeader | undefined
  /** those in front of the samples, and, as they come by, those behind them */
  tags: InfoTags = {}
  readonly #parser = wavHeaderParser()
  #frames: WholeFrames | undefined
  /** the first bytes behind a length of 0, which may be samples or the next chunk */
  #peeked: Buffer | undefined
  /** bytes of samples that came */
  #taken = 0
  /** bytes of samples that are still to come */
  #left = 0
  #trailer: PushParser<never> | undefined

  push(bytes: Uint8Array, out: Output): void {
    const at = this.header === undefined ? this.#readHeader(bytes) : 0
    if (at < bytes.length) this.#readSamples(at === 0 ? bytes : bytes.subarray(at), out)
  }

  #readHeader(bytes: Uint8Array): number {
    const at = this.#parser.push(bytes)
    const { header, fault } = this.#parser.result ?? {}
    if (fault !== undefined) throw new WavespoolError('ERR_WAVESPOOL_WAV', fault)
    if (header === undefined) return at
    if (header.format === undefined) throw unknownEncodingError(header)
    this.header = header
    this.tags = { ...header.tags }
    this.#frames = new WholeFrames(header.format)
    const { dataBytes } = header
    this.#left = isOpenSize(dataBytes) && !isFollowed(header) ? Number.POSITIVE_INFINITY : dataBytes
    if (dataBytes === 0) this.#peeked = Buffer.alloc(0)
    this.onFormat(header.format)
    return at
  }

  #readSamples(bytes: Uint8Array, out: Output): void {
    let samples = bytes
    if (this.#peeked !== undefined) {
      samples = this.#peeked = Buffer.concat([this.#peeked, bytes])
      if (samples.length < 4) return
      this.#peeked = undefined
      this.#left = isChunkName(samples) ? 0 : Number.POSITIVE_INFINITY
    }
    const count = Math.min(this.#left, samples.length)
    if (count > 0) this.#frames!.push(count === samples.length ? samples : samples.subarray(0, count), out)
    this.#taken += count
    this.#left -= count
    if (count === samples.length) return
    this.#trailer ??= trailingTagsParser(this.tags, this.#taken % 2 === 1)
    this.#trailer.push(samples.subarray(count))
  }

  flush(out: Output): void {
    if (this.#peeked !== undefined) {
      this.#frames!.push(this.#peeked, out)
      this.#taken = this.#peeked.length
    }
    if (this.isStopped) return
    if (this.header === undefined) {
      throw new WavespoolError('ERR_WAVESPOOL_WAV', 'this WAV file ends before its samples begin')
    }
    this.truncation = this.#missing(this.header)
    if (this.truncation !== undefined) this.onTruncated(this.truncation)
  }

  #missing({ dataBytes, blockAlign }: WavHeader): Truncation | undefined {
    const rest = this.#taken % blockAlign
    const bytes = this.#taken - rest
    if (this.#left !== Number.POSITIVE_INFINITY) {
      return bytes < dataBytes - (dataBytes % blockAlign) ? { expectedBytes: dataBytes, bytes } : undefined
    }
    const isPadByte = rest === 1 && bytes % 2 === 1
    return rest === 0 || isPadByte ? undefined : { expectedBytes: bytes + blockAlign, bytes }
  }
}

/**
 * Whether the RIFF chunk's size counts another chunk behind the samples, as in a file of nearly 2 or 4 GiB. It is even
 * where it was counted, and odd where it is all ones, of 31 bits or of 32.
 */
function isFollowed({ riffBytes, dataStart, dataBytes }: WavHeader): boolean {
  const isCounted = riffBytes % 2 === 0 && Number.isSafeInteger(riffBytes)
  return isCounted && riffBytes >= dataStart + dataBytes + (dataBytes % 2)
}

function unknownEncodingError({ formatTag, bitsPerSample, blockAlign }: WavHeader): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_WAV',
    `the samples of this WAV file are in an encoding that Wavespool does not know (format tag ${formatTag}, ${bitsPerSample} bits in frames of ${blockAlign} bytes); convert it first (sox in.wav -e signed -b 16 out.wav)`,
  )
}

export class WavReader extends Stage {
  readonly #kernel: WavReaderKernel

  constructor(kernel: WavReaderKernel, onTruncated: 'keep' | 'error') {
    super(kernel)
    this.#kernel = kernel
    kernel.onFormat = (format) => this.emit('format', format)
    kernel.onTruncated = (truncation) => {
      if (onTruncated === 'error') throw truncatedError(truncation)
      this.emit('truncated', truncation)
    }
  }

  /** undefined until `'format'` */
  get format(): PcmFormat | undefined {
    return this.#kernel.header?.format
  }

  /** What the file says of itself, right or wrong; undefined until `'format'`. */
  get header(): WavHeader | undefined {
    return this.#kernel.header
  }

  /** `LIST INFO`: with `'format'` what stands in front of the samples, at the end also what stands behind them. */
  get tags(): InfoTags {
    return this.#kernel.tags
  }

  /** What `'truncated'` told: undefined until the end, and behind it where no sample is missing. */
  get truncation(): Truncation | undefined {
    return this.#kernel.truncation
  }

  override stop(): void {
    this.#kernel.isStopped = true
    super.stop()
  }
}

function truncatedError({ expectedBytes, bytes }: Truncation): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_TRUNCATED',
    `this WAV file announces ${expectedBytes} bytes of samples and ends after ${bytes}; those were delivered`,
  )
}
