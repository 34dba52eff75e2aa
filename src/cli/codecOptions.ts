import { extname } from 'node:path'
import { type Codec, codecFiles, type EncodeOptions, planEncoding } from '../codec/codecs.ts'
import { type PcmFormat, pcmFormat } from '../format/pcmFormat.ts'
import { type Options, UsageError, type Values } from './command.ts'
import { rateOf } from './values.ts'

export const codecOptions = {
  codec: {
    type: 'string',
    value: 'NAME',
    about: 'compress by flac, mp3 or opus, where no name ends in .flac, .mp3, .ogg or .opus',
  },
  bitrate: { type: 'string', value: 'BITS', about: 'of MP3 and Opus, in bits a second: 64k, 128000' },
} as const satisfies Options

/** The codec that each extension stands for. */
const named: Record<string, Codec | 'none'> = {
  '.flac': 'flac',
  '.mp3': 'mp3',
  '.ogg': 'opus',
  '.oga': 'opus',
  '.opus': 'opus',
  '.wav': 'none',
  '.wave': 'none',
  '.raw': 'none',
  '.pcm': 'none',
}

/**
 * How an output is compressed, by its name or by `--codec`; undefined where it is not.
 *
 * @param path of the output; undefined where the command names its files itself
 * @throws {UsageError} where both disagree, and for a bitrate of a codec without one
 */
export function compressionOf(
  path: string | undefined,
  values: Values<typeof codecOptions>,
): EncodeOptions | undefined {
  const bitrate = rateOf('bitrate', values.bitrate)
  const byName = named[extname(path ?? '').toLowerCase()]
  const codec = (values.codec ?? byName) as Codec | 'none' | undefined
  if (values.codec !== undefined && !Object.hasOwn(codecFiles, values.codec)) {
    throw new UsageError(`--codec is flac, mp3 or opus, not ${values.codec}`)
  }
  if (byName !== undefined && codec !== byName) {
    const { extension } = codecFiles[codec as Codec]
    throw new UsageError(`--codec ${codec} goes with a name that ends in ${extension}, not with ${path}`)
  }
  if (codec === undefined || codec === 'none') {
    if (bitrate === undefined) return undefined
    throw new UsageError('--bitrate goes with MP3 and Opus: name a file .mp3, .ogg or .opus, or say --codec')
  }
  if (codec === 'flac' && bitrate !== undefined) {
    throw new UsageError('FLAC is lossless and has no bitrate: leave out --bitrate')
  }
  return { codec, bitrate }
}

/** @throws {UsageError} where a codec cannot hold this number of channels */
export function checkChannels({ channels }: PcmFormat, { codec }: EncodeOptions): void {
  const most = codec === 'flac' ? 8 : 2
  if (channels <= most) return
  throw new UsageError(
    `${codec} holds up to ${most} channels, and these are ${channels}: say --to-channels ${most}`,
  )
}

/** @returns a promise, rejected where the library of the codec is not installed, before anything is opened or replaced */
export async function requireLibrary({ codec }: EncodeOptions): Promise<void> {
  const { createEncoder } = await import('../codec/library.ts')
  const format = pcmFormat()
  const encoder = await createEncoder(format, planEncoding(format, { codec }, 'encode()'))
  encoder.free()
}
