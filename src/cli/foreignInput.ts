import { basename, extname } from 'node:path'
import { containerOf } from '../format/containers.ts'

/**
 * Names the kind of a foreign file by its first bytes, and the command that makes a WAV file of it; undefined for a WAV file
 * and for an unknown kind.
 *
 * @param name of the file, or `stdin`
 */
export function foreignInput(head: Uint8Array, name: string): string | undefined {
  const kind = containerOf(head) ?? (isMpegFrame(head) ? { name: 'an MP3 file', isWav: false } : undefined)
  if (kind === undefined || kind.isWav) return undefined
  const command =
    name === 'stdin'
      ? 'ffmpeg -i - -f wav - in front of it'
      : `ffmpeg -i ${name} ${basename(name, extname(name))}.wav`
  return `${name} is ${kind.name}, and wavespool reads WAV files: convert it first, by ${command}`
}

/** ISO 11172-3 2.4.1.3: eleven bits that are set, a version that is not reserved, and layer III. */
function isMpegFrame([first = 0, second = 0]: Uint8Array): boolean {
  return first === 0xff && (second & 0xe6) === 0xe2 && (second & 0x18) !== 0x08
}
