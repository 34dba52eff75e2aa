import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { WavespoolError } from '../../../errors.ts'
import { ownPath } from '../../../ownPath.ts'
import { requirePermission } from '../permission.ts'

/**
 * The file that the capture child runs. It lies where the build put it. Where a bundler has moved this code, the file
 * is taken from the package installed beside the bundle, or above it, as `import` would find it. The working directory
 * is never looked at: a program may be started in a folder that belongs to another user.
 *
 * @throws {WavespoolError} `ERR_WAVESPOOL_CAPTURE` when the file is missing, or the permission model hides it
 */
export function childScript(): string {
  const self = ownPath()
  const candidates = self === undefined ? [] : [...besides(self), ...installed(self)]
  const found = candidates.find(isThere)
  if (found !== undefined) return found
  if (candidates.length > 0) requirePermission('fs.read', candidates[0]!)
  throw new WavespoolError(
    'ERR_WAVESPOOL_CAPTURE',
    `the capture child's script is missing (${candidates.join(', ')}). A bundler that takes Wavespool apart leaves it behind: keep the package out of the bundle (esbuild --external:wavespool) and install it beside`,
  )
}

/** Beside the sources, beside the files that the build made of them, or (from the sources) in the build. */
function besides(self: string): string[] {
  // The tests run the sources but start the build as the child: Node 20 starts no TypeScript.
  const places = self.endsWith('.ts')
    ? ['../dist/sources/capture/child.js']
    : ['./sources/capture/child.js', '../sources/capture/child.js']
  return places.map((place) => fileURLToPath(new URL(place, pathToFileURL(self))))
}

/** In the `node_modules` of the code's own folder and of those above it. */
function installed(self: string): string[] {
  const places: string[] = []
  for (let folder = dirname(self), last = ''; folder !== last; folder = dirname(folder)) {
    places.push(join(folder, 'node_modules', 'wavespool', 'dist', 'sources', 'capture', 'child.js'))
    last = folder
  }
  return places
}

function isThere(file: string): boolean {
  try {
    return existsSync(file)
  } catch {
    return false // Node 20's permission model throws
  }
}
