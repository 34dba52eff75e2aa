// Builds dist: declarations by the compiler, code by a bundler, since an import costs a millisecond a file.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { build, transform } from 'esbuild'
import { watForEsbuild } from './wat.mjs'

/** What the command needs seldom, and then takes from the package: the path from its source, and that of what is built. */
const shared = new Map([
  ['/serve/index.ts', '../serve/index.js'],
  ['/codec/library.ts', '../codec/library.js'],
])
const sharedWithTheCommand = {
  name: 'shared with the command',
  setup(building) {
    building.onResolve({ filter: /\.ts$/ }, ({ path, importer }) => {
      const source = join(dirname(importer), path)
      const built = [...shared].find(([end]) => source.endsWith(`src${end}`))?.[1]
      return built && { path: built, external: true }
    })
  },
}

rmSync('dist', { recursive: true, force: true })

const options = {
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  plugins: [watForEsbuild],
  // Names stay, and lines stay short, so that a stack says where it was.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 120,
}
const entryPoints = ['', 'chain/', 'jetstream/', 'serve/', 'silero/', 'telephony/', 'testing/'].map(
  (folder) => `src/${folder}index.ts`,
)
await build({
  ...options,
  // those of the package, the script that a capture child runs, and what the command shares
  entryPoints: [...entryPoints, 'src/sources/capture/child.ts', 'src/codec/library.ts'],
  outdir: 'dist',
  outbase: 'src',
})
// The command is a bundle of its own: shared with it, the library would fall into more files, and import more slowly.
// Its stacks are nobody's but ours, so names may be short there.
await build({
  ...options,
  minifyIdentifiers: true,
  entryPoints: ['src/cli/index.ts'],
  outdir: 'dist/cli',
  plugins: [watForEsbuild, sharedWithTheCommand],
})
// So may those of what runs behind a door of its own: servers, a process that captures, the codecs.
for (const path of [
  'dist/serve/index.js',
  'dist/jetstream/index.js',
  'dist/sources/capture/child.js',
  'dist/codec/library.js',
]) {
  const { code } = await transform(readFileSync(path, 'utf8'), {
    minify: true,
    lineLimit: 120,
    charset: 'utf8',
  })
  writeFileSync(path, code)
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

// An import for the sake of nothing is the bundler's way to keep an order of evaluation, and none of our modules does
// anything when it is evaluated. A user's bundler would warn of each.
for (const name of readdirSync('dist', { recursive: true })) {
  if (!name.endsWith('.js')) continue
  const path = join('dist', name)
  const code = readFileSync(path, 'utf8')
  writeFileSync(path, code.replaceAll(/import"\.\.?\/[^"]+\.js";/g, ''))
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
for (const entry of entryPoints) follow(entry.replace(/^src/, 'dist').replace(/\.ts$/, '.d.ts'))
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
