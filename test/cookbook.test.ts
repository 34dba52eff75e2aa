import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const cookbook = new URL('../docs/cookbook.md', import.meta.url)
const document = readFileSync(cookbook, 'utf8')
const manifest = JSON.parse(readFileSync(new URL('consumers/package.json', import.meta.url), 'utf8'))
const versions: Record<string, string> = manifest.dependencies

/** The rows of the table of libraries: name, anchor, version. */
const rows = [...document.matchAll(/^\| \[(.+?)\]\(#(.+?)\) \| ([\d.]+) \|/gm)].map((row) => row.slice(1))

test('the cookbook names the versions that its tests install', () => {
  expect(rows.length).toBeGreaterThanOrEqual(15)
  for (const [name, , version] of rows) {
    // vosk is represented by its types, which have the version of the package
    const proved = versions[name!] ?? versions[`@types/${name}`]
    expect(`${proved}.`, name).toContain(`${version}.`)
  }
})

test('every code block has a name, by which it is run, and every link leads somewhere', () => {
  const fences = [...document.matchAll(/^```(.*)$/gm)].map(([, info]) => info)
  const opening = fences.filter((_, i) => i % 2 === 0)
  for (const info of opening) expect(info).toMatch(/^ts [a-z-]+$/)
  expect(new Set(opening).size).toBe(opening.length)

  const headings = [...document.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!))
  for (const [, link] of document.matchAll(/\]\((?!https?:)(.+?)\)/g)) {
    if (link!.startsWith('#')) expect(headings).toContain(link!.slice(1))
    else expect(existsSync(new URL(link!.replace(/#.*/, ''), cookbook)), link).toBe(true)
  }
})

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')
}
