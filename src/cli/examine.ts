import { type FileHandle, open } from 'node:fs/promises'
import { WavespoolError } from '../errors.ts'
import { diagnoseWav, type WavDiagnosis } from '../format/diagnoseWav.ts'
import { readWavHeader, type WavHeader } from '../format/readWavHeader.ts'
import { endOfData } from '../format/wavLength.ts'
import { pipedStdin } from './input.ts'
import { withStdinCopy } from './stdinCopy.ts'

/** A WAV file on a disk: what its header says, and what is there. */
export interface Examination {
  path: string
  /** bytes */
  size: number
  header: WavHeader
  diagnosis: WavDiagnosis
}

/** More than this in front of the samples is not read: no header that anybody writes is longer. */
const MAX_HEADER_BYTES = 2 ** 20

/** @returns a promise, rejected when it cannot be read or is no WAV file */
export async function examine(path: string): Promise<Examination> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const head = await readAt(file, 0, MAX_HEADER_BYTES)
    const header = headerOf(head, path)
    const behind = await readAt(file, endOfData(header), 8)
    return { path, size, header, diagnosis: diagnoseWav(header, head, size, behind) }
  } catch (error) {
    throw Object.assign(error as Error, { path })
  } finally {
    await file.close()
  }
}

function headerOf(head: Uint8Array, path: string): WavHeader {
  try {
    const header = readWavHeader(head)
    if (header) return header
  } catch (error) {
    throw new WavespoolError('ERR_WAVESPOOL_WAV', `${path}: ${(error as Error).message}`, { cause: error })
  }
  throw new WavespoolError('ERR_WAVESPOOL_WAV', `${path}: this WAV file ends before its samples begin`)
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/** Calls `use` with a path that can be read anywhere: `-` becomes a private copy of what comes from stdin. */
export async function withFile<T>(path: string, use: (path: string) => Promise<T>): Promise<T> {
  if (path !== '-') return use(path)
  return withStdinCopy(pipedStdin(), use)
}
