import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'

/**
 * The packages that a folder of tests wants beside it, at the versions of its lock, with this package among them:
 * installed under CI and where WAVESPOOL_CONSUMERS is set, else only taken where they are there already.
 *
 * @returns why they are not there; undefined where they are
 */
export async function whyNotInstalled(folder: string, what: string): Promise<string | undefined> {
  const stamp = join(folder, 'node_modules', '.of-lock')
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return undefined
  if (!process.env.CI && !process.env.WAVESPOOL_CONSUMERS) {
    return `${what} are not installed here: set WAVESPOOL_CONSUMERS=1`
  }
  // Nothing is compiled or downloaded beside the packages themselves.
  await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder })
  const modules = join(folder, 'node_modules')
  symlinkSync(relative(modules, join(import.meta.dirname, '..')), join(modules, 'wavespool'), 'dir')
  writeFileSync(stamp, lock)
  return undefined
}
