import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { mp3Bitrates } from '../format/mpegFrame.ts'
import { type PcmFormat, pcmFormat } from '../format/pcmFormat.ts'
import { checkOptions } from '../options.ts'

/** The codecs that `encode()` writes. */
export type Codec = 'flac' | 'mp3' | 'opus'

/** The options of `encode()`. */
export interface EncodeOptions {
  /** the codec of the samples in the file */
  codec: Codec
  /**
   * bits a second of MP3 and Opus (default 64,000 a channel for MP3, 32,000 for Opus, where the rate has them); FLAC
   * has none
   */
  bitrate?: number | undefined
}

/** Extension of a file's name, and media type. */
export const codecFiles: Readonly<Record<Codec, { extension: string; type: string }>> = {
  flac: { extension: '.flac', type: 'audio/flac' },
  mp3: { extension: '.mp3', type: 'audio/mpeg' },
  opus: { extension: '.ogg', type: 'audio/ogg' },
}

const mp3Rates = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]
const opusRates = [8000, 12_000, 16_000, 24_000, 48_000]
const OPUS_BITRATES = [6000, 510_000] as const

/** The parameters of an encoder: the samples that it takes, into which `format` is converted. */
export interface EncodePlan {
  codec: Codec
  input: PcmFormat
  /** 0 where the codec has none */
  bitrate: number
}

/**
 * Checks the format and the options before a library is loaded.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option, and for a format that the codec cannot hold
 */
export function planEncoding(format: PcmFormat, options: EncodeOptions, caller: string): EncodePlan {
  checkOptions(options, ['codec', 'bitrate'], caller)
  const { codec, bitrate } = options
  if (typeof codec !== 'string' || !Object.hasOwn(codecFiles, codec)) {
    throw new ArgumentTypeError(`${caller}: codec must be 'flac', 'mp3' or 'opus', got ${show(codec)}`)
  }
  if (bitrate !== undefined && typeof bitrate !== 'number') {
    throw new ArgumentTypeError(`${caller}: bitrate must be a number of bits a second, got ${show(bitrate)}`)
  }
  const maxChannels = codec === 'flac' ? 8 : 2
  if (format.channels > maxChannels) {
    throw new ArgumentRangeError(
      `${caller}: ${codec} holds up to ${maxChannels} channels, and the format has ${format.channels}; put convert() in front`,
    )
  }
  if (codec === 'flac') return planFlac(format, bitrate, caller)
  const { channels } = format
  const sampleRate = nextRate(codec === 'mp3' ? mp3Rates : opusRates, format.sampleRate)
  if (codec === 'opus') {
    const input = pcmFormat({ sampleRate, channels, encoding: 's16le' })
    return { codec, input, bitrate: checkOpusBitrate(bitrate ?? 32_000 * channels, caller) }
  }
  const input = pcmFormat({ sampleRate, channels, encoding: 'f32le' })
  return { codec, input, bitrate: checkMp3Bitrate(bitrate, sampleRate, channels, caller) }
}

function planFlac(format: PcmFormat, bitrate: number | undefined, caller: string): EncodePlan {
  if (bitrate !== undefined) {
    throw new ArgumentTypeError(`${caller}: flac is lossless and has no bitrate; omit it`)
  }
  const { sampleRate, channels, encoding } = format
  if (sampleRate > 655_350) {
    throw new ArgumentRangeError(
      `${caller}: flac holds rates up to 655350 Hz, and the format has ${sampleRate}; put convert() in front`,
    )
  }
  const samples = /^(u8|s16le|s24le)$/.test(encoding)
    ? encoding
    : /law|s16/.test(encoding)
      ? 's16le'
      : 's24le'
  return { codec: 'flac', input: pcmFormat({ sampleRate, channels, encoding: samples }), bitrate: 0 }
}

/** The lowest rate that is at least `rate`, or the highest of all. */
function nextRate(rates: readonly number[], rate: number): number {
  return rates.find((each) => each >= rate) ?? rates.at(-1)!
}

function checkOpusBitrate(bitrate: number, caller: string): number {
  const [lowest, highest] = OPUS_BITRATES
  if (Number.isInteger(bitrate) && bitrate >= lowest && bitrate <= highest) return bitrate
  throw new ArgumentRangeError(
    `${caller}: bitrate of opus is a whole number of bits a second from ${lowest} to ${highest}, got ${bitrate}`,
  )
}

function checkMp3Bitrate(
  bitrate: number | undefined,
  sampleRate: number,
  channels: number,
  caller: string,
): number {
  const possible = mp3Bitrates(sampleRate)
  if (bitrate === undefined) return Math.min(64_000 * channels, possible.at(-1)!)
  if (possible.includes(bitrate)) return bitrate
  throw new ArgumentRangeError(
    `${caller}: bitrate of mp3 at ${sampleRate} Hz is one of ${possible.join(', ')} bits a second, got ${bitrate}`,
  )
}
