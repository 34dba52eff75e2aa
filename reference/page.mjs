// One entry point as a page of Markdown.
import { markdown } from './docblock.mjs'
import {
  defaultOf,
  isDocumentedElsewhere,
  isOptions,
  publicMembers,
  signature,
  unexportedIn,
} from './model.mjs'

const sections = [
  ['Functions', ['Function']],
  ['Classes', ['Class']],
  ['Types and values', ['Interface', 'TypeAlias', 'Variable']],
]

/** The anchor that GitHub gives each heading of a page, in the order of the page. */
export function anchorsOf(exported) {
  const used = new Map()
  const anchors = new Map()
  for (const [title, kinds] of sections) {
    slug(title)
    for (const name of namesOf(exported, kinds)) if (!anchors.has(name)) anchors.set(name, slug(name))
  }
  return anchors
  function slug(heading) {
    const plain = heading.toLowerCase().replaceAll(' ', '-')
    const seen = used.get(plain) ?? 0
    used.set(plain, seen + 1)
    return seen === 0 ? plain : `${plain}-${seen}`
  }
}

const namesOf = (exported, kinds) => [
  ...new Set(exported.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name)),
]

/**
 * @param {{ name: string, title: string, exported: object[], all: Map<string, object>, names: Set<string> }} entry
 * @param {(target: string) => string | undefined} linkOf
 * @param {(item: object) => string | undefined} elsewhere the page that documents the same declaration
 */
export function page({ title, exported, all, names }, linkOf, elsewhere) {
  const lines = [
    `# ${title}`,
    '',
    '<!-- Written by `npm run docs` from the docblocks of the sources. -->',
    '',
  ]
  for (const [heading, kinds] of sections) {
    const symbols = namesOf(exported, kinds)
    if (symbols.length === 0) continue
    lines.push(`## ${heading}`, '')
    for (const name of symbols) {
      lines.push(`### ${name}`, '')
      const items = exported.filter((item) => item.name === name && kinds.includes(item.kind))
      const link = elsewhere(items[0])
      if (link) {
        lines.push(`The same as [\`wavespool\`'s](${link}).`, '')
        continue
      }
      for (const item of items) lines.push(...entryOf(item, all, names, linkOf))
    }
  }
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`
}

function entryOf(item, all, names, linkOf) {
  const { declaration, events } = signature(item, all)
  const made = unexportedIn(item)
    .map((name) => all.get(name))
    .filter((each) => each && ['TypeAlias', 'Variable'].includes(each.kind) && !each.name.endsWith('_base'))
    .map((each) => signature(each, all).declaration)
  const code = [declaration, ...made].join('\n')
  const isPlain = code === `interface ${item.name}`
  const lines = [...(isPlain ? [] : ['```ts', code, '```', '']), markdown(item.docComment, linkOf), '']
  for (const event of events) lines.push(...listed(eventOf(event), event, linkOf))
  if (isOptions(item)) lines.push(...tableOf(publicMembers(item, all, names), linkOf), '')
  else
    for (const member of publicMembers(item, all, names)) {
      if (!member.docComment && isDocumentedElsewhere(member, item, all)) continue
      lines.push(...listed(signature(member, all).declaration, member, linkOf))
    }
  lines.push('')
  return lines
}

function tableOf(options, linkOf) {
  const rows = options.map((option) => {
    const [, name, optional, type] = /^(?:readonly )?(\w+)(\??): (.*)$/s.exec(
      signature(option, new Map()).declaration,
    )
    const { value, rest } = (optional && defaultOf(markdown(option.docComment, linkOf))) || {
      value: optional ? '' : 'required',
      rest: markdown(option.docComment, linkOf),
    }
    const shown = type.replace(/ \| undefined$/, '').replaceAll('|', '\\|')
    return `| \`${name}\` | \`${shown}\` | ${value} | ${rest.replace(/\s*\n\s*/g, ' ')} |`
  })
  return ['| option | type | default | |', '| --- | --- | --- | --- |', ...rows]
}

function eventOf({ name, excerptTokens }) {
  const [, told = ''] = /: \[(.*)\]/s.exec(excerptTokens.map(({ text }) => text).join('')) ?? []
  return `on('${name}', (${told}) => …)`
}

function listed(code, member, linkOf) {
  const text = markdown(member.docComment, linkOf)
  const quoted = code.includes('`') ? `\`\` ${code} \`\`` : `\`${code}\``
  const [first, ...rest] = `- ${quoted}${text && `: ${text}`}`.split('\n')
  return [first, ...rest.map((line) => line && `  ${line}`)]
}
