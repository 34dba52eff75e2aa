import { constants, createReadStream, type Stats } from 'node:fs'
import { lstat, mkdir, open, readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { scanWavHeader } from '../format/readWavHeader.ts'
import { type RequestLike, respond } from '../http/response.ts'
import { Latest } from '../latest.ts'
import { HttpError } from './httpError.ts'
import { isRecordingName, recordingName } from './names.ts'
import { Peaks } from './peaks.ts'

/** The most bytes that are searched for the end of a header. */
const HEADER_BYTES = 2 ** 16
/** so many lists of peaks are kept */
const KEPT = 16
/** a link in the place of a file is not followed, and a pipe not waited for */
export const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** A finished recording on the disk; without a format it is none that can be played here. */
export interface StoredRecording {
  readonly name: string
  readonly size: number
  /** milliseconds since 1970 */
  readonly modified: number
  readonly format: PcmFormat | undefined
  readonly frames: number
  readonly dataStart: number
}

/** The WAV files of one folder, and no others: no name leads out of it, and no link. */
export class Folder {
  readonly path: string
  readonly #known = new Map<string, StoredRecording>()
  readonly #peaks = new Latest<string, Promise<Peaks>>(KEPT)
  #root: Promise<string> | undefined

  constructor(path: string) {
    this.path = path
  }

  /** Resolves when it is there. */
  open(): Promise<string> {
    this.#root ??= mkdir(this.path, { recursive: true, mode: 0o700 }).then(() => realpath(this.path))
    return this.#root
  }

  /** The path of a file. @throws {HttpError} for an invalid name of a recording */
  async pathOf(name: string): Promise<string> {
    return join(await this.open(), recordingName(name))
  }

  /** The newest first. */
  async list(): Promise<StoredRecording[]> {
    const entries = await readdir(await this.open(), { withFileTypes: true })
    const names = entries
      .filter((entry) => entry.isFile() && isRecordingName(entry.name))
      .map(({ name }) => name)
    for (const name of this.#known.keys()) if (!names.includes(name)) this.#known.delete(name)
    const found: StoredRecording[] = []
    for (const name of names) {
      const stored = await this.find(name).catch(() => undefined) // it may be gone by now
      if (stored) found.push(stored)
    }
    return found.sort((a, b) => b.modified - a.modified)
  }

  /** @returns a promise, rejected with a {@link HttpError} where there is no such file */
  async find(name: string): Promise<StoredRecording> {
    const path = await this.pathOf(name)
    const stats = await lstat(path).catch(() => undefined)
    if (!stats?.isFile()) throw new HttpError(404, 'there is no such recording')
    const known = this.#known.get(name)
    if (known?.size === stats.size && known.modified === stats.mtimeMs) return known
    const stored = await read(name, path, stats)
    this.#known.set(name, stored)
    return stored
  }

  /** The file as it is, with ranges. */
  async respond(
    stored: StoredRecording,
    request: RequestLike,
    disposition: 'inline' | 'attachment',
  ): Promise<Response> {
    const { name, size, modified } = stored
    const path = await this.pathOf(name)
    const finished = { size, entityTag: `"${size.toString(36)}-${Math.round(modified * 1000).toString(36)}"` }
    const open = (range?: { start: number; end: number }) =>
      readFile(path, range?.start ?? 0, range?.end ?? size - 1)
    return respond({ name, type: 'audio/wav', disposition, finished, open }, request)
  }

  /** The samples from one frame up to another. */
  async samples({ name, format, dataStart }: StoredRecording, start: number, end: number): Promise<Readable> {
    const { bytesPerFrame } = format!
    return readFile(
      await this.pathOf(name),
      dataStart + start * bytesPerFrame,
      dataStart + end * bytesPerFrame - 1,
    )
  }

  /** Each file is read once for them. */
  async peaksOf(stored: StoredRecording): Promise<Peaks> {
    const { name, size, modified, format, frames } = stored
    const key = `${name}/${size}/${modified}`
    return this.#peaks.get(key, async () => Peaks.of(await this.samples(stored, 0, frames), format!))
  }
}

async function read(
  name: string,
  path: string,
  { size, mtimeMs: modified }: Stats,
): Promise<StoredRecording> {
  const file = await open(path, READ_FLAGS)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, HEADER_BYTES)), 0)
    const { header } = scanWavHeader(buffer.subarray(0, bytesRead))
    const { dataStart = size, dataBytes = 0, format } = header ?? {}
    const bytes = Math.min(dataBytes || size - dataStart, size - dataStart)
    const frames = format === undefined ? 0 : Math.floor(bytes / format.bytesPerFrame)
    return { name, size, modified, format, frames, dataStart }
  } finally {
    await file.close()
  }
}

/** @param end inclusive */
function readFile(path: string, start: number, end: number): Readable {
  if (end < start) return Readable.from([], { objectMode: false })
  return createReadStream(path, { flags: READ_FLAGS as unknown as string, start, end }) // Node takes them as a number, too
}
