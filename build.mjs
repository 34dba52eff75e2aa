// Builds dist: declarations by the compiler, code by a bundler, since an import costs a millisecond a file.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { watForEsbuild } from './wat.mjs'

rmSync('dist', { recursive: true, force: true })

const options = {
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  plugins: [watForEsbuild],
}
await build({
  ...options,
  // the entry points of the package, and the script that a capture child runs
  entryPoints: [
    'src/index.ts',
    'src/chain/index.ts',
    'src/jetstream/index.ts',
    'src/telephony/index.ts',
    'src/testing/index.ts',
    'src/sources/capture/child.ts',
  ],
  outdir: 'dist',
  outbase: 'src',
})
// The command is a bundle of its own: shared with it, the library would fall into more files, and import more slowly.
await build({ ...options, entryPoints: ['src/cli/index.ts'], outdir: 'dist/cli', minifyWhitespace: true })

const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
const tsc = join(dirname(manifest), JSON.parse(readFileSync(manifest, 'utf8')).bin.tsc)
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
process.exitCode = status ?? 1
