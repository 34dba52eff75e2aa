import { once } from 'node:events'
import { createReadStream, type ReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { decode } from '../codec/decode.ts'
import { withoutDeliveryNote } from '../codec/decodingError.ts'
import { printable, WavespoolError } from '../errors.ts'
import { type Container, markedKind } from '../format/containers.ts'
import { littleEndian } from '../format/encoding.ts'
import type { InfoTags } from '../format/infoTags.ts'
import { type PcmFormat, pcmFormat } from '../format/pcmFormat.ts'
import { maskOf } from '../format/readWavHeader.ts'
import { convert } from '../streams/convert.ts'
import type { Stage } from '../streams/stage.ts'
import type { Stoppable } from '../streams/stopping.ts'
import { wavReader } from '../streams/wavReader.ts'
import { UsageError } from './command.ts'
import { examine } from './examine.ts'
import { compressedContainer, firstBytes } from './firstBytes.ts'
import { byFfmpeg, foreignInput } from './foreignInput.ts'
import { pipedStdin } from './stdin.ts'
import { StatusLine } from './terminal/statusLine.ts'
import { clockTime } from './terminal/units.ts'

/** PCM from a file or a pipe, whose format is known and of which nothing has been read yet. */
export interface AudioInput {
  source: Readable & Stoppable
  format: PcmFormat
  /** the default format of the output: 16 bits where a lossy codec gave floats */
  written: PcmFormat
  /** its codec and container; undefined for WAV files and raw samples */
  compression: Compression | undefined
  /** the loudspeakers of the channels, as a dwChannelMask, where the WAV file has them */
  channelMask: number | undefined
  /** the tags of the WAV file: of a pipe, those read so far */
  readonly tags: InfoTags
  /** size of the samples and the bytes in front of them; undefined for a pipe, and where they are compressed */
  bytes: number | undefined
  /** 0 to 1; undefined for a pipe, whose length is unknown */
  progress(): number | undefined
}

export interface Compression {
  container: Container
  codec: string
}

export interface InputOptions {
  /** its name in messages, where the path is that of a private copy */
  name?: string | undefined
  /** samples without a header, of which big-endian ones come out little-endian */
  raw?: PcmFormat | undefined
  /** the WAV files that follow in it are read too */
  isAll?: boolean | undefined
  /** the command has `--to-rate` and its siblings */
  isConverted?: boolean
  /** the command has no options for raw samples */
  isNeverRaw?: boolean
}

/**
 * Opens a WAV file, a compressed one, or samples without a header; `-` is stdin. Of a WAV file only the
 * samples, and the bytes in front of them, are read.
 *
 * @returns a promise, rejected with the error of the file, and its name
 */
export async function openInput(path: string, options: InputOptions = {}): Promise<AudioInput> {
  const { raw, isAll = false, isConverted = false, isNeverRaw = false } = options
  const { name = path === '-' ? 'stdin' : path } = options
  const isFile = path !== '-' && (await stat(path).catch(() => undefined))?.isFile() === true
  const found = isFile && raw === undefined ? await examine(path).catch(() => undefined) : undefined
  const end = isAll ? undefined : found?.samplesEnd
  const size = end ?? (isFile ? (await stat(path)).size : undefined)
  const part = end === undefined ? {} : { end: end - 1 }
  const file = path === '-' ? pipedStdin() : createReadStream(path, { highWaterMark: 2 ** 17, ...part })
  const head = await firstBytes(file).catch((error: Error) => {
    throw Object.assign(error, { path: name })
  })
  if (raw) {
    const reason = containerReason(head, name, isConverted)
    if (reason !== undefined) {
      file.destroy()
      throw new UsageError(reason)
    }
  }
  const isCompressed = raw === undefined && found === undefined && compressedContainer(head) !== undefined
  const decoder = isCompressed ? decode() : undefined
  const reader = raw || decoder ? undefined : wavReader({ onNext: isAll ? 'read' : 'stop' })
  if (found?.hasNext && !isAll) reportNext(name)
  reader?.once('next', () => isAll || reportNext(name))
  decoder?.once('gap', ({ at }) => reportGap(name, at / decoder.format!.sampleRate))
  const format = raw && pcmFormat({ ...raw, encoding: littleEndian(raw.encoding) })
  const source: Stage = decoder ?? reader ?? convert(raw!, format!)
  file.on('error', (error: Error) => source.destroy(Object.assign(error, { path: name })))
  source.once('close', () => file.destroy())
  const opened = once(source, 'readable') // with its first samples, or at its end, which may be now
  source.write(head)
  if (file.readableEnded) source.end()
  else file.pipe(source)
  try {
    await opened
    const isFormatLess = raw === undefined && (decoder ?? reader)!.format === undefined
    if (isFormatLess) {
      source.resume()
      await once(source, 'close') // rejects: its error comes once it has been read to the end
    }
  } catch (error) {
    throw explained(error as Error, name, head, isNeverRaw)
  }
  decoder?.prependListener('error', (error) => prefix(error, name))
  const given = decoder?.format ?? reader?.format ?? format!
  const compression = decoder && { container: decoder.container!, codec: decoder.codec! }
  const isLossy = compression !== undefined && given.encoding === 'f32le'
  return {
    source,
    format: given,
    written: isLossy
      ? pcmFormat({ sampleRate: given.sampleRate, channels: given.channels, encoding: 's16le' })
      : given,
    compression,
    channelMask: reader?.header && maskOf(reader.header),
    get tags() {
      return found?.tags ?? reader?.tags ?? {}
    },
    bytes: decoder ? undefined : size,
    progress: () => (size ? Math.min(1, ((file as ReadStream).bytesRead ?? 0) / size) : undefined),
  }
}

/** An error from the start of a file, with its name and the remedy. */
function explained(error: Error, name: string, head: Uint8Array, isNeverRaw: boolean): Error {
  const { code, cause } = error as WavespoolError
  if (!code?.startsWith('ERR_WAVESPOOL_')) return error
  const isMissing = /MODULE_NOT_FOUND/.test(String((cause as NodeJS.ErrnoException)?.code))
  const isNoWav = /no WAV file/.test(error.message)
  const foreign = isNoWav ? foreignInput(head, name) : undefined
  const hint =
    code === 'ERR_WAVESPOOL_CODEC' && !isMissing
      ? `; ${byFfmpeg(name)}`
      : isNoWav && !isNeverRaw
        ? '; of samples without a header say --rate, --channels and --encoding'
        : ''
  return new WavespoolError(code, foreign ?? `${name}: ${error.message}${hint}`, { cause: error })
}

/** An error from within a file, in the words of a command, which has no partial result. */
function prefix(error: Error, name: string): void {
  error.message = `${name}: ${withoutDeliveryNote(error.message)}`
}

function reportGap(name: string, seconds: number): void {
  process.stderr.write(`${printable(name)}: audio is missing, first at ${clockTime(seconds)}\n`)
}

function reportNext(name: string): void {
  process.stderr.write(
    `${printable(name)}: another WAV file follows in it, which is left out; convert --all reads it too\n`,
  )
}

/** The reason to refuse the input: a header that is taken for samples is heard as a click, compressed audio as noise. */
function containerReason(head: Uint8Array, name: string, isConverted: boolean): string | undefined {
  const kind = markedKind(head)
  if (kind === undefined) return undefined
  const remedy = isConverted
    ? '--to-rate, not --rate, writes another one, and so do --to-channels and --to-encoding'
    : 'leave out --rate, --channels and --encoding'
  return foreignInput(head, name) ?? `${name} is ${kind.name}, which has a format of its own; ${remedy}`
}

/** Shows the progress of reading, where stderr is a terminal and it takes a while. Returns a function that ends it. */
export function showProgress(input: AudioInput, label: string): () => void {
  const line = new StatusLine()
  const timer = setInterval(() => {
    const progress = input.progress()
    if (progress !== undefined) line.draw(`${printable(label)} ${Math.floor(progress * 100)} %`)
  }, 200)
  return () => {
    clearInterval(timer)
    line.clear()
  }
}
