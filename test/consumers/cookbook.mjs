// The code of the cookbook, taken from the document itself.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { transformSync } from 'esbuild'

const document = readFileSync(new URL('../../docs/cookbook.md', import.meta.url), 'utf8')

/** Every block by its name, which stands behind the language. @type {Map<string, string>} */
export const blocks = new Map(
  [...document.matchAll(/^```ts (\S+)\n(.*?)^```$/gms)].map(([, name, code]) => [name ?? '', code ?? '']),
)

/** @typedef {(scope: { memo: import('wavespool').VirtualFile, service?: unknown }) => Promise<unknown>} Recipe */

/** @type {Map<string, Promise<Recipe>>} */
const recipes = new Map()

/**
 * A block as a function of the recording and of the service that replaces the real one.
 *
 * @param {string} name
 * @param {[string, string][]} replacements text of the block, and its replacement: the address of the service
 * @param {string} [result] the variable that it ends with
 * @returns {Promise<Recipe>}
 */
export async function load(name, replacements, result = 'text') {
  const recipe = recipes.get(name) ?? importBlock(name, replacements, result)
  recipes.set(name, recipe)
  return recipe
}

/** @param {string} name @param {[string, string][]} replacements @param {string} result @returns {Promise<Recipe>} */
async function importBlock(name, replacements, result) {
  let code = blocks.get(name)
  if (code === undefined) throw new Error(`the cookbook has no block ${name}`)
  for (const [said, instead] of replacements) {
    if (!code.includes(said)) throw new Error(`the block ${name} does not say ${said}`)
    code = code.replace(said, () => instead)
  }
  const { code: script } = transformSync(code, {
    loader: 'ts',
    target: 'node20',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  })
  const isImport = (/** @type {string} */ line) => line.startsWith('import ')
  const lines = script.split('\n')
  const recipe = [
    ...lines.filter(isImport),
    'export default async ({ memo, service }) => {',
    ...lines.filter((line) => !isImport(line)),
    `return typeof ${result} === 'undefined' ? undefined : ${result}`,
    '}',
  ]
  // beside the packages that it imports
  const path = join(import.meta.dirname, '.cache', process.version, `${name}.mjs`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, recipe.join('\n'))
  return (await import(pathToFileURL(path).href)).default
}

/** The same blocks as modules for the compiler, as they stand. @returns {string} the folder */
export function writeForCompiler() {
  const folder = join(import.meta.dirname, '.cache', 'types')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [name, code] of blocks) {
    writeFileSync(
      join(folder, `${name}.ts`),
      `import type { VirtualFile } from 'wavespool'\ndeclare const memo: VirtualFile\n${code}\nexport {}\n`,
    )
  }
  return folder
}
