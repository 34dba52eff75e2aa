// A docblock in Markdown: its text, what it throws, and its examples.

/** The extractor writes this where a constructor has no text. */
const filler = /^\s*Constructs a new instance of the `\w+` class/

/**
 * @param {string | undefined} comment as it stands in the model
 * @returns {{ text: string, tags: { tag: string, text: string }[] }}
 */
export function readDocblock(comment = '') {
  const lines = comment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/\s*$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
  const parts = [{ tag: '', text: '' }]
  let isCode = false
  for (const line of lines) {
    if (line.startsWith('```')) isCode = !isCode
    const [, tag, rest] = (!isCode && /^@(\w+)\s*(.*)$/.exec(line)) || []
    if (tag) parts.push({ tag, text: rest ?? '' })
    else parts.at(-1).text += `\n${line}`
  }
  const [{ text }, ...tags] = parts.map((part) => ({ ...part, text: part.text.replace(filler, '').trim() }))
  return { text, tags: tags.filter(({ tag }) => tag !== 'public') }
}

const words = { throws: 'Throws', returns: 'Returns', remarks: '', example: '' }

/**
 * @param {string | undefined} comment
 * @param {(target: string) => string | undefined} linkOf where a name is documented
 */
export function markdown(comment, linkOf) {
  const { text, tags } = readDocblock(comment)
  const paragraphs = [text, ...tags.map(({ tag, text }) => tagged(tag, text))].filter(Boolean)
  return paragraphs.map((each) => outsideCode(each, (prose) => withLinks(prose, linkOf))).join('\n\n')
}

function tagged(tag, text) {
  if (tag === 'param') {
    const [, name, rest] = /^(\S+)\s+(?:-\s+)?(.*)$/s.exec(text) ?? []
    return name ? `\`${name}\`: ${rest}` : ''
  }
  if (tag === 'example' && !text.includes('```')) return `\`\`\`ts\n${text}\n\`\`\``
  const word = words[tag] ?? tag
  return [word, text.replace(/^\{([^}]+)\}/, (_, type) => `\`${type}\``)].filter(Boolean).join(' ')
}

function outsideCode(text, change) {
  return text
    .split(/(^```.*?^```)/ms)
    .map((part, i) => (i % 2 === 0 ? unwrapped(change(part)) : part))
    .join('')
}

/** Lines that only the width of the source has broken; what begins a list or a table keeps its line. */
function unwrapped(text) {
  return text.replace(/([^\n])\n *(?![\n\-|*]|\d+\. )/g, '$1 ')
}

function withLinks(text, linkOf) {
  return text.replace(/\{@link\s+([^}|\s]+)(?:\s*\|\s*([^}]+))?\}/g, (_, target, label) => {
    const link = linkOf(target)
    const shown = label?.trim() ?? `\`${target}\``
    return link ? `[${shown}](${link})` : shown
  })
}
