/** How files begin, of the kinds that audio comes in; a `?` is any byte. */
const containers: readonly (readonly [name: string, start: string])[] = [
  ['a WAV file', 'RIFF'],
  ['a WAV file', 'RIFX'],
  ['a WAV file', 'RF64'],
  ['a WAV file', 'BW64'],
  ['a WAV file', 'riff\x2e\x91\xcf\x11'],
  ['an MP3 file, or another one behind an ID3 tag', 'ID3'],
  ['a FLAC file', 'fLaC'],
  ['an Ogg file', 'OggS'],
  ['an AIFF file', 'FORM????AIF'],
  ['a CAF file', 'caff\0\x01'],
  ['an AU file', '.snd\0'],
  ['an MP4 file', '????ftyp'],
  ['a WebM or Matroska file', '\x1a\x45\xdf\xa3'],
  ['a Windows Media file', '\x30\x26\xb2\x75\x8e\x66\xcf\x11'],
  ['an AMR file', '#!AMR'],
  ['a WavPack file', 'wvpk'],
  ["a Monkey's Audio file", 'MAC '],
  ['a TTA file', 'TTA1'],
  ['a DSD file', 'DSD '],
  ['a NIST SPHERE file', 'NIST_1A'],
  ['a Creative Voice file', 'Creative Voice File'],
  ['a MIDI file', 'MThd\0\0\0\x06'],
]

/** What a file is that begins like this; undefined for samples without a header. */
export function containerOf(bytes: Uint8Array): { name: string; isWav: boolean } | undefined {
  const begins = (start: string) =>
    Array.from(start).every((char, i) => char === '?' || bytes[i] === char.charCodeAt(0))
  const [name] = containers.find(([, start]) => begins(start)) ?? []
  return name === undefined ? undefined : { name, isWav: name === 'a WAV file' }
}
