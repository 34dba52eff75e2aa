import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { WavespoolError } from '../errors.ts'
import { ownPath } from '../ownPath.ts'
import { adding, findPackageManager } from '../packageManager.ts'

/**
 * Loads an optional peer dependency with `load`.
 *
 * @returns a promise, rejected with a {@link WavespoolError} `ERR_WAVESPOOL_CODEC` that names the command which
 * installs the package, where it is missing
 */
export async function loadPeer<T>(name: string, what: string, load: () => T | Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
    throw new WavespoolError(
      'ERR_WAVESPOOL_CODEC',
      isMissing
        ? `${what} needs the package ${name}: ${remedyFor(name)}`
        : `${what}: the package ${name} cannot be loaded: ${message}`,
      { cause: error },
    )
  }
}

/** `npx` runs what is not installed in a folder of its own, which it makes of the packages that it is given. */
function remedyFor(name: string): string {
  const here = dirname(ownPath() ?? '')
  if (/[\\/]_npx[\\/]/.test(here)) return `npx -p wavespool -p ${name} wavespool …`
  return `${adding[findPackageManager(here)]} ${name}`
}

/** Loads a package that is CommonJS, or whose ES module build cannot be had. */
export function requirePeer(name: string): unknown {
  return createRequire(ownPath()!)(name)
}
