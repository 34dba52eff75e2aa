import { checkPosition } from '../arguments.ts'
import { WavespoolError } from '../errors.ts'
import { markedKind } from '../format/containers.ts'
import type { Encoding } from '../format/encoding.ts'
import { type PcmFormat, pcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { feedFrom } from '../format/pushParser.ts'
import { maskOf, scanWavHeader } from '../format/readWavHeader.ts'
import { WavReaderKernel } from '../format/wavReaderKernel.ts'
import { describeFormat, isSameFormat } from '../neighbours.ts'
import { checkOptions } from '../options.ts'
import { Converter } from './converter.ts'
import { checkExpansion, mostBytesOf } from './expansion.ts'

/** The options of `samples()`. */
export interface SamplesOptions {
  /** Hz (default 16,000, as recognisers want it) */
  sampleRate?: number
  /** number of channels (default 1) */
  channels?: number
  /** the one channel to take, from 0, where `channels` is 1; without it all are mixed */
  channel?: number
  /**
   * the most bytes that the result may take (default 256 MiB, or 32 times those of the recording where that is more):
   * a small file with a very low rate would become a very long array
   */
  maxBytes?: number
  /**
   * the format of samples without a header; of a WAV file it must be the format in its header (default: that one)
   */
  format?: PcmFormat
}

/** A file that does not change while it is read. */
interface StableFile {
  /** bytes */
  readonly size: number
  /** Fills the target from `position` as far as the file goes. */
  read(target: Uint8Array, position: number): number | Promise<number>
}

/** The file that is read, and its known format. */
export interface SampledFile {
  readonly name: string
  readonly snapshot: StableFile
  /** the format of samples piped in without a header, where it is known */
  readonly rawFormat: PcmFormat | undefined
}

/**
 * The samples of a WAV as recognisers take them: from −1 to 1, channels beside each other, mixed and resampled as
 * `convert()` does it.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for wrong options, a channel that the file has not among them
 * @throws {WavespoolError} `ERR_WAVESPOOL_WAV` where it holds no WAV file in an encoding that is known, and no
 * `format` is given; `ERR_WAVESPOOL_FORMAT` for a `format` that is known to be wrong; `ERR_WAVESPOOL_FULL` where the samples would take more than `maxBytes`
 */
export async function float32Samples(
  file: SampledFile,
  options: SamplesOptions = {},
): Promise<Float32Array<ArrayBuffer>> {
  const bytes = await convertedSamples(file, options, 'f32le')
  return new Float32Array(bytes.buffer, 0, bytes.length / 4)
}

/** {@link float32Samples}, as 16-bit samples without a header. */
export async function int16Samples(
  file: SampledFile,
  options: SamplesOptions = {},
): Promise<Int16Array<ArrayBuffer>> {
  const bytes = await convertedSamples(file, options, 's16le')
  return new Int16Array(bytes.buffer, 0, bytes.length / 2)
}

/** bytes that are read at once: the memory beside the output */
const BLOCK_BYTES = 2 ** 18
/** enough to tell a file from samples without a header */
const START_BYTES = 32

async function convertedSamples(
  file: SampledFile,
  options: SamplesOptions,
  encoding: Encoding,
): Promise<Uint8Array<ArrayBuffer>> {
  const { format, channel, maxBytes, ...wanted } = checkSamplesOptions(options)
  const { snapshot, name, rawFormat } = file
  const to = pcmFormat({ ...wanted, encoding })
  const collector = new SampleCollector(name, to, channel, maxBytes)
  const start = new Uint8Array(Math.min(START_BYTES, snapshot.size))
  await snapshot.read(start, 0)
  const isBare = markedKind(start) === undefined
  const isTooShortToTell = start.length < 4 && rawFormat === undefined
  if (isBare && format !== undefined) {
    checkSame(name, format, rawFormat, 'was recorded')
    await readBare(snapshot, format, collector)
  } else if (isBare && !isTooShortToTell) {
    throw wavError(name, `${reasonOf(start)}; ${remedyFor(rawFormat)}`)
  } else {
    await readWav(file, format, collector)
  }
  return collector.finish()
}

/** Collects samples in the requested format. */
class SampleCollector {
  readonly #name: string
  readonly #to: PcmFormat
  readonly #channel: number | undefined
  readonly #maxBytes: number | undefined
  #converter: Converter | undefined
  #out = new Uint8Array(0)
  #at = 0

  constructor(name: string, to: PcmFormat, channel: number | undefined, maxBytes: number | undefined) {
    this.#name = name
    this.#to = to
    this.#channel = channel
    this.#maxBytes = maxBytes
  }

  /** @param inputBytes of whole frames as they lie in the file, which bounds the output */
  begin(from: PcmFormat, frames: number, inputBytes: number, channelMask?: number): void {
    const to = this.#to
    const channel = this.#channel
    this.#converter = new Converter(
      from,
      to,
      { ...(channelMask !== undefined && { channelMask }), ...(channel !== undefined && { channel }) },
      this.#name,
    )
    const most = this.#maxBytes ?? mostBytesOf(inputBytes)
    const remedy = 'ask for a lower sampleRate, or allow more by { maxBytes }'
    checkExpansion(frames * from.bytesPerFrame, from, to, most, this.#name, remedy)
    this.#out = new Uint8Array(Math.round((frames * to.sampleRate) / from.sampleRate) * to.bytesPerFrame)
  }

  push(samples: Uint8Array): void {
    this.#put(this.#converter!.convert(samples))
  }

  #put(converted: Uint8Array): void {
    this.#out.set(converted, this.#at)
    this.#at += converted.length
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.#put(this.#converter!.finish())
    return this.#at === this.#out.length ? this.#out : this.#out.slice(0, this.#at)
  }
}

