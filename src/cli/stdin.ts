import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { WavespoolError } from '../errors.ts'
import { MARK_BYTES } from '../format/containers.ts'
import { readWavHeader } from '../format/readWavHeader.ts'
import { makeDirectory, nameDirectory, removeDirectory } from '../storage/ownDirectory.ts'
import { UsageError } from './command.ts'
import { compressedContainer } from './firstBytes.ts'
import { foreignInput } from './foreignInput.ts'
import { removeOnExit } from './unfinished.ts'

/** No header in use is longer. */
const MAX_HEADER_BYTES = 2 ** 20

/** @throws {UsageError} where stdin is a terminal */
export function pipedStdin(): Readable {
  if (process.stdin.isTTY) {
    throw new UsageError('- reads from stdin, which is a terminal: pipe something into it')
  }
  return process.stdin
}

/**
 * Calls `use` with the path of a private copy of the bytes from a pipe, and removes the copy afterwards.
 *
 * @returns a promise, rejected before anything is copied where the first bytes are no audio file: a pipe may never end
 */
export async function withStdinCopy<T>(stdin: Readable, use: (path: string) => Promise<T>): Promise<T> {
  const folder = nameDirectory('copy')
  await makeDirectory(folder)
  const letGo = removeOnExit(folder)
  try {
    const path = join(folder, 'stdin')
    await pipeline(stdin, onlyAudio, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
    return await use(path)
  } finally {
    await removeDirectory(folder)
    letGo()
  }
}

async function* onlyAudio(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head = Buffer.alloc(0)
  let isKnown = false
  for await (const chunk of chunks) {
    if (isKnown) {
      yield chunk
      continue
    }
    head = Buffer.concat([head, chunk])
    if (head.length < MARK_BYTES) continue
    isKnown = isAudio(head) || head.length > MAX_HEADER_BYTES
    if (isKnown) yield head
  }
  if (isKnown) return
  isAudio(head)
  yield head
}

/**
 * @returns false while the header is incomplete
 * @throws {WavespoolError} where it is no audio file
 */
function isAudio(head: Uint8Array): boolean {
  try {
    return readWavHeader(head) !== undefined
  } catch (error) {
    if (compressedContainer(head) !== undefined) return true
    const message = foreignInput(head, 'stdin') ?? `stdin: ${(error as Error).message}`
    throw new WavespoolError('ERR_WAVESPOOL_WAV', message, { cause: error })
  }
}
