import { mkdir, readdir } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { printable } from '../../errors.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import type { PauseRule, TimeRule } from '../../streams/segment/rule.ts'
import { type Segment, segment } from '../../streams/segment.ts'
import { defineCommand, type Options, UsageError, type Values } from '../command.ts'
import { systemError } from '../complaints.ts'
import { inputFormat, rawFormatOptions } from '../formatOptions.ts'
import { openInput, showProgress } from '../input.ts'
import { checkPlace, forceOption, noTagsOption, writeWhole } from '../output.ts'
import { Replacement } from '../replacement.ts'
import { refuseSameFile } from '../sameFile.ts'
import { toJson } from '../terminal/json.ts'
import { sizeOf, timeOf } from '../values.ts'

const ruleOptions = {
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
  'pre-roll': { type: 'string', value: 'TIME', about: 'with --silence: what is kept before speech' },
  'min-speech': { type: 'string', value: 'TIME', about: 'with --silence: shorter sounds are no speech' },
  'max-length': { type: 'string', value: 'TIME', about: 'with --silence: cut longer speech' },
} as const satisfies Options

export const split = defineCommand({
  usage: '<in.wav | -> --every TIME | --max-size SIZE | --silence TIME [options]',
  about:
    'Cuts a WAV file into numbered WAV files, and writes an index.json of their places in it, in frames and in seconds.',
  operands: [1, 1],
  options: {
    ...ruleOptions,
    output: {
      type: 'string',
      short: 'o',
      value: 'FOLDER',
      about: 'where the files go (default: <in>-parts)',
    },
    'no-tags': noTagsOption,
    ...rawFormatOptions,
    force: forceOption,
    json: { type: 'boolean', about: 'the index on stdout, too' },
  },
  async run([path], values) {
    const given = ruleOf(values)
    const stem = path === '-' ? 'stdin' : basename(path!, extname(path!))
    const { output: folder = `${stem}-parts`, force: overwrite = false } = values
    const input = await openInput(path!, { raw: inputFormat(values) })
    // not recursively: under /proc Node would try for ever
    await mkdir(folder).catch((error) => {
      if (error.code !== 'EEXIST') throw error
    })
    const indexPath = join(folder, 'index.json')
    await checkPlace(indexPath, overwrite, path)
    await refuseInput(folder, stem, path!)

    const rule = optionsOf(given, input.format)
    const digits = Math.max(4, String(mostSegments(rule, input.format, input.bytes)).length)
    const names: string[] = []
    const files: Replacement[] = []
    const storage = () => {
      const name = `${stem}-${String(names.length + 1).padStart(digits, '0')}.wav`
      const file = new Replacement(join(folder, name), overwrite)
      names.push(name)
      files.push(file)
      return { path: file.path }
    }
    const parts: Part[] = []
    const hide = showProgress(input, 'split')
    try {
      const { channelMask, tags } = input
      const header = { channelMask, ...(!values['no-tags'] && { tags }) }
      const cut = segment(input.format, { ...rule, storage, header })
      input.source.once('error', (error) => cut.destroy(error))
      for await (const part of input.source.pipe(cut) as AsyncIterable<Segment>) {
        parts.push(partOf(names[parts.length]!, part, input.format))
        await part.file.dispose()
        await files.shift()!.commit()
      }
    } catch (error) {
      throw named(error as Error, files)
    } finally {
      for (const file of files) file.discard()
      hide()
      input.source.destroy()
    }
    const { sampleRate, channels, encoding } = input.format
    const index = { source: path, format: { sampleRate, channels, encoding }, parts }
    const text = `${toJson(index)}\n`
    await writeWhole(indexPath, text, overwrite)
    if (values.json) process.stdout.write(text)
    else if (process.stderr.isTTY) process.stderr.write(`${parts.length} files in ${printable(folder)}\n`)
    return 0
  },
})

/** An error of the operating system about a part, under the name that the part would have got. */
function named(error: Error, files: readonly Replacement[]): Error {
  const told = systemError(error)
  const file = files.find(({ path }) => path === told.path)
  if (file !== undefined) told.path = file.target
  else if (told !== error) told.path ??= files[0]?.target
  return told
}

/** A part may be a link to what is read. */
async function refuseInput(folder: string, stem: string, input: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const isPart = name.startsWith(`${stem}-`) && /^\d+\.wav$/.test(name.slice(stem.length + 1))
    if (isPart) await refuseSameFile(join(folder, name), input)
  }
}

interface Part {
  file: string
  /** frames */
  start: number
  end: number
  startSeconds: number
  endSeconds: number
}

function partOf(file: string, { start, end }: Segment, { sampleRate }: PcmFormat): Part {
  return { file, start, end, startSeconds: start / sampleRate, endSeconds: end / sampleRate }
}

type Span = { seconds: number }
type Rule =
  | { every?: number | undefined; maxSize?: number | undefined; isAtPauses: boolean }
  | { silence: Span; preRoll?: Span; minSpeech?: Span; maxLength?: Span }

/** @throws {UsageError} for none or both */
function ruleOf(values: Values<typeof ruleOptions>): Rule {
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

/** The rule as segment() takes it, which depends on how large a second is. */
function optionsOf(rule: Rule, { bytesPerSecond }: PcmFormat): TimeRule | PauseRule {
  if ('silence' in rule) return rule
  const { every, maxSize, isAtPauses } = rule
  const isBySize = maxSize !== undefined && (every === undefined || maxSize < every * bytesPerSecond)
  return {
    every: isBySize ? { bytes: maxSize } : { seconds: every! },
    ...(isAtPauses && { atPause: {} }),
  }
}

/** So many digits that the names sort; a pipe is taken for no longer than its numbers last. */
function mostSegments(
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
