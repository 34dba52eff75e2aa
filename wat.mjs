// Modules in WebAssembly's text format become bytes: a plugin for Rolldown, which builds dist, and for Vite, which runs
// the tests on src.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import openWabt from 'wabt'

/** @param {string} path */
async function assemble(path) {
  const wabt = await openWabt()
  const module = wabt.parseWat(basename(path), readFileSync(path, 'utf8'))
  try {
    return module.toBinary({}).buffer
  } finally {
    module.destroy()
  }
}

/** @type {import('vitest/config').Plugin & import('rolldown').Plugin} */
export const wat = {
  name: 'wat',
  enforce: 'pre',
  async load(/** @type {string} */ id) {
    if (!id.endsWith('.wat')) return
    return `export default new Uint8Array([${await assemble(id)}])`
  },
}
