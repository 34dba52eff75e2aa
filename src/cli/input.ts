import { once } from 'node:events'
import { createReadStream, type ReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { printable, WavespoolError } from '../errors.ts'
import { markedKind } from '../format/containers.ts'
import { littleEndian } from '../format/encoding.ts'
import type { InfoTags } from '../format/infoTags.ts'
import { type PcmFormat, pcmFormat } from '../format/pcmFormat.ts'
import { maskOf } from '../format/readWavHeader.ts'
import { isOpenLength, readBytes } from '../format/wavLength.ts'
import { convert } from '../streams/convert.ts'
import type { Stage } from '../streams/stage.ts'
import type { Stoppable } from '../streams/stopping.ts'
import { wavReader } from '../streams/wavReader.ts'
import { UsageError } from './command.ts'
import { type Examination, examine } from './examine.ts'
import { foreignInput } from './foreignInput.ts'
import { pipedStdin } from './pipedStdin.ts'
import { StatusLine } from './terminal/statusLine.ts'

/** So many first bytes tell what a file is. */
const HEAD_BYTES = 64

/** PCM out of a file or a pipe, of which the format is known and nothing has been read yet. */
export interface AudioInput {
  source: Readable & Stoppable
  format: PcmFormat
  /** the loudspeakers of the channels, as a dwChannelMask, where the WAV file says */
  channelMask: number | undefined
  /** what the WAV file says of itself: of a pipe, what has come by so far */
  readonly tags: InfoTags
  /** size of what is read of the file; undefined for a pipe */
  bytes: number | undefined
  /** 0 to 1; undefined for a pipe, whose length nobody knows */
  progress(): number | undefined
}

export interface InputOptions {
  /** samples without a header, of which big-endian ones come out little-endian */
  raw?: PcmFormat | undefined
  /** the WAV files that follow in it are read too */
  isAll?: boolean | undefined
  /** the command has `--to-rate` and its siblings */
  isConverted?: boolean
}

/**
 * Opens a WAV file, or samples without a header; `-` is stdin. Of a file no more is read than its samples, and what stands
 * in front of them.
 *
 * @returns a promise, rejected with what the file fails with, and its name
 */
export async function openInput(
  path: string,
  { raw, isAll = false, isConverted = false }: InputOptions = {},
): Promise<AudioInput> {
  const name = path === '-' ? 'stdin' : path
  const isFile = path !== '-' && (await stat(path).catch(() => undefined))?.isFile() === true
  const found = isFile && raw === undefined ? await examine(path).catch(() => undefined) : undefined
  const end = found && !isAll ? endOfSamples(found) : undefined
  const size = end ?? (isFile ? (await stat(path)).size : undefined)
  const part = end === undefined ? {} : { end: end - 1 }
  const file = path === '-' ? pipedStdin() : createReadStream(path, { highWaterMark: 2 ** 17, ...part })
  const reader = raw === undefined ? wavReader({ onNext: isAll ? 'read' : 'stop' }) : undefined
  if (found?.hasNext && !isAll) tellOfNext(name)
  reader?.once('next', () => isAll || tellOfNext(name))
  const format = raw && pcmFormat({ ...raw, encoding: littleEndian(raw.encoding) })
  const source = reader ?? convert(raw!, format!)
  file.on('error', (error: Error) => source.destroy(Object.assign(error, { path: name })))
  source.once('close', () => file.destroy())
  let head: Uint8Array = new Uint8Array()
  file.once('data', (bytes: Buffer) => {
    head = bytes.subarray(0, HEAD_BYTES)
    if (raw) refuseContainer(head, name, source, isConverted)
  })
  file.pipe(source)
  try {
    await once(source, 'readable') // with its first samples, or at its end
    if (reader && reader.format === undefined) {
      source.resume()
      await once(source, 'close') // rejects: its error comes once it has been read to the end
    }
    return {
      source,
      format: reader?.format ?? format!,
      channelMask: reader?.header && maskOf(reader.header),
      get tags() {
        return found?.tags ?? reader?.tags ?? {}
      },
      bytes: size,
      progress: () => (size ? Math.min(1, ((file as ReadStream).bytesRead ?? 0) / size) : undefined),
    }
  } catch (error) {
    if (!(error instanceof WavespoolError)) throw error
    const isNoWav = /no WAV file/.test(error.message)
    const foreign = isNoWav ? foreignInput(head, name) : undefined
    const hint = isNoWav ? '; of samples without a header say --rate, --channels and --encoding' : ''
    throw new WavespoolError(error.code, foreign ?? `${name}: ${error.message}${hint}`, { cause: error })
  }
}

/** Where the samples end that are read, as far as the header tells. */
function endOfSamples({ size, header }: Examination): number {
  if (isOpenLength(header)) return size
  return Math.min(size, header.dataStart + readBytes(header.container, header.dataBytes))
}

function tellOfNext(name: string): void {
  process.stderr.write(
    `${printable(name)}: another WAV file follows in it, which is left out; convert --all reads it too\n`,
  )
}

/** A header that is taken for samples is heard as a click, and compressed audio as noise. */
function refuseContainer(head: Uint8Array, name: string, source: Stage, isConverted: boolean): void {
  const container = markedKind(head)
  if (container === undefined) return
  const remedy = isConverted
    ? '--to-rate, not --rate, writes another one, and so do --to-channels and --to-encoding'
    : 'leave out --rate, --channels and --encoding'
  const reason =
    container.container === 'wav'
      ? `${name} is a WAV file, which tells its own format; ${remedy}`
      : foreignInput(head, name)
  source.destroy(new UsageError(reason))
}

/** Shows how far it has been read, where stderr is a terminal and it takes a while. Call what is returned at the end. */
export function showProgress(input: AudioInput, what: string): () => void {
  const line = new StatusLine()
  const timer = setInterval(() => {
    const progress = input.progress()
    if (progress !== undefined) line.draw(`${printable(what)} ${Math.floor(progress * 100)} %`)
  }, 200)
  return () => {
    clearInterval(timer)
    line.clear()
  }
}
