// Modules in WebAssembly's text format become bytes: a plugin for esbuild, which builds dist, and one for Vite, which
// runs the tests on src.
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

/** @type {import('esbuild').Plugin} */
export const watForEsbuild = {
  name: 'wat',
  setup(build) {
    build.onLoad({ filter: /\.wat$/ }, async ({ path }) => ({
      contents: await assemble(path),
      loader: 'binary',
      watchFiles: [path],
    }))
  },
}

/** @type {import('vitest/config').Plugin} */
export const watForVite = {
  name: 'wat',
  enforce: 'pre',
  async load(id) {
    if (!id.endsWith('.wat')) return
    return `export default new Uint8Array([${await assemble(id)}])`
  },
}
