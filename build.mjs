// Builds dist: declarations by the compiler, code by a bundler, since an import costs a millisecond a file.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { transform } from 'esbuild'
import { build } from 'rolldown'
import { wat } from './wat.mjs'

rmSync('dist', { recursive: true, force: true })

const entryPoints = ['', 'chain/', 'jetstream/', 'serve/', 'silero/', 'telephony/', 'testing/'].map(
  (folder) => `${folder}index`,
)
await bundle(
  // the entry points of the package, the command, and the codecs, which the first stage that needs them loads
  [...entryPoints, 'cli/index', 'codec/library'],
  // Modules that two of them share lie in one file for the library, one for the command, and one for the server.
  [
    { name: 'core', test: /src\/(?!cli\/|serve\/)/, minShareCount: 2, priority: 3 },
    { name: 'cli/shared', test: /src\/cli\//, minShareCount: 2, priority: 2 },
    { name: 'serve/server', test: /src\/serve\//, minShareCount: 2, priority: 1 },
  ],
)
// A capture process starts sooner without the rest of the library.
await bundle(['sources/capture/child'], [])

/**
 * @param {string[]} entries paths in src, without the extension
 * @param {import('rolldown').CodeSplittingGroup[]} groups
 */
async function bundle(entries, groups) {
  const { output } = await build({
    input: Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`])),
    external: /^[^./]/,
    platform: 'node',
    plugins: [wat],
    // No module has an effect when it is evaluated.
    treeshake: { moduleSideEffects: false },
    output: {
      dir: 'dist',
      // A module that is loaded when it is needed lies where its source lies.
      chunkFileNames: ({ name, facadeModuleId }) =>
        facadeModuleId ? relative('src', facadeModuleId).replace(/\.ts$/, '.js') : `${name}.js`,
      codeSplitting: { groups },
      minifyInternalExports: false,
    },
  })
  for (const { fileName, code } of output) {
    const small = await transform(code, {
      target: 'node20.19',
      // Names stay, and lines stay short, so that a stack shows where it was; behind the entry points of processes and
      // servers of our own the names are short too.
      minifyWhitespace: true,
      minifySyntax: true,
      minifyIdentifiers: /^(cli|codec|jetstream|serve|sources)\//.test(fileName),
      lineLimit: 120,
      charset: 'utf8',
    })
    writeFileSync(join('dist', fileName), small.code)
  }
}

// The page is for browsers, and its files stay what they are: only smaller.
mkdirSync('dist/serve/page')
for (const name of readdirSync('src/serve/page')) {
  const [, loader] = /\.(js|css|html|svg)$/.exec(name) ?? []
  if (loader === undefined) continue
  const text = readFileSync(join('src/serve/page', name), 'utf8')
  const small =
    loader === 'js' || loader === 'css'
      ? (await transform(text, { loader, minify: true, charset: 'utf8' })).code
      : text.replace(/\n\s*/g, '\n')
  writeFileSync(join('dist/serve/page', name), small)
}

const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
const tsc = join(dirname(manifest), JSON.parse(readFileSync(manifest, 'utf8')).bin.tsc)
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
process.exitCode = status ?? 1

// Which buffer lies under an array TypeScript tells since 5.7. Named by what returns them, they are the same types there,
// and the plain ones before.
const returnedBy = { Buffer: "BufferConstructor['alloc']" }
const generic = /\b(Buffer|\w+Array)<ArrayBuffer(Like)?>/g

// Only what the types of an entry point are made of is a user's business.
const needed = new Set()
for (const entry of entryPoints) follow(`dist/${entry}.d.ts`)
for (const name of readdirSync('dist', { recursive: true })) {
  const path = join('dist', name)
  if (!path.endsWith('.d.ts')) continue
  if (!needed.has(path)) {
    rmSync(path)
    continue
  }
  const text = readFileSync(path, 'utf8')
  const older = text.replace(generic, (_, type, isAny) =>
    isAny ? type : `ReturnType<${returnedBy[type] ?? `${type}Constructor['of']`}>`,
  )
  if (older !== text) writeFileSync(path, older)
}

/** Notes a declaration, and those that it imports. */
function follow(path) {
  if (needed.has(path)) return
  needed.add(path)
  for (const [, name] of readFileSync(path, 'utf8').matchAll(/(?:from|import)\s*\(?'(\.[^']+)\.ts'/g)) {
    follow(join(dirname(path), `${name}.d.ts`))
  }
}
