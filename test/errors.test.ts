import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const filesOf = (folder: string, ending: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
const codesIn = (text: string) => new Set(text.match(/ERR_WAVESPOOL_[A-Z]+(_[A-Z]+)*/g))

const declared = codesIn(read('src/errors.ts'))

test('docs/errors.md has a row for every code, and for no other', () => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `(ERR_WAVESPOOL_\w+)` \| .+ \| .+ \|$/gm)].map(
    ([, code]) => code,
  )
  expect(rows.toSorted()).toEqual([...declared].toSorted())
})

test('every code is raised somewhere, and every code that is named exists', () => {
  const sources = filesOf('src', '.ts').filter((path) => path !== join('src', 'errors.ts'))
  const raised = codesIn(
    sources.map((path) => read(path).replaceAll(/^ *(\/\*\*|\*|\/\/).*$/gm, '')).join('\n'),
  )
  const thrownByClass = ['ERR_WAVESPOOL_ARG_TYPE', 'ERR_WAVESPOOL_ARG_RANGE']
  expect([...new Set([...raised, ...thrownByClass])].toSorted()).toEqual([...declared].toSorted())
  const texts = [...sources, ...filesOf('docs', '.md'), ...filesOf('examples', '.mjs'), 'README.md']
  const named = codesIn(texts.map(read).join('\n'))
  expect([...named].filter((code) => !declared.has(code))).toEqual([])
})
