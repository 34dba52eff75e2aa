// Packages that the benchmarks are held against and nothing else needs: in a folder of their own, at pinned versions.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const folder = fileURLToPath(new URL('../.cache/bench-peers/', import.meta.url))

/** Imports packages, given as `{ name: version }`, by their name or their entry point, and installs them if need be. */
export async function loadPeers(packages, entries = {}) {
  const names = Object.keys(packages)
  mkdirSync(folder, { recursive: true })
  if (names.some((name) => !existsSync(`${folder}/node_modules/${name}`))) {
    writeFileSync(`${folder}/package.json`, JSON.stringify({ private: true }))
    const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save', '--prefix', folder]
    const specs = names.map((name) => `${name}@${packages[name]}`)
    execFileSync('npm', ['install', ...options, ...specs], { stdio: ['ignore', 'ignore', 'inherit'] })
  }
  const { resolve } = createRequire(`${folder}/package.json`)
  const loaded = names.map(async (name) => {
    const exported = await import(pathToFileURL(resolve(entries[name] ?? name)))
    return [name, exported.default ?? exported]
  })
  return Object.fromEntries(await Promise.all(loaded))
}
