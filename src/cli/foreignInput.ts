import { basename, extname } from 'node:path'
import { fileKind } from '../format/containers.ts'

/**
 * Names the kind of a foreign file by its first bytes, and the command that makes a WAV file of it; undefined for a WAV file
 * and for an unknown kind.
 *
 * @param name of the file, or `stdin`
 */
export function foreignInput(head: Uint8Array, name: string): string | undefined {
  const kind = fileKind(head)
  if (kind === undefined || kind.container === 'wav') return undefined
  const command =
    name === 'stdin'
      ? 'ffmpeg -i - -f wav - in front of it'
      : `ffmpeg -i ${name} ${basename(name, extname(name))}.wav`
  return `${name} is ${kind.name}, and wavespool reads WAV files: convert it first, by ${command}`
}