async function readWav(
  { snapshot, name }: SampledFile,
  format: PcmFormat | undefined,
  collector: SampleCollector,
): Promise<void> {
  const kernel = new WavReaderKernel()
  kernel.onFormat = (from) => {
    if (format !== undefined) checkSame(name, format, from, 'stands in its header')
    const header = kernel.header!
    const { dataStart, blockAlign } = header
    // A cursor may have written a header that says more than there is.
    const frames = Math.floor(kernel.samplesIn(snapshot.size - dataStart) / blockAlign)
    collector.begin(from, frames, frames * blockAlign, maskOf(header))
  }
  const parser = {
    get skippable() {
      return kernel.skippable
    },
    pass: (count: number) => kernel.pass(count),
    push: (bytes: Uint8Array) => kernel.push(bytes, collector),
  }
  try {
    await feedFrom(
      parser,
      (target, position) => snapshot.read(target, position),
      { end: snapshot.size, blockBytes: BLOCK_BYTES },
      () => kernel.hasAllSamples,
    )
    kernel.flush(collector)
  } catch (error) {
    if (!(error instanceof WavespoolError) || error.code !== 'ERR_WAVESPOOL_WAV') throw error
    throw wavError(name, error.message, error)
  }
}

/** A partial frame at the end is left out. */
async function readBare(snapshot: StableFile, format: PcmFormat, collector: SampleCollector): Promise<void> {
  const { bytesPerFrame } = format
  const frames = Math.floor(snapshot.size / bytesPerFrame)
  collector.begin(format, frames, frames * bytesPerFrame)
  const end = frames * bytesPerFrame
  const blockBytes = Math.max(1, Math.floor(BLOCK_BYTES / bytesPerFrame)) * bytesPerFrame
  const block = new Uint8Array(Math.min(blockBytes, end))
  for (let at = 0; at < end; at += block.length) {
    const piece = block.subarray(0, Math.min(block.length, end - at))
    await snapshot.read(piece, at)
    collector.push(piece)
  }
}

/** @throws {WavespoolError} where it is known that another format is right */
function checkSame(name: string, format: PcmFormat, known: PcmFormat | undefined, which: string): void {
  if (known === undefined || isSameFormat(format, known)) return
  throw new WavespoolError(
    'ERR_WAVESPOOL_FORMAT',
    `${name}: { format } says ${describeFormat(format)}, but ${describeFormat(known)} ${which}; convert(from, to) makes the one of the other`,
  )
}

/** The reason of the WAV reader to refuse it. */
function reasonOf(start: Uint8Array): string {
  const { fault } = scanWavHeader(start)
  return fault ?? 'this is no WAV file'
}

function remedyFor(rawFormat: PcmFormat | undefined): string {
  const came = rawFormat === undefined ? 'for samples' : `of samples (${describeFormat(rawFormat)})`
  return `${came} without a header either put wavHeader(format) in front of the VirtualFile, or name their format, { format }`
}

function wavError(name: string, reason: string, cause?: unknown): WavespoolError {
  return new WavespoolError('ERR_WAVESPOOL_WAV', `${name}: ${reason}`, cause === undefined ? {} : { cause })
}

function checkSamplesOptions(options: SamplesOptions) {
  const caller = 'toFloat32() and toInt16()'
  checkOptions(options, ['sampleRate', 'channels', 'channel', 'maxBytes', 'format'], caller)
  const { sampleRate = 16_000, channels = 1, channel, maxBytes } = options
  if (maxBytes !== undefined) checkPosition(maxBytes, 'maxBytes')
  const format =
    options.format === undefined
      ? undefined
      : requireFormat(options.format, caller, 'as `format` the PCM format of samples without a header')
  return { sampleRate, channels, channel, maxBytes, format }
}
