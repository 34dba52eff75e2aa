import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const folder = import.meta.dirname
const stamp = join(folder, 'node_modules', '.of-lock')

/**
 * The packages of the consumers, at the versions of their lock, beside these tests: installed under CI and where
 * WAVESPOOL_CONSUMERS is set, else only taken where they are there already.
 *
 * @returns why they are not there; undefined where they are
 */
export async function whyNoConsumers(): Promise<string | undefined> {
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return undefined
  if (!process.env.CI && !process.env.WAVESPOOL_CONSUMERS) {
    return 'the speech-to-text clients are not installed here: set WAVESPOOL_CONSUMERS=1 (800 MB)'
  }
  // Nothing is compiled or downloaded beside the packages themselves.
  await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder })
  symlinkSync(join('..', '..', '..'), join(folder, 'node_modules', 'wavespool'), 'dir')
  writeFileSync(stamp, lock)
  return undefined
}
