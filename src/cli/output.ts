import { createWriteStream, type Stats } from 'node:fs'
import { access, constants, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import type { Duplex, Readable, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import type { EncodeOptions } from '../codec/codecs.ts'
import { encode } from '../codec/encode.ts'
import { printable } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import type { WavHeaderOptions } from '../format/wavHeader.ts'
import { OPEN_SIZE } from '../format/wavSizes.ts'
import { VirtualFile } from '../sinks/virtualFile.ts'
import { wavHeader } from '../streams/wavHeader.ts'
import { checkChannels, type codecOptions, compressionOf, requireLibrary } from './codecOptions.ts'
import { type Option, UsageError, type Values } from './command.ts'
import { sentenceOf, systemError } from './errorReporter.ts'
import { Replacement } from './replacement.ts'
import { refuseSameFile } from './sameFile.ts'
import { byteSize, exactLength } from './terminal/units.ts'

export const forceOption = {
  type: 'boolean',
  short: 'f',
  about: 'replace a file that is there',
} as const satisfies Option

export const noTagsOption = {
  type: 'boolean',
  about: 'leave out title, artist and the other tags of the input',
} as const satisfies Option

/** Where audio goes: checked, and not opened yet. */
export interface Output {
  path: string
  /** without a header: `.raw` and `.pcm` */
  isRaw: boolean
  /** how it is compressed; undefined for WAV and raw samples */
  compression: EncodeOptions | undefined
  /** it cannot be read or put right afterwards: stdout, a FIFO, a device */
  isPipe: boolean
  overwrite: boolean
}

/** Extensions of formats that are not written. */
const foreign = /^\.(m4a|aac|wma|webm|mka|aiff?|au|mp4)$/i

export interface OutputOptions {
  overwrite?: boolean | undefined
  /** the path of the input, `-` for stdin, which must not be overwritten */
  input?: string | undefined
  /** the values of {@link codecOptions} */
  compression?: Values<typeof codecOptions>
}

/**
 * Looks whether something can be written there, so that no microphone is opened in vain.
 *
 * @returns a promise, rejected with a {@link UsageError}, or with an error that says why not
 */
export async function checkOutput(
  path: string,
  { overwrite = false, input, compression: values = {} }: OutputOptions,
): Promise<Output> {
  const compression = compressionOf(path, values)
  if (compression) await requireLibrary(compression)
  if (path === '-') {
    if (process.stdout.isTTY)
      throw new UsageError('- writes to stdout, which is a terminal: pipe it, or name a file')
    if (input !== undefined) await refuseSameFile(path, input)
    return { path, isRaw: false, compression, isPipe: true, overwrite }
  }
  const extension = extname(path)
  if (foreign.test(extension)) {
    throw new UsageError(
      `wavespool writes .wav, .flac, .mp3, .ogg and .opus, not ${extension}: pipe into ffmpeg, wavespool … - | ffmpeg -i - ${path}`,
    )
  }
  await checkPlace(path, overwrite, input)
  const isPipe = (await statsOf(path))?.isFile() === false
  return { path, isRaw: /^\.(raw|pcm)$/i.test(extension), compression, isPipe, overwrite }
}

/** The same for any file, pictures too. */
export async function checkPlace(path: string, overwrite: boolean, input?: string): Promise<void> {
  const stats = await statsOf(path)
  if (stats === undefined) {
    await access(dirname(path), constants.W_OK)
    return
  }
  if (stats.isDirectory()) throw new UsageError(`${path} is a folder; name a file in it`)
  if (input !== undefined) await refuseSameFile(path, input)
  if (stats.isFile() && !overwrite) throw new Error(`${path} is there already; --force replaces it`)
  await access(path, constants.W_OK)
}

function statsOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined)
}

export interface WriteOptions {
  /** put it in its place when it is whole, and nothing when it fails: it can be made again, unlike a recording */
  isRepeatable?: boolean
  /** the properties of the WAV header besides the format */
  header?: WavHeaderOptions
  /** how much audio of a recording has been written so far, which of a compressed file nothing else tells */
  seconds?: () => number
}

/** The header options for so many bytes of samples: RF64 reserves room for more than 32 bits can count. */
export function sizeOptions(expectedBytes: number | undefined): Pick<WavHeaderOptions, 'rf64'> {
  return expectedBytes !== undefined && expectedBytes > OPEN_SIZE - HEADER_ROOM ? { rf64: true } : {}
}

/** No header that is written is longer, tags and all. */
const HEADER_ROOM = 2 ** 17

