import { once } from 'node:events'
import { createReadStream, type ReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { printable, WavespoolError } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { Stage } from '../streams/stage.ts'
import type { Stoppable } from '../streams/stopping.ts'
import { type WavReader, wavReader } from '../streams/wavReader.ts'
import { WholeFrames } from '../streams/wholeFrames.ts'
import { UsageError } from './command.ts'
import { StatusLine } from './terminal/statusLine.ts'

/** PCM out of a file or a pipe, of which the format is known and nothing has been read yet. */
export interface AudioInput {
  source: Readable & Stoppable
  format: PcmFormat
  /** what the WAV file says of itself; undefined for raw samples */
  reader: WavReader | undefined
  /** size of the file; undefined for a pipe */
  bytes: number | undefined
  /** 0 to 1; undefined for a pipe, whose length nobody knows */
  progress(): number | undefined
}

/**
 * Opens a WAV file, or with `raw` samples without a header; `-` is stdin.
 *
 * @returns a promise, rejected with what the file fails with, and its name
 */
export async function openInput(path: string, raw?: PcmFormat): Promise<AudioInput> {
  const name = path === '-' ? 'stdin' : path
  const file = path === '-' ? pipedStdin() : createReadStream(path, { highWaterMark: 2 ** 17 })
  const size = path === '-' ? undefined : (await stat(path).catch(() => undefined))?.size
  const reader = raw === undefined ? wavReader() : undefined
  const source = reader ?? new Stage(new WholeFrames(raw!))
  file.on('error', (error: Error) => source.destroy(Object.assign(error, { path: name })))
  source.once('close', () => file.destroy())
  if (raw) file.once('data', (bytes: Buffer) => refuseWav(bytes, name, source))
  file.pipe(source)
  try {
    await once(source, 'readable') // with its first samples, or at its end
    if (reader && reader.format === undefined) {
      source.resume()
      await once(source, 'close') // rejects: its error comes once it has been read to the end
    }
    return {
      source,
      format: reader?.format ?? raw!,
      reader,
      bytes: size,
      progress: () => (size ? Math.min(1, ((file as ReadStream).bytesRead ?? 0) / size) : undefined),
    }
  } catch (error) {
    if (!(error instanceof WavespoolError)) throw error
    const isWav = /no WAV file/.test(error.message)
    const hint = isWav ? '; of samples without a header say --rate, --channels and --encoding' : ''
    throw new WavespoolError(error.code, `${name}: ${error.message}${hint}`, { cause: error })
  }
}

/** @throws {UsageError} where nobody but a person could write into it */
export function pipedStdin(): Readable {
  if (process.stdin.isTTY) {
    throw new UsageError('- reads from stdin, which is a terminal: pipe something into it')
  }
  return process.stdin
}

/** A header that is taken for samples is heard as a click. */
function refuseWav(bytes: Buffer, name: string, source: Stage): void {
  if (!/^(RIFF|RF64)/.test(bytes.toString('latin1', 0, 4))) return
  source.destroy(
    new UsageError(
      `${name} is a WAV file, which tells its own format: leave out --rate, --channels and --encoding`,
    ),
  )
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
