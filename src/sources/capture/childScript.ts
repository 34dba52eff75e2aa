import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { WavespoolError } from '../../errors.ts'

/**
 * The file that the capture child runs. It lies where the build put it, unless a bundler has moved this code:
 * then it is found where the package is installed.
 *
 * @throws {WavespoolError} `ERR_WAVESPOOL_CAPTURE` when it is nowhere
 */
export function childScript(): string {
  const candidates = [...besides(import.meta.url), ...installed(import.meta.url)]
  const found = candidates.find((file) => existsSync(file))
  if (found !== undefined) return found
  throw new WavespoolError(
    'ERR_WAVESPOOL_CAPTURE',
    `the capture child's script is missing (${candidates.join(', ')}). A bundler that takes Wavespool apart leaves it behind: keep the package out of the bundle (esbuild --external:wavespool) and install it beside`,
  )
}

/** Beside the sources, beside the files that the build made of them, or (from the sources) in the build. */
function besides(self: string | undefined): string[] {
  if (self === undefined) return []
  // From the sources, as in this project's tests, what runs is the build: Node 20 starts no TypeScript.
  const places = self.endsWith('.ts')
    ? ['../../../dist/sources/capture/child.js']
    : ['./sources/capture/child.js', '../sources/capture/child.js']
  return places.map((place) => fileURLToPath(new URL(place, self)))
}

function installed(self: string | undefined): string[] {
  const { createRequire } = process.getBuiltinModule('node:module')
  const bases = [self, pathToFileURL(join(process.cwd(), 'index.js')).href]
  return bases.flatMap((base) => {
    try {
      const manifest = createRequire(base!).resolve('wavespool/package.json')
      return [join(manifest, '..', 'dist', 'sources', 'capture', 'child.js')]
    } catch {
      return []
    }
  })
}
