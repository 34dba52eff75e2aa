import { mkdir, readdir } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { printable } from '../../errors.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import { type Segment, segment } from '../../streams/segment.ts'
import { defineCommand, type Options, UsageError, type Values } from '../command.ts'
import { systemError } from '../complaints.ts'
import { inputFormat, inputFormatOptions } from '../formatOptions.ts'
import { openInput, showProgress } from '../input.ts'
import { checkPlace, forceOption, writeWhole } from '../output.ts'
import { Replacement } from '../replacement.ts'
import { refuseSameFile } from '../sameFile.ts'
import { toJson } from '../terminal/json.ts'
import { timeOf } from '../values.ts'

const ruleOptions = {
  every: { type: 'string', value: 'TIME', about: 'into pieces of this length, without losing a sample' },
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
  usage: '<in.wav | -> --every TIME | --silence TIME [options]',
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
    ...inputFormatOptions,
    force: forceOption,
    json: { type: 'boolean', about: 'the index on stdout, too' },
  },
  async run([path], values) {
    const rule = ruleOf(values)
    const stem = path === '-' ? 'stdin' : basename(path!, extname(path!))
    const { output: folder = `${stem}-parts`, force: overwrite = false } = values
    const input = await openInput(path!, inputFormat(values))
    // not recursively: under /proc Node would try for ever
    await mkdir(folder).catch((error) => {
      if (error.code !== 'EEXIST') throw error
    })
    const indexPath = join(folder, 'index.json')
    await checkPlace(indexPath, overwrite, path)
    await refuseInput(folder, stem, path!)

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
      const cut = segment(input.format, { ...rule, storage })
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

/** What the operating system said of a part, under the name that it would have got. */
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

type Rule = { every: { seconds: number } } | { silence: { seconds: number } }

/** @throws {UsageError} for none or both */
function ruleOf(values: Values<typeof ruleOptions>): Rule {
  const span = (name: keyof typeof ruleOptions) => {
    const seconds = timeOf(name, values[name])
    return seconds === undefined ? undefined : { seconds }
  }
  const [every, silence] = [span('every'), span('silence')]
  const preRoll = span('pre-roll')
  const minSpeech = span('min-speech')
  const maxLength = span('max-length')
  if (every !== undefined && silence === undefined && !(preRoll ?? minSpeech ?? maxLength)) return { every }
  if (silence !== undefined && every === undefined) {
    return {
      silence,
      ...(preRoll && { preRoll }),
      ...(minSpeech && { minSpeech }),
      ...(maxLength && { maxLength }),
    }
  }
  throw new UsageError('it takes either --every, or --silence with its options')
}

/** So many digits that the names sort; a pipe is taken for no longer than its numbers last. */
function mostSegments(rule: Rule, { bytesPerSecond }: PcmFormat, bytes: number | undefined): number {
  const { seconds } = 'every' in rule ? rule.every : rule.silence
  return bytes === undefined ? 0 : Math.ceil(bytes / bytesPerSecond / seconds) + 1
}
