import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { pcmFormat, VirtualFile, type VirtualFileSource, wavHeader } from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const header = wavHeader(pcmFormat(), { dataBytes: 6 }).end().read() as Buffer
const wav = Buffer.concat([header, Buffer.from([1, 0, 2, 0, 3, 0])])
const path = join(folder, 'talk.wav')

function sharedCopy(bytes: Buffer): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(bytes.length)
  new Uint8Array(shared).set(bytes)
  return shared
}

writeFileSync(path, wav)

const sources: Record<string, [VirtualFileSource, string]> = {
  'a path': [path, 'talk.wav'],
  'a URL': [pathToFileURL(path), 'talk.wav'],
  'a Buffer': [wav, 'audio.wav'],
  'a typed array': [new Uint16Array(new Uint8Array(wav).buffer), 'audio.wav'],
  'an ArrayBuffer': [new Uint8Array(wav).buffer, 'audio.wav'],
  'shared memory': [sharedCopy(wav), 'audio.wav'],
  'a Blob': [new Blob([wav], { type: 'audio/wav' }), 'audio.wav'],
  'a File': [new File([wav], 'memo.wav'), 'memo.wav'],
  'a Readable': [Readable.from([wav]), 'audio.wav'],
  'a web stream': [new Blob([wav]).stream() as VirtualFileSource, 'audio.wav'],
  'a generator': [
    (async function* () {
      yield wav.subarray(0, 20)
      yield wav.subarray(20)
    })(),
    'audio.wav',
  ],
}

test.each(Object.entries(sources))('from %s, and back', async (_kind, [source, name]) => {
  const file = await VirtualFile.from(source)
  expect(file.name).toBe(name)
  expect(file.type).toBe('audio/wav')
  expect(file.duration).toBe(3 / 16_000)
  expect((await file.toBuffer()).equals(wav)).toBe(true)
  const pieces: Uint8Array[] = []
  for await (const piece of file.stream({ start: 44 })) pieces.push(piece)
  expect(Buffer.concat(pieces).equals(wav.subarray(44))).toBe(true)
})

test('makes an empty file of an empty source', async () => {
  expect((await VirtualFile.from(new Uint8Array(0))).size).toBe(0)
})

test('refuses a value that is no source, and a path that does not exist', async () => {
  await expect(VirtualFile.from(5 as never)).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
  await expect(VirtualFile.from(join(folder, 'missing.wav'))).rejects.toMatchObject({ code: 'ENOENT' })
})
