import { readMpegFrame } from './mpegFrame.ts'

/** The files that `decode()` reads. */
export type Container = 'wav' | 'flac' | 'ogg' | 'webm' | 'mp4' | 'mp3'

export interface FileKind {
  /** with its article: `an MP3 file` */
  name: string
  /** undefined where `decode()` does not read it */
  container?: Container
}

const wav: FileKind = { name: 'a WAV file', container: 'wav' }
const mp3: FileKind = { name: 'an MP3 file', container: 'mp3' }
const mp4: FileKind = { name: 'an MP4 file', container: 'mp4' }

/** How files begin, of the kinds that audio comes in; a `?` is any byte. */
const marks: readonly (readonly [kind: FileKind, ...starts: string[]])[] = [
  [wav, 'RIFF', 'RIFX', 'RF64', 'BW64', 'riff\x2e\x91\xcf\x11'],
  [{ name: 'an MP3 file, or another one behind an ID3 tag', container: 'mp3' }, 'ID3'],
  [{ name: 'a FLAC file', container: 'flac' }, 'fLaC'],
  [{ name: 'an Ogg file', container: 'ogg' }, 'OggS'],
  [{ name: 'a WebM or Matroska file', container: 'webm' }, '\x1a\x45\xdf\xa3'],
  [mp4, ...['ftyp', 'styp', 'moov', 'moof', 'mdat', 'wide', 'free', 'skip'].map((box) => `????${box}`)],
  [{ name: 'an AIFF file' }, 'FORM????AIF'],
  [{ name: 'a CAF file' }, 'caff\0\x01'],
  [{ name: 'an AU file' }, '.snd\0'],
  [{ name: 'a Windows Media file' }, '\x30\x26\xb2\x75\x8e\x66\xcf\x11'],
  [{ name: 'an AMR file' }, '#!AMR'],
  [{ name: 'a WavPack file' }, 'wvpk'],
  [{ name: "a Monkey's Audio file" }, 'MAC '],
  [{ name: 'a TTA file' }, 'TTA1'],
  [{ name: 'a DSD file' }, 'DSD '],
  [{ name: 'a NIST SPHERE file' }, 'NIST_1A'],
  [{ name: 'a Creative Voice file' }, 'Creative Voice File'],
  [{ name: 'a MIDI file' }, 'MThd\0\0\0\x06'],
]

/** So many bytes tell what a file is; an ID3 tag in front of it (`id3Bytes()`) hides it. */
export const MARK_BYTES = 20

/** Returns the kind of a file that begins with a mark; undefined for samples without a header, and for MP3 without a tag. */
export function markedKind(bytes: Uint8Array): FileKind | undefined {
  const begins = (start: string) =>
    Array.from(start).every((char, i) => char === '?' || bytes[i] === char.charCodeAt(0))
  return marks.find(([, ...starts]) => (starts as string[]).some(begins))?.[0]
}

/** Returns the kind of a file, MPEG audio included, which samples without a header can look like by chance. */
export function fileKind(bytes: Uint8Array): FileKind | undefined {
  const marked = markedKind(bytes)
  if (marked) return marked
  if (readMpegFrame(bytes, 0)) return mp3
  const isAdts = bytes[0] === 0xff && (bytes[1]! & 0xf6) === 0xf0 // ISO 13818-7: twelve ones, and layer 0
  return isAdts ? { name: 'an AAC file without a container' } : undefined
}
