// Packages that the benchmarks are held against and nothing else needs: in a folder of their own, at pinned versions.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../.cache/bench-peers/', import.meta.url))

/** Loads packages, given as `{ name: version }`, after installing them where they are not there yet. */
export async function loadPeers(packages) {
  mkdirSync(folder, { recursive: true })
  const missing = Object.entries(packages).filter(([name]) => !existsSync(`${folder}/node_modules/${name}`))
  if (missing.length > 0) {
    writeFileSync(`${folder}/package.json`, JSON.stringify({ private: true }))
    const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save', '--prefix', folder]
    const specs = Object.entries(packages).map(([name, version]) => `${name}@${version}`)
    execFileSync('npm', ['install', ...options, ...specs], { stdio: ['ignore', 'ignore', 'inherit'] })
  }
  const require = createRequire(`${folder}/package.json`)
  return Object.fromEntries(Object.keys(packages).map((name) => [name, require(name)]))
}
