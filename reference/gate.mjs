// The gaps in the docblocks of the public surface.
import { readDocblock } from './docblock.mjs'
import { defaultOf, isDocumentedElsewhere, isOptions, publicMembers, unexportedIn } from './model.mjs'

/** A number means nothing without one of these. */
const unit =
  /\b(bytes?|frames?|samples?|(milli)?seconds?|minutes?|ms|Hz|dB|dBFS|bits?|bitrate|process|thread|replicas|channels?|mask|times|numbers?|counts?|packets?|segments?|messages?|attempts?|workers?|files?|pixels?|pages?|recordings?|index|0 to 1|level|rate)\b|how many|probability|full scale|at most|\d\.\d/i

/** The functions that take it look into it, users do not. */
const opaque = new Set(['SharedParts'])

/** Users implement these, and decide what their methods throw. */
const implementedByUsers = new Set(['Clock', 'Replayable', 'VirtualFileStorage', 'VoiceDetector'])

/** These take what the package has made, and refuse nothing. */
const unchecked = new Set(['measureLevels', 'pageServer'])

/**
 * @param {object[]} exported of one entry point
 * @param {Map<string, object>} all declarations by name
 * @param {Set<string>} names that any entry point exports
 */
export function* gaps(exported, all, names) {
  for (const item of exported) {
    if (item.overloadIndex > 1) continue
    const { text, tags } = readDocblock(item.docComment)
    if (!text) yield `${item.name} has no docblock`
    if (
      item.kind === 'Function' &&
      item.parameters.length > 0 &&
      !unchecked.has(item.name) &&
      !saysWhatItRefuses(tags)
    ) {
      yield `${item.name}() does not say what it throws`
    }
    for (const name of unnamed(item, all, names)) yield `${item.name} names ${name}, which nothing exports`
    for (const member of publicMembers(item, all, names)) {
      if (isDocumentedElsewhere(member, item, all)) continue
      const place = `${item.name}.${member.name ?? 'constructor'}`
      const { text, tags } = readDocblock(member.docComment)
      if (isChecking(member) && !implementedByUsers.has(item.name) && !saysWhatItRefuses(tags))
        yield `${place}() does not say what it throws`
      if (!text && tags.length === 0 && member.kind !== 'Constructor') yield `${place} has no docblock`
      else if (
        isNumber(member) &&
        !unit.test(`${member.name.replace(/[A-Z]/g, (each) => ` ${each}`)} ${text}`)
      )
        yield `${place} has no unit`
      if (isOptions(item) && member.isOptional && !defaultOf(text)) yield `${place} names no default`
    }
  }
}

/** The types in a signature that users cannot import; the page shows the members of a base, and events, where they are. */
function unnamed(item, all, names) {
  const bases = item.kind === 'Interface' || item.kind === 'Class' ? [] : unexportedIn(item)
  const members = publicMembers(item, all, names).filter(({ name = '' }) => !name.startsWith('_'))
  return [...bases, ...members.flatMap(unexportedIn)].filter(
    (name) =>
      !names.has(name) &&
      !opaque.has(name) &&
      !/Events$|^Emitting$/.test(name) &&
      ['Interface', 'TypeAlias', 'Class'].includes(all.get(name)?.kind),
  )
}

/** Whether it is a method with arguments that may be wrong. */
const isChecking = ({ kind, parameters }) => /^Method/.test(kind) && parameters.length > 0

const saysWhatItRefuses = (tags) =>
  tags.some(({ tag, text }) => tag === 'throws' || (tag === 'returns' && text.includes('reject')))

function isNumber({ kind, excerptTokens }) {
  if (!kind.startsWith('Property')) return false
  return /: number( \| undefined)?;?$/.test(excerptTokens.map(({ text }) => text).join(''))
}
