/** The kind of a compressed file, by its first bytes. */
export type Container = 'wav' | 'flac' | 'ogg' | 'webm' | 'mp4' | 'mp3'

/** So many bytes tell it. */
export const SNIFFED_BYTES = 12

/** @returns undefined for anything else */
export function containerOf(bytes: Uint8Array): Container | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SNIFFED_BYTES)).toString(
    'latin1',
  )
  if (/^(RIFF|RF64|BW64|RIFX|riff)/.test(text)) return 'wav'
  if (text.startsWith('fLaC')) return 'flac'
  if (text.startsWith('OggS')) return 'ogg'
  if (text.startsWith('\x1a\x45\xdf\xa3')) return 'webm'
  if (/^(ftyp|styp|moov|moof|mdat|wide|free|skip)/.test(text.slice(4))) return 'mp4'
  // MPEG audio: eleven ones, and no layer of zeros, which is AAC without a container
  if (/^(ID3|\xff[\xe0-\xff])/.test(text) && !(text[0] === '\xff' && (bytes[1]! & 6) === 0)) return 'mp3'
  return undefined
}
