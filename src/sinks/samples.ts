import { decodeSamples, mixToMono, toInt16Samples } from '../dsp/decode.ts'
import { ArgumentRangeError, ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import { pcmFormat } from '../format/pcmFormat.ts'
import { scanWavHeader } from '../format/readWavHeader.ts'
import type { Snapshot } from './snapshot.ts'

export interface SamplesOptions {
  /** Hz (default 16,000, as recognisers want it) */
  sampleRate?: number
  /** 1 (default), or as many as the file has */
  channels?: number
}

/**
 * The samples of a WAV as recognisers take them: from −1 to 1, channels beside each other.
 *
 * @throws {ArgumentRangeError} where the file has another rate or other channels
 * @throws {WavespoolError} `ERR_WAVESPOOL_WAV` where it holds no WAV file in an encoding that is known
 */
export async function float32Samples(
  snapshot: Snapshot,
  name: string,
  options: SamplesOptions = {},
): Promise<Float32Array<ArrayBuffer>> {
  const wanted = checkOptions(options)
  const file = await snapshot.toBuffer()
  const { header } = scanWavHeader(file)
  if (header?.format === undefined) {
    throw new WavespoolError('ERR_WAVESPOOL_WAV', `${name} holds no WAV file in an encoding that is known`)
  }
  const { format, dataStart, dataBytes } = header
  if (format.sampleRate !== wanted.sampleRate) {
    throw new ArgumentRangeError(
      `${name} has a sample rate of ${format.sampleRate} Hz, not ${wanted.sampleRate}; record at that rate, or ask for { sampleRate: ${format.sampleRate} }`,
    )
  }
  if (wanted.channels !== 1 && wanted.channels !== format.channels) {
    throw new ArgumentRangeError(`${name} has ${format.channels} channels; ask for as many, or for 1`)
  }
  const samples = decodeSamples(file.subarray(dataStart, dataStart + dataBytes), format)
  return wanted.channels === 1 ? mixToMono(samples, format.channels) : samples
}

/** {@link float32Samples}, as 16-bit samples without a header. */
export async function int16Samples(
  ...args: Parameters<typeof float32Samples>
): Promise<Int16Array<ArrayBuffer>> {
  return toInt16Samples(await float32Samples(...args))
}

function checkOptions(options: SamplesOptions): { sampleRate: number; channels: number } {
  if (typeof options !== 'object' || options === null) {
    throw new ArgumentTypeError(`the samples' options are { sampleRate, channels }, got ${show(options)}`)
  }
  return pcmFormat({ sampleRate: options.sampleRate ?? 16_000, channels: options.channels ?? 1 })
}
