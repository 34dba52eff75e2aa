import { widthOf } from './style.ts'

/** Lines of at most `width` characters; a word that is longer has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

/** A line for people: in a terminal wrapped between words, with further lines indented; in a pipe it stays one line. */
export function wrapped(text: string, indent: number, stream: NodeJS.WriteStream): string {
  if (!stream.isTTY) return text
  return wrap(text, widthOf(stream) - indent).join(`\n${' '.repeat(indent)}`)
}
