import { basename, extname } from 'node:path'
import { fileKind } from '../format/containers.ts'

/**
 * Names the kind of a file that cannot be read by its first bytes, and the command that makes a WAV file of it; undefined
 * for one that can be, and for an unknown kind.
 *
 * @param name of the file, or `stdin`
 */
export function foreignInput(head: Uint8Array, name: string): string | undefined {
  const kind = fileKind(head)
  if (kind === undefined || kind.container !== undefined) return undefined
  return `${name} is ${kind.name}, which wavespool does not read: ${byFfmpeg(name)}`
}

/** Returns the advice to convert a file by ffmpeg, with the command. */
export function byFfmpeg(name: string): string {
  const stem = basename(name, extname(name))
  const output = `${stem}.wav` === name ? `${stem}-converted.wav` : `${stem}.wav`
  const command =
    name === 'stdin' ? 'ffmpeg -i - -f wav - in front of it' : `ffmpeg -i ${quoted(name)} ${quoted(output)}`
  return `convert it first, by ${command}`
}

/** A name as a shell takes it for one word. */
function quoted(name: string): string {
  return /^[\w./-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`
}
