import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

/** The folders and files whose English is checked. */
const rooms = [
  ...['src', 'docs', 'examples', 'bench', 'test', 'reference', '.ci'],
  ...readdirSync(root).filter((name) => /\.m(?:d|js)$/.test(name)),
]

/** Generated from the docblocks of src, installed, or the examples of this file. */
const excluded = /^docs\/api$|(?:^|\/)node_modules$|^test\/english\.test\.ts$/

/** Not `recursive`: installed packages link back to this folder. */
function filesOf(path: string): string[] {
  if (excluded.test(path)) return []
  if (!statSync(join(root, path)).isDirectory()) return /\.(ts|js|mjs|cjs|md)$/.test(path) ? [path] : []
  return readdirSync(join(root, path)).flatMap((name) => filesOf(`${path}/${name}`))
}

/** The text of each comment; of lines with `//` that follow each other as one. */
function commentsOf(code: string): string[] {
  const found = code.matchAll(/\/\*[\s\S]*?\*\/|(?:(?<=^|\s)\/\/ .*(?:\n[ \t]*(?=\/\/ ))?)+/gm)
  return [...found].map(([comment]) =>
    comment.replace(/^[ \t]*(?:\/\*\*?|\*\/|\*(?!\/)|\/\/)[ \t]?|\*\/$/gm, '').trim(),
  )
}

/** The names of tests and groups: the first argument of `test`, of `describe`, and of the call behind `each(…)`. */
function namesOf(code: string): string[] {
  const found = code.matchAll(
    /(?:\b(?:test|it|describe)(?:\.\w+)*|\))\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1\s*,/g,
  )
  return [...found].flatMap(([, , name]) => name!.split(/[:;] /))
}

/** The paragraphs, list items and longer cells of a document, without its headings and code. */
function prosaOf(text: string): string[] {
  return text
    .replace(/^ *```[\s\S]*?^ *```/gm, '\n\n')
    .replace(/^#.*$/gm, '\n')
    .split(/\n\s*\n|\n *(?:[-*]|\d+\.) +|\||\n>/)
    .filter((part) => part.trim().split(' ').length > 3)
}

const sentencesOf = (text: string) =>
  text
    .split(/\n\s*\n|\n(?=@)|(?<=[.!?:][)'"`]*)\s+(?=[A-Z`{'"[(])/)
    .map((sentence) => sentence.replace(/\s+/g, ' ').trim())

const openings = /^(?:What|Whatever|Whoever|Who|Somebody|Nobody|Someone|Whose)\b(?!.*\?$)/i
const banned = /\b(?:whoever|somebody|someone|nobody|anybody|whatever(?! the\b))\b/i

function faultsOf(file: string, text: string): string[] {
  const parts = file.endsWith('.md') ? prosaOf(text) : [...commentsOf(text), ...namesOf(text)]
  return parts
    .flatMap(sentencesOf)
    .filter((sentence) => openings.test(sentence) || banned.test(sentence))
    .map((sentence) => `${file}: ${sentence}`)
}

test('sentences have a noun as their subject', () => {
  const faults = rooms
    .flatMap(filesOf)
    .flatMap((file) => faultsOf(file, readFileSync(join(root, file), 'utf8')))
  expect(faults).toEqual([])
})

test.each([
  ['a.ts', '/** What comes out. */'],
  ['a.ts', '/**\n * Reads.\n * Whoever reads it pays.\n */'],
  ['a.ts', 'call() // who reads it pays'],
  ['a.ts', '// All of it is read. What is read\n// is kept.'],
  ['a.ts', '/** @internal */ // it has nobody to tell'],
  ['a.ts', "test('what is read is kept', () => {})"],
  ['a.ts', "test('a file: what is kept', () => {})"],
  ['a.ts', "test.concurrent('it keeps bytes that nobody reads', async () => {})"],
  ['a.ts', 'describe.skipIf(isWindows)(`what is kept`, () => {})'],
  ['a.ts', "test.each([[1], [2]])(\n  'who reads %s bytes pays',\n  () => {},\n)"],
  ['a.md', '- One.\n- What is read is kept, and more.'],
  ['a.md', '| name | What is read is kept, and more. |'],
])('finds the fault in %s %j', (file, text) => {
  expect(faultsOf(file, text)).toHaveLength(1)
})

test.each([
  ['a.ts', "const url = 'https://what.example' // the address, which names whose turn it is"],
  ['a.ts', 'what() // a call'],
  ['a.ts', "test('reads what it wrote', () => {})"],
  ['a.ts', "call('what is kept', 1)"],
  ['a.md', '## What it does with files\n\nWhat is a frame? One sample of each channel.'],
  ['a.md', '```js\n// What is in a block of code is code\n```'],
])('finds no fault in %s %j', (file, text) => {
  expect(faultsOf(file, text)).toEqual([])
})

// The packed project has no history.
if (existsSync(join(root, '.git'))) {
  test('subjects of commits have at most 72 characters', () => {
    const since = '--since=2026-11-26' // the rule is younger than the first commits
    const subjects = execFileSync('git', ['log', since, '--no-merges', '--format=%s'], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(subjects.split('\n').filter((subject) => subject.length > 72)).toEqual([])
  })
}
