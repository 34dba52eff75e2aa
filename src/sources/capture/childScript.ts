import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { WavespoolError } from '../../errors.ts'

/**
 * The file that the capture child runs. It lies beside this one, unless a bundler has put this code somewhere else:
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

function besides(self: string | undefined): string[] {
  if (self === undefined) return []
  // From the sources, as in this project's tests, what runs is the build: Node 20 starts no TypeScript.
  const beside = self.endsWith('.ts') ? '../../../dist/sources/capture/child.js' : './child.js'
  return [fileURLToPath(new URL(beside, self))]
}

function installed(self: string | undefined): string[] {
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
