import { Converter } from '../../dsp/converter.ts'
import { checkExpansion, mostBytesOf } from '../../dsp/expansion.ts'
import { WavespoolError } from '../../errors.ts'
import type { Encoding } from '../../format/encoding.ts'
import { pcmFormat } from '../../format/pcmFormat.ts'
import { feedFrom } from '../../format/pushParser.ts'
import { maskOf } from '../../format/readWavHeader.ts'
import { WavReaderKernel } from '../../format/wavReaderKernel.ts'
import type { Output } from '../../format/wholeFrames.ts'
import { checkOptions } from '../../options.ts'
import { checkPosition } from '../arguments.ts'
import type { Snapshot } from '../recording/snapshot.ts'

export interface SamplesOptions {
  /** Hz (default 16,000, as recognisers want it) */
  sampleRate?: number
  /** default 1 */
  channels?: number
  /** the one channel to take, from 0, where `channels` is 1; without it all are mixed */
  channel?: number
  /**
   * the most bytes that the result may take (default 256 MiB, or 32 times those of the recording where that is more):
   * a small file with a very low rate would become a very long array
   */
  maxBytes?: number
}

/**
 * The samples of a WAV as recognisers take them: from −1 to 1, channels beside each other, mixed and resampled as
 * `convert()` does it.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for wrong options, a channel that the file has not among them
 * @throws {WavespoolError} `ERR_WAVESPOOL_WAV` where it holds no WAV file in an encoding that is known;
 * `ERR_WAVESPOOL_FULL` where the samples would take more than `maxBytes`
 */
export async function float32Samples(
  snapshot: Snapshot,
  name: string,
  options: SamplesOptions = {},
): Promise<Float32Array<ArrayBuffer>> {
  const bytes = await convertedSamples(snapshot, name, options, 'f32le')
  return new Float32Array(bytes.buffer, 0, bytes.length / 4)
}

/** {@link float32Samples}, as 16-bit samples without a header. */
export async function int16Samples(
  snapshot: Snapshot,
  name: string,
  options: SamplesOptions = {},
): Promise<Int16Array<ArrayBuffer>> {
  const bytes = await convertedSamples(snapshot, name, options, 's16le')
  return new Int16Array(bytes.buffer, 0, bytes.length / 2)
}

/** bytes that are read at once: memory is what is put out, and no more than this beside it */
const BLOCK_BYTES = 2 ** 18

async function convertedSamples(
  snapshot: Snapshot,
  name: string,
  options: SamplesOptions,
  encoding: Encoding,
): Promise<Uint8Array<ArrayBuffer>> {
  const { channel, maxBytes, ...wanted } = checkSamplesOptions(options)
  const to = pcmFormat({ ...wanted, encoding })
  const kernel = new WavReaderKernel()
  let converter: Converter | undefined
  let out = new Uint8Array(0)
  let at = 0
  const put = (converted: Uint8Array) => {
    out.set(converted, at)
    at += converted.length
  }
  kernel.onFormat = (from) => {
    const { dataStart, blockAlign } = kernel.header!
    const channelMask = maskOf(kernel.header!)
    converter = new Converter(from, to, { channelMask, ...(channel !== undefined && { channel }) }, name)
    // A cursor may have written a header that says more than there is.
    const frames = Math.floor(kernel.samplesIn(snapshot.size - dataStart) / blockAlign)
    const most = maxBytes ?? mostBytesOf(frames * blockAlign)
    const remedy = 'ask for a lower sampleRate, or allow more by { maxBytes }'
    checkExpansion(frames * from.bytesPerFrame, from, to, most, name, remedy)
    out = new Uint8Array(Math.round((frames * to.sampleRate) / from.sampleRate) * to.bytesPerFrame)
  }
  await feed(kernel, snapshot, { push: (samples) => put(converter!.convert(samples)) }, name)
  put(converter!.finish())
  return at === out.length ? out : out.slice(0, at)
}

/** Reads no more than it takes. */
async function feed(kernel: WavReaderKernel, snapshot: Snapshot, out: Output, name: string): Promise<void> {
  const parser = {
    get skippable() {
      return kernel.skippable
    },
    pass: (count: number) => kernel.pass(count),
    push: (bytes: Uint8Array) => kernel.push(bytes, out),
  }
  const read = (target: Uint8Array, position: number) => snapshot.read(target, position)
  try {
    await feedFrom(parser, read, { end: snapshot.size, blockBytes: BLOCK_BYTES }, () => kernel.hasAllSamples)
    kernel.flush(out)
  } catch (error) {
    if (!(error instanceof WavespoolError) || error.code !== 'ERR_WAVESPOOL_WAV') throw error
    throw new WavespoolError('ERR_WAVESPOOL_WAV', `${name}: ${error.message}`, { cause: error })
  }
}

function checkSamplesOptions(options: SamplesOptions) {
  checkOptions(options, ['sampleRate', 'channels', 'channel', 'maxBytes'], 'toFloat32() and toInt16()')
  const { sampleRate = 16_000, channels = 1, channel, maxBytes } = options
  if (maxBytes !== undefined) checkPosition(maxBytes, 'maxBytes')
  return { sampleRate, channels, channel, maxBytes }
}
