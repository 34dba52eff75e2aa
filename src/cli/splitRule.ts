import { type EncodeOptions, planEncoding } from '../codec/codecs.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import type { PauseRule, TimeRule } from '../streams/segment/rule.ts'
import { type Options, UsageError, type Values } from './command.ts'
import { sizeOf, timeOf } from './values.ts'

export const ruleOptions = {
  every: { type: 'string', value: 'TIME', about: 'into pieces of this length, without losing a sample' },
  'max-size': {
    type: 'string',
    value: 'SIZE',
    about: 'into files no larger than this, such as 25MB; with --every, whichever is less',
  },
  'at-pauses': {
    type: 'boolean',
    about: 'with --every or --max-size: cut each at the best pause in its last quarter',
  },
  silence: {
    type: 'string',
    value: 'TIME',
    about: 'at pauses in speech of at least this length, which are left out',
  },
  'pre-roll': { type: 'string', value: 'TIME', about: 'with --silence: the audio kept before speech' },
  'min-speech': { type: 'string', value: 'TIME', about: 'with --silence: shorter sounds are no speech' },
  'max-length': { type: 'string', value: 'TIME', about: 'with --silence: cut longer speech' },
} as const satisfies Options

type Span = { seconds: number }
/** How it is to be cut, by the options of the command. */
export type Rule =
  | { every?: number | undefined; maxSize?: number | undefined; isAtPauses: boolean }
  | { silence: Span; preRoll?: Span; minSpeech?: Span; maxLength?: Span }

/** @throws {UsageError} for none or both */
export function ruleOf(values: Values<typeof ruleOptions>): Rule {
  const time = (name: Exclude<keyof typeof ruleOptions, 'at-pauses'>) => timeOf(name, values[name])
  const span = (name: 'pre-roll' | 'min-speech' | 'max-length') => {
    const seconds = time(name)
    return seconds === undefined ? undefined : { seconds }
  }
  const [every, silence] = [time('every'), time('silence')]
  const maxSize = sizeOf('max-size', values['max-size'])
  const isAtPauses = values['at-pauses'] ?? false
  const preRoll = span('pre-roll')
  const minSpeech = span('min-speech')
  const maxLength = span('max-length')
  const isTiling = every !== undefined || maxSize !== undefined
  if (isTiling && silence === undefined && !(preRoll ?? minSpeech ?? maxLength)) {
    return { every, maxSize, isAtPauses }
  }
  if (silence !== undefined && !isTiling && !isAtPauses) {
    return {
      silence: { seconds: silence },
      ...(preRoll && { preRoll }),
      ...(minSpeech && { minSpeech }),
      ...(maxLength && { maxLength }),
    }
  }
  throw new UsageError(
    'it takes either --every, or --silence with its options; --max-size is a size in place of --every, and --at-pauses goes with both',
  )
}

/** @throws {UsageError} where nothing tells beforehand how large a file becomes */
export function checkSize(rule: Rule, compression: EncodeOptions | undefined): void {
  if ('silence' in rule || rule.maxSize === undefined || compression?.codec !== 'opus') return
  throw new UsageError(
    'how large a file of Opus becomes is known when it is there: say --every, not --max-size',
  )
}

/** The rule as segment() takes it, which depends on how large a second is. */
export function segmentRule(
  rule: Rule,
  format: PcmFormat,
  compression: EncodeOptions | undefined,
): TimeRule | PauseRule {
  if ('silence' in rule) return rule
  const { every, maxSize, isAtPauses } = rule
  const wavBytes = maxSize && wavBytesFor(maxSize, format, compression)
  const isBySize = wavBytes !== undefined && (every === undefined || wavBytes < every * format.bytesPerSecond)
  return {
    every: isBySize ? { bytes: wavBytes } : { seconds: every! },
    ...(isAtPauses && { atPause: {} }),
  }
}

/** The size of a WAV file that becomes a file of at most so many bytes. */
function wavBytesFor(maxSize: number, format: PcmFormat, compression: EncodeOptions | undefined): number {
  if (compression === undefined) return maxSize
  // Noise stays as it is, in blocks of 4096 samples with a header each.
  if (compression.codec === 'flac') return Math.floor(maxSize * 0.99)
  const { bitrate } = planEncoding(format, compression, 'split')
  // Delay, padding and the frame that tells the length are less than half a second and a frame.
  return Math.max(1, Math.floor((((maxSize - 2048) * 8) / bitrate - 0.5) * format.bytesPerSecond))
}

/** So many digits that the names sort; a pipe is taken for no longer than its numbers last. */
export function mostSegments(
  rule: TimeRule | PauseRule,
  { bytesPerSecond }: PcmFormat,
  bytes: number | undefined,
): number {
  if (bytes === undefined) return 0
  const length = ('every' in rule ? rule.every : (rule as PauseRule).silence) as
    | { seconds: number }
    | { bytes: number }
  const longest = 'bytes' in length ? length.bytes : length.seconds * bytesPerSecond
  const shortest = 'atPause' in rule ? longest / 2 : longest
  return Math.ceil(bytes / shortest) + 1
}
