// Reads declarations in the model of the extractor.

/** Node documents these itself, as it does the hooks of its streams. */
const nodes = new Set(['push', 'read', 'pipe', 'toString', 'on', 'once', 'off', '[Symbol.asyncDispose]'])

/** The build names an array by what returns it, for the sake of older compilers. */
const textOf = (tokens) =>
  tokens
    .map(({ text }) => text)
    .join('')
    .replace(/ReturnType<(\w+)Constructor\['\w+'\]>/g, '$1')

/** The names of this package that a declaration mentions, and its entry point does not export. */
export function unexportedIn({ excerptTokens = [] }) {
  return excerptTokens
    .map(({ canonicalReference }) => /^wavespool\/?[^!]*!~([\w$]+)/.exec(canonicalReference ?? '')?.[1])
    .filter((name) => name !== undefined)
    .map((name) => name.replace(/_\d+$/, ''))
}

/**
 * The members of a class or an interface that a user sees, with those inherited from declarations that nothing exports;
 * a constructor only where its parameters have exported types.
 */
export function publicMembers(item, all, names) {
  const inherited = unexportedIn(item)
    .filter((name) => !names.has(name) && !name.endsWith('Events') && name !== 'Emitting')
    .flatMap((name) => (all.get(name)?.kind === 'Interface' ? publicMembers(all.get(name), all, names) : []))
  const own = (item.members ?? []).filter(
    (member) =>
      !member.isProtected &&
      (member.kind !== 'Constructor' || unexportedIn(member).every((name) => names.has(name))),
  )
  return [...own, ...inherited]
}

/** Whether a member is documented where it comes from: by Node, or by an interface that its class implements. */
export function isDocumentedElsewhere(member, item, all) {
  const name = member.name ?? ''
  if (name.startsWith('_') || (nodes.has(name) && !member.docComment)) return true
  const { declaration } = signature(item, all)
  if (/ extends \w*Error/.test(declaration) && ['name', 'code'].includes(name)) return true
  const [, heritage = ''] = /^.*? (?:extends|implements) (.*)/s.exec(declaration) ?? []
  const bases = heritage.match(/\w+/g) ?? []
  return bases.some((base) => all.get(base)?.members?.some((each) => each.name === name && each.docComment))
}

/** Whether it is the type of an options object, or of a part of one. */
export const isOptions = ({ name, kind }) =>
  kind === 'Interface' && /(Options|Limits|Rule)$|^AtPause$/.test(name)

/**
 * The default that the text of an option names, `(default 5)` or `'stop'` (default), and the text without it. Text that says
 * more about the default stays whole, as does that of an option without one, which says what it does "without it".
 *
 * @param {string} text
 * @returns {{ value: string, rest: string } | undefined}
 */
export function defaultOf(text) {
  const flat = text.replace(/\s*\n\s*/g, ' ')
  const all = [...flat.matchAll(/ ?\(default:? ((?:`[^`]*`|[^`:;()])+)\)|(`[^`]+`) \(default\)/g)]
  if (all.length === 1) {
    const [[found, said, quoted]] = all
    return { value: said ?? quoted, rest: flat.replace(found, quoted ?? '') }
  }
  const values = [...flat.matchAll(/\(default:? ((?:`[^`]*`|[^`:;,()])+)/g)].map(([, value]) => value)
  if (values.length > 0) return { value: values.join(', '), rest: flat }
  return /\bwithout it\b/i.test(flat) ? { value: '', rest: flat } : undefined
}

/** How it is declared, with the base that the compiler has hidden behind a name, and the events it tells of. */
export function signature(item, all) {
  let declaration = textOf(item.excerptTokens ?? [])
    .replace(/^export (declare )?/, '')
    .replace(/;$/, '')
    .replace(/\s+$/, '')
  const events = []
  const [, hidden] = /extends (\w+_base)\b/.exec(declaration) ?? []
  if (hidden) {
    const base = textOf(all.get(hidden)?.excerptTokens ?? [])
    declaration = declaration.replace(`extends ${hidden}`, heritage(base))
    const [, told] = /WithEvents<[^,]+, (\w+)/.exec(base) ?? []
    for (const event of all.get(told)?.members ?? []) events.push(event)
  }
  for (const told of unexportedIn(item).filter((name) => name.endsWith('Events'))) {
    events.push(...(all.get(told)?.members ?? []))
  }
  return {
    declaration: declaration.replace(/\n\s+/g, (space) => (item.kind === 'TypeAlias' ? space : ' ')),
    events,
  }
}

function heritage(base) {
  const [, withEvents] = /WithEvents<typeof (\w+)/.exec(base) ?? []
  const parent = base.includes('HoldingWritable') ? 'Writable' : withEvents
  return [parent && `extends ${parent}`, base.includes('ReadableFile') && 'implements ReadableFile']
    .filter(Boolean)
    .join(' ')
}
