import { expect, test } from 'vitest'
import { containerOf } from '../../src/format/containers.ts'

test.each([
  ['RIFF', 'a WAV file'],
  ['RIFX', 'a WAV file'],
  ['RF64', 'a WAV file'],
  ['BW64', 'a WAV file'],
  ['riff.\x91\xcf\x11', 'a WAV file'],
  ['fLaC', 'a FLAC file'],
  ['OggS', 'an Ogg file'],
  ['ID3\x03', 'an MP3 file, or another one behind an ID3 tag'],
  ['FORM\0\0\0\0AIFC', 'an AIFF file'],
  ['\0\0\0\x20ftypM4A ', 'an MP4 file'],
  ['\x1a\x45\xdf\xa3', 'a WebM or Matroska file'],
])('%j is the beginning of %s', (start, name) => {
  const bytes = Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(400)])
  expect(containerOf(bytes)).toEqual({ name, isWav: name === 'a WAV file' })
  expect(containerOf(bytes.subarray(0, 3))?.name).toBe(start.startsWith('ID3') ? name : undefined)
})

test('samples are none, whatever they are', () => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(100),
    Buffer.from('some text that is no file of any kind'),
  ]) {
    expect(containerOf(bytes)).toBeUndefined()
  }
})
