#!/usr/bin/env node
// The entry point imports next to nothing: `wavespool --version` must start as fast as node itself.
import { readFileSync } from 'node:fs'

const [name = '', ...args] = process.argv.slice(2)
if (name === '--version' || name === '-v') {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  console.log(manifest.version)
} else {
  const { main } = await import('./main.ts')
  process.exitCode = await main(name, args)
}
