import { describe, expect, test } from 'vitest'
import { fileKind, markedKind } from '../../src/format/containers.ts'
import { id3Bytes } from '../../src/format/id3.ts'

const padded = (start: string | number[]) =>
  Buffer.concat([
    typeof start === 'string' ? Buffer.from(start, 'latin1') : Buffer.from(start),
    Buffer.alloc(400),
  ])

test.each([
  ['RIFF', 'a WAV file', 'wav'],
  ['RIFX', 'a WAV file', 'wav'],
  ['RF64', 'a WAV file', 'wav'],
  ['BW64', 'a WAV file', 'wav'],
  ['riff.\x91\xcf\x11', 'a WAV file', 'wav'],
  ['fLaC', 'a FLAC file', 'flac'],
  ['OggS', 'an Ogg file', 'ogg'],
  ['ID3\x03', 'an MP3 file, or another one behind an ID3 tag', 'mp3'],
  ['FORM\0\0\0\0AIFC', 'an AIFF file', undefined],
  ['\0\0\0\x20ftypM4A ', 'an MP4 file', 'mp4'],
  ['\0\0\0\x08wide', 'an MP4 file', 'mp4'],
  ['\x1a\x45\xdf\xa3', 'a WebM or Matroska file', 'webm'],
])('%j is the beginning of %s', (start, name, container) => {
  const bytes = padded(start)
  expect(markedKind(bytes)).toEqual({ name, ...(container && { container }) })
  expect(fileKind(bytes)).toEqual(markedKind(bytes))
  expect(markedKind(bytes.subarray(0, 3))?.name).toBe(start.startsWith('ID3') ? name : undefined)
})

test.each([
  ['layer III of MPEG 1', [0xff, 0xfb, 0x90, 0x64], 'an MP3 file'],
  ['layer III of MPEG 2', [0xff, 0xf3, 0x40, 0xc0], 'an MP3 file'],
  ['layer II', [0xff, 0xfd, 0x90, 0x64], 'an MP3 file'],
  ['ADTS', [0xff, 0xf1, 0x50, 0x80], 'an AAC file without a container'],
  ['ones', [0xff, 0xff, 0xff, 0xff], undefined],
])('a frame of %s is recognised where no samples are expected', (_what, start, name) => {
  expect(fileKind(padded(start))?.name).toBe(name)
  expect(markedKind(padded(start))).toBeUndefined()
})

test('samples and text have no container', () => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(100),
    Buffer.from('some text that is no file of any kind'),
  ]) {
    expect(fileKind(bytes)).toBeUndefined()
  }
})

describe('the length of an ID3 tag', () => {
  const head = (...rest: number[]) => Uint8Array.from([0x49, 0x44, 0x33, ...rest])
  test.each([
    [head(4, 0, 0, 0, 0, 2, 1), 10 + 257],
    [head(4, 0, 0x10, 0, 0, 0, 5), 10 + 5 + 10],
    [head(4, 0, 0, 0, 0, 0, 0x80), undefined],
    [head(0xff, 0, 0, 0, 0, 0, 1), undefined],
    [head(4, 0, 0), undefined],
    [Uint8Array.from('TAG0000000', (char) => char.charCodeAt(0)), undefined],
  ])('%s', (bytes, length) => expect(id3Bytes(bytes)).toBe(length))
})
