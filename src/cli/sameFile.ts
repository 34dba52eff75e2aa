import { type BigIntStats, fstat } from 'node:fs'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { UsageError } from './command.ts'

/**
 * Refuses to write the input: compares the files themselves, by device and inode, so that links and redirections are
 * resolved.
 *
 * @param output the path of the output, `-` for stdout
 * @param input the path of the input, `-` for stdin
 * @returns a promise, rejected with a {@link UsageError} where both are one file
 */
export async function refuseSameFile(output: string, input: string): Promise<void> {
  const [written, read] = await Promise.all([statsOf(output, 1), statsOf(input, 0)])
  // A terminal or a device may be both.
  if (!written?.isFile() || !read?.isFile()) return
  if (written.ino !== read.ino || written.dev !== read.dev) return
  const [to, from] = [output === '-' ? 'stdout' : output, input === '-' ? 'stdin' : input]
  throw new UsageError(`${to} is the input${to === from ? '' : ` (${from})`}; name another file to write`)
}

async function statsOf(path: string, descriptor: number): Promise<BigIntStats | undefined> {
  try {
    // Windows' inodes do not fit into a number
    return await (path === '-'
      ? promisify(fstat)(descriptor, { bigint: true })
      : stat(path, { bigint: true }))
  } catch {
    return undefined
  }
}
