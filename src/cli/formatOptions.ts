import { type Encoding, encodings } from '../format/encoding.ts'
import { type PcmFormat, type PcmFormatOptions, pcmFormat } from '../format/pcmFormat.ts'
import { type Options, UsageError, type Values } from './command.ts'
import { countOf, rateOf } from './values.ts'

const names = Object.keys(encodings)

/** These options give the format of a microphone, or of raw input, which has no header. */
export const inputFormatOptions = optionsOf('the microphone, or of raw input')

/** The same where there is no microphone. */
export const rawFormatOptions = optionsOf('raw input, which has no header')

function optionsOf(side: string) {
  return {
    rate: { type: 'string', value: 'HZ', about: `sample rate of ${side} (default 16000)` },
    channels: { type: 'string', value: 'N', about: `channels of ${side} (default 1)` },
    encoding: {
      type: 'string',
      value: 'NAME',
      about: `samples of ${side}: ${names.join(' ')} (default s16le)`,
    },
  } as const satisfies Options
}

export const targetFormatOptions = {
  'to-rate': { type: 'string', value: 'HZ', about: 'write another sample rate' },
  'to-channels': { type: 'string', value: 'N', about: 'write another number of channels' },
  'to-encoding': { type: 'string', value: 'NAME', about: 'write other samples, mulaw for example' },
} as const satisfies Options

/**
 * The format of `--rate --channels --encoding`; undefined when none of them was given.
 *
 * @throws {UsageError | ArgumentRangeError} for values that no format has
 */
export function inputFormat(values: Values<typeof inputFormatOptions>): PcmFormat | undefined {
  const { rate, channels, encoding } = values
  if (rate === undefined && channels === undefined && encoding === undefined) return undefined
  return pcmFormat(fields('', rate, channels, encoding))
}

/**
 * The format to write: that of the input, but for what `--to-…` change.
 *
 * @throws {UsageError | ArgumentRangeError} for values that no format has
 */
export function targetFormat(from: PcmFormat, values: Values<typeof targetFormatOptions>): PcmFormat {
  const { sampleRate, channels, encoding } = from
  const changes = targetChanges(values)
  return Object.keys(changes).length === 0 ? from : pcmFormat({ sampleRate, channels, encoding, ...changes })
}

/** The changes of `--to-…`, so that it can be checked before the input is opened. */
export function targetChanges(values: Values<typeof targetFormatOptions>): PcmFormatOptions {
  return fields('to-', values['to-rate'], values['to-channels'], values['to-encoding'])
}

function fields(prefix: string, rate?: string, channels?: string, encoding?: string): PcmFormatOptions {
  const sampleRate = rateOf(`${prefix}rate`, rate)
  const count = countOf(`${prefix}channels`, channels)
  if (encoding !== undefined && !names.includes(encoding)) {
    throw new UsageError(`--${prefix}encoding is one of ${names.join(', ')}, not ${encoding}`)
  }
  return {
    ...(sampleRate !== undefined && { sampleRate }),
    ...(count !== undefined && { channels: count }),
    ...(encoding !== undefined && { encoding: encoding as Encoding }),
  }
}

/**
 * `16000 Hz, mono, s16le`
 *
 * @param codec of compressed samples, in place of the encoding
 */
export function describeFormat({ sampleRate, channels, encoding }: PcmFormatOptions, codec?: string): string {
  const many = channels === 1 ? 'mono' : channels === 2 ? 'stereo' : `${channels} channels`
  return `${sampleRate} Hz, ${many}, ${codec ?? encoding}`
}
