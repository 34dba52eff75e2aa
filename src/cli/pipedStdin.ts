import type { Readable } from 'node:stream'
import { UsageError } from './command.ts'

/** @throws {UsageError} where stdin is a terminal */
export function pipedStdin(): Readable {
  if (process.stdin.isTTY) {
    throw new UsageError('- reads from stdin, which is a terminal: pipe something into it')
  }
  return process.stdin
}
