// Writes the reference, docs/api, and the reports of the public surface, api, from the built declarations; `--check` fails
// where they differ from those in git. A warning, or a gap in the docblocks, fails it as well.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { entryPoints, extract } from './reference/extract.mjs'
import { gaps } from './reference/gate.mjs'
import { anchorsOf, page } from './reference/page.mjs'

const isCheck = process.argv.includes('--check')
const cache = join(import.meta.dirname, '.cache', 'reference')
const pages = join(import.meta.dirname, 'docs', 'api')
const reports = join(import.meta.dirname, 'api')
const written = isCheck ? join(cache, 'api') : reports
rmSync(written, { recursive: true, force: true })

const warnings = new Set()
const all = new Map()
const exportedBy = new Map()
for (const name of entryPoints) {
  const { members, warnings: found } = extract(name, written)
  for (const warning of found) warnings.add(warning)
  exportedBy.set(
    name,
    members.filter(({ canonicalReference }) => !canonicalReference.includes('!~')),
  )
  for (const member of members) if (!all.has(member.name)) all.set(member.name, member)
}
const exportedNames = new Set([...exportedBy.values()].flatMap((items) => items.map((item) => item.name)))
/** Where a name can be looked up: on its own page, or on that which comes first. */
const anchors = new Map([...exportedBy].map(([name, exported]) => [name, anchorsOf(exported)]))
const texts = new Map()
for (const [name, exported] of exportedBy) {
  const linkOf = (target) => {
    const [symbol] = target.split('.')
    for (const other of [name, ...entryPoints]) {
      const anchor = anchors.get(other).get(symbol)
      if (anchor) return `${other === name ? '' : `${other}.md`}#${anchor}`
    }
  }
  const elsewhere = (item) => {
    if (name === 'index') return undefined
    const same = exportedBy.get('index').find((each) => each.name === item.name)
    return same?.fileUrlPath === item.fileUrlPath
      ? `index.md#${anchors.get('index').get(item.name)}`
      : undefined
  }
  const title = name === 'index' ? 'wavespool' : `wavespool/${name}`
  texts.set(`${name}.md`, page({ title, exported, all, names: exportedNames }, linkOf, elsewhere))
  for (const gap of gaps(exported, all, exportedNames)) warnings.add(`${title}: ${gap}`)
}

const faults = [...warnings]
if (isCheck) {
  for (const name of entryPoints)
    compare(join(reports, `${name}.api.md`), read(join(written, `${name}.api.md`)))
  for (const [name, text] of texts) compare(join(pages, name), text)
} else {
  rmSync(pages, { recursive: true, force: true })
  mkdirSync(pages, { recursive: true })
  for (const [name, text] of texts) writeFileSync(join(pages, name), text)
}
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exitCode = 1

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

function compare(path, text) {
  if (read(path) !== text)
    faults.push(`${path} is not what \`npm run docs\` writes: run it, look at the change, commit it`)
}