/** Runs the stages into the output, as a WAV file, raw or compressed; see {@link writeStages}. */
export async function writeAudio(
  output: Output,
  format: PcmFormat,
  stages: Readable[],
  options: WriteOptions = {},
): Promise<number> {
  if (output.isRaw) return writeStages(output, stages, options)
  if (output.compression) {
    checkChannels(format, output.compression)
    return writeStages(output, [...stages, encode(format, output.compression)], options)
  }
  const size = await writeStages(output, [...stages, wavHeader(format, options.header)], options)
  if (size > OPEN_SIZE && !options.header?.rf64) {
    process.stderr.write(
      `${printable(output.path)}: longer than the sizes of its header can say, so they stay open; wavespool repair makes an RF64 file of it\n`,
    )
  }
  return size
}

/**
 * Runs the stages into the output as they are.
 *
 * @returns a promise of the size of the file, 0 for a pipe; rejected with the error and, where it is a recording,
 *   the part that is kept
 */
export async function writeStages(
  output: Output,
  stages: Readable[],
  { isRepeatable = false, seconds }: WriteOptions = {},
): Promise<number> {
  const [source, ...later] = stages as [Readable, ...Duplex[]]
  const replacement =
    isRepeatable && !output.isPipe ? new Replacement(output.path, output.overwrite) : undefined
  const sink = openSink(output, replacement)
  const [head = sink] = later
  let failure: Error | undefined
  // Not in the pipeline: a source that fails would discard the audio that is still on its way.
  const onClose = () => {
    failure ??= source.errored ?? undefined
    head.end()
  }
  source.on('error', () => {}) // told by `errored`
  if (source.closed) onClose()
  else source.once('close', onClose)
  source.pipe(head)
  try {
    await (later.length === 0 ? finished(sink) : pipeline([...later, sink] as [Duplex, ...Duplex[], Duplex]))
  } catch (error) {
    failure ??= error as Error
    source.destroy()
  }
  if (failure === undefined) {
    const size = sink instanceof VirtualFile ? sink.size : 0
    if (sink instanceof VirtualFile) await sink.dispose()
    await replacement?.commit().catch((error) => {
      throw diskError(error, output)
    })
    return size
  }
  const error = diskError(failure, output, replacement)
  const kept = sink instanceof VirtualFile && (await endFile(sink, output, replacement, error, seconds))
  if (!kept) throw error
  throw new Error(`${sentenceOf(error)}; ${kept} of it is in ${output.path}`, { cause: error })
}

/** The error of the operating system, with the name of the file. */
function diskError(error: Error, { path }: Output, replacement?: Replacement): NodeJS.ErrnoException {
  const told = systemError(error)
  if (told.errno !== undefined && (told.path === undefined || told.path === replacement?.path)) {
    told.path = path === '-' ? 'stdout' : path
  }
  return told
}

/** Waits until the header is right; returns how much is kept, nothing where the file was removed. */
async function endFile(
  sink: VirtualFile,
  { path, isRaw, compression }: Output,
  replacement: Replacement | undefined,
  { code }: NodeJS.ErrnoException,
  seconds?: () => number,
): Promise<string | undefined> {
  if (!sink.closed) await new Promise((resolve) => sink.once('close', resolve))
  const { size } = sink
  const duration = compression ? (seconds?.() ?? 0) : (sink.duration ?? 0)
  await sink.dispose()
  if (replacement !== undefined) {
    replacement.discard()
    return undefined
  }
  const isWorthKeeping = isRaw ? size > 0 : duration > 0
  if (isWorthKeeping) return isRaw ? byteSize(size) : exactLength(duration)
  if (code !== 'EEXIST') await rm(path, { force: true }) // else another program was quicker to create it
  return undefined
}

function openSink({ path, isPipe, overwrite }: Output, replacement: Replacement | undefined): Writable {
  if (path === '-') return process.stdout
  if (replacement !== undefined) return new VirtualFile({ storage: { path: replacement.path } })
  return isPipe ? createWriteStream(path) : new VirtualFile({ storage: { path, overwrite } })
}

/** Writes a file that is no audio, whole or not at all. */
export async function writeWhole(
  path: string,
  content: string | Uint8Array,
  overwrite = false,
): Promise<void> {
  if ((await statsOf(path))?.isFile() === false) return writeFile(path, content)
  const replacement = new Replacement(path, overwrite)
  try {
    await writeFile(replacement.path, content, { flag: 'wx' })
    await replacement.commit()
  } catch (error) {
    replacement.discard()
    throw Object.assign(error as Error, { path })
  }
}
