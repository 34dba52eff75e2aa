import { mkdir, readdir } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { codecFiles, type EncodeOptions } from '../../codec/codecs.ts'
import { encode } from '../../codec/encode.ts'
import { printable } from '../../errors.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import { VirtualFile } from '../../sinks/virtualFile.ts'
import { convert } from '../../streams/convert.ts'
import { type Segment, segment } from '../../streams/segment.ts'
import { wavReader } from '../../streams/wavReader.ts'
import { checkChannels, codecOptions, compressionOf, requireLibrary } from '../codecOptions.ts'
import { defineCommand } from '../command.ts'
import { systemError } from '../errorReporter.ts'
import { inputFormat, rawFormatOptions } from '../formatOptions.ts'
import { openInput, showProgress } from '../input.ts'
import { checkPlace, forceOption, noTagsOption, writeWhole } from '../output.ts'
import { Replacement } from '../replacement.ts'
import { refuseSameFile } from '../sameFile.ts'
import { checkSize, mostSegments, ruleOf, ruleOptions, segmentRule } from '../splitRule.ts'
import { toJson } from '../terminal/style.ts'

export const split = defineCommand({
  usage: '<in | -> --every TIME | --max-size SIZE | --silence TIME [options]',
  about:
    'Cuts a WAV, FLAC, MP3, Ogg, WebM or MP4 file into numbered WAV files, or others by --codec, and writes an index.json of their places in it, in frames and in seconds.',
  operands: [1, 1],
  options: {
    ...ruleOptions,
    output: {
      type: 'string',
      short: 'o',
      value: 'FOLDER',
      about: 'where the files go (default: <in>-parts)',
    },
    ...codecOptions,
    'no-tags': noTagsOption,
    ...rawFormatOptions,
    force: forceOption,
    json: { type: 'boolean', about: 'the index on stdout, too' },
  },
  async run([path], values) {
    const given = ruleOf(values)
    const compression = compressionOf(undefined, values)
    checkSize(given, compression)
    if (compression) await requireLibrary(compression)
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

    const format = input.written
    if (compression) checkChannels(format, compression)
    const rule = segmentRule(given, format, compression)
    const digits = Math.max(4, String(mostSegments(rule, format, input.bytes)).length)
    const extension = compression ? codecFiles[compression.codec].extension : '.wav'
    const names: string[] = []
    const files: Replacement[] = []
    const storage = () => {
      const name = `${stem}-${String(names.length + 1).padStart(digits, '0')}${extension}`
      const file = new Replacement(join(folder, name), overwrite)
      names.push(name)
      files.push(file)
      return compression ? 'spill' : { path: file.path }
    }
    const parts: Part[] = []
    const hide = showProgress(input, 'split')
    try {
      const { channelMask, tags } = input
      const header = { channelMask, ...(!values['no-tags'] && { tags }) }
      const cut = segment(format, { ...rule, storage, header })
      input.source.once('error', (error) => cut.destroy(error))
      const whole = format === input.format ? input.source : input.source.pipe(convert(input.format, format))
      for await (const part of whole.pipe(cut) as AsyncIterable<Segment>) {
        parts.push(partOf(names[parts.length]!, part, format))
        if (compression) await compress(part, format, compression, files[0]!)
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
    const { sampleRate, channels, encoding } = format
    const index = { source: path, format: { sampleRate, channels, encoding }, parts }
    const text = `${toJson(index)}\n`
    await writeWhole(indexPath, text, overwrite)
    if (values.json) process.stdout.write(text)
    else if (process.stderr.isTTY) process.stderr.write(`${parts.length} files in ${printable(folder)}\n`)
    return 0
  },
})

/** Into the place of a part; the segment lies in a storage of its own. */
function compress(
  { file }: Segment,
  format: PcmFormat,
  compression: EncodeOptions,
  { path }: Replacement,
): Promise<void> {
  const target = new VirtualFile({ storage: { path } })
  return pipeline(file.createReadStream(), wavReader(), encode(format, compression), target).finally(() =>
    target.dispose(),
  )
}

/** An error of the operating system about a part, under the name that the part would have got. */
function named(error: Error, files: readonly Replacement[]): Error {
  const told = systemError(error)
  const file = files.find(({ path }) => path === told.path)
  if (file !== undefined) told.path = file.target
  else if (told !== error) told.path ??= files[0]?.target
  return told
}

/** A part may be a link to the input. */
async function refuseInput(folder: string, stem: string, input: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const isPart =
      name.startsWith(`${stem}-`) && /^\d+\.(wav|flac|mp3|ogg)$/.test(name.slice(stem.length + 1))
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
