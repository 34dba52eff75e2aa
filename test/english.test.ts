import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

/** Folders and files whose English is held to; to be extended to the whole of src, docs and examples. */
const rooms = [
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'README.md',
  'SECURITY.md',
  'bench',
  'docs/command.md',
  'docs/compressed.md',
  'docs/cookbook.md',
  'docs/errors.md',
  'docs/install.md',
  'docs/jetstream.md',
  'docs/microphone.md',
  'docs/recipes.md',
  'docs/reliability.md',
  'docs/scale.md',
  'docs/serve.md',
  'docs/stability.md',
  'docs/streams.md',
  'docs/virtual-file.md',
  'examples',
  'src/arguments.ts',
  'src/chain',
  'src/cli',
  'src/codec',
  'src/dsp',
  'src/emitting.ts',
  'src/errors.ts',
  'src/failOnceRead.ts',
  'src/format',
  'src/holdingWritable.ts',
  'src/http',
  'src/jetstream',
  'src/latest.ts',
  'src/neighbours.ts',
  'src/options.ts',
  'src/packageManager.ts',
  'src/realTimers.ts',
  'src/serve',
  'src/silero',
  'src/sinks',
  'src/sources',
  'src/storage',
  'src/streams',
  'src/telephony',
  'src/testing',
]

function filesOf(room: string): string[] {
  if (!statSync(join(root, room)).isDirectory()) return [room]
  return readdirSync(join(root, room), { encoding: 'utf8', recursive: true })
    .filter((name) => /\.(ts|js|mjs|cjs|md)$/.test(name))
    .map((name) => `${room}/${name}`)
}

/** The text of each comment; of lines with `//` that follow each other as one. */
function commentsOf(code: string): string[] {
  const found = code.matchAll(/\/\*[\s\S]*?\*\/|(?:(?<=^|\s)\/\/ .*(?:\n[ \t]*(?=\/\/ ))?)+/gm)
  return [...found].map(([comment]) =>
    comment.replace(/^[ \t]*(?:\/\*\*?|\*\/|\*(?!\/)|\/\/)[ \t]?|\*\/$/gm, '').trim(),
  )
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
  const parts = file.endsWith('.md') ? prosaOf(text) : commentsOf(text)
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
  ['a.md', '- One.\n- What is read is kept, and more.'],
  ['a.md', '| name | What is read is kept, and more. |'],
])('finds the fault in %s %j', (file, text) => {
  expect(faultsOf(file, text)).toHaveLength(1)
})

test.each([
  ['a.ts', "const url = 'https://what.example' // the address, which names whose turn it is"],
  ['a.ts', 'what() // a call'],
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
