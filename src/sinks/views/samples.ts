import { Converter } from '../../dsp/converter.ts'
import { ArgumentTypeError, show, WavespoolError } from '../../errors.ts'
import type { Encoding } from '../../format/encoding.ts'
import { type PcmFormat, pcmFormat } from '../../format/pcmFormat.ts'
import { type WavHeader, wavHeaderParser } from '../../format/readWavHeader.ts'
import type { Snapshot } from './snapshot.ts'

export interface SamplesOptions {
  /** Hz (default 16,000, as recognisers want it) */
  sampleRate?: number
  /** default 1 */
  channels?: number
  /** the one channel to take, from 0, where `channels` is 1; without it all are mixed */
  channel?: number
}

/**
 * The samples of a WAV as recognisers take them: from −1 to 1, channels beside each other, mixed and resampled as
 * `convert()` does it.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for wrong options, a channel that the file has not among them
 * @throws {WavespoolError} `ERR_WAVESPOOL_WAV` where it holds no WAV file in an encoding that is known
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
  const { channel, ...wanted } = checkOptions(options)
  const to = pcmFormat({ ...wanted, encoding })
  const { format: from, dataStart, dataBytes } = await findSamples(snapshot, name)
  const converter = new Converter(from, to, channel === undefined ? {} : { channel }, name)
  // A cursor may have written a header that says more than there is.
  const frames = Math.floor(Math.min(dataBytes, snapshot.size - dataStart) / from.bytesPerFrame)
  const end = dataStart + frames * from.bytesPerFrame
  const out = new Uint8Array(Math.round((frames * to.sampleRate) / from.sampleRate) * to.bytesPerFrame)
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES - (BLOCK_BYTES % from.bytesPerFrame))
  let at = 0
  for (let position = dataStart; position < end; position += block.length) {
    const bytes = block.subarray(0, end - position)
    await snapshot.read(bytes, position)
    const converted = converter.convert(bytes)
    out.set(converted, at)
    at += converted.length
  }
  out.set(converter.finish(), at)
  return out
}

async function findSamples(snapshot: Snapshot, name: string): Promise<WavHeader & { format: PcmFormat }> {
  const parser = wavHeaderParser()
  const block = Buffer.allocUnsafeSlow(4096)
  for (let position = 0; parser.result === undefined; position += block.length) {
    const count = await snapshot.read(block, position)
    if (count === 0) break
    parser.push(block.subarray(0, count))
  }
  const header = parser.result?.header
  if (header?.format !== undefined) return { ...header, format: header.format }
  throw new WavespoolError('ERR_WAVESPOOL_WAV', `${name} holds no WAV file in an encoding that is known`)
}

function checkOptions(options: SamplesOptions) {
  if (typeof options !== 'object' || options === null) {
    throw new ArgumentTypeError(
      `the samples' options are { sampleRate, channels, channel }, got ${show(options)}`,
    )
  }
  const { sampleRate = 16_000, channels = 1, channel } = options
  return { sampleRate, channels, channel }
}
