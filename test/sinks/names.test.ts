import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { VirtualFile } from '../../src/index.ts'

const refused = [
  ...['CON', 'con.wav', 'Prn.wav', 'aux', 'NUL.tar.gz', 'nul .wav', 'COM1.wav', 'com¹.wav', 'LPT9', 'CONIN$'],
  ...['a:b.wav', 'audio.wav:stream', 'C:x.wav'],
  ...['a\u0000.wav', 'a\n.wav', 'a\u001b[31m.wav', 'a\u009b31m.wav', 'a\u007f.wav'],
  ...['', '.', '..', 'a/b.wav', '..\\b.wav', 'é'.repeat(128)],
]

test.each(refused)('a name that is refused: %j', (name) => {
  expect(() => new VirtualFile({ name })).toThrow(
    expect.objectContaining({ name: 'ArgumentRangeError', code: 'ERR_WAVESPOOL_ARG_RANGE' }),
  )
})

const taken = [
  'console.wav',
  'com.wav',
  'COM10.wav',
  'null.wav',
  'memo (1).wav',
  'día.wav',
  '👩‍🎤.wav',
  '.hidden',
]

test.each(taken)('a name that is accepted: %j', async (name) => {
  const file = new VirtualFile({ name })
  expect(file.name).toBe(name)
  await file.dispose()
})

test.runIf(process.platform !== 'win32')(
  'the name of an existing file is changed to one that is accepted',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
    const names = {
      '2026-01-31T10:30.wav': '2026-01-31T10-30.wav',
      'con.wav': '_con.wav',
      'a\u001b.wav': 'a-.wav',
    }
    for (const [there, expected] of Object.entries(names)) {
      const path = join(folder, there)
      writeFileSync(path, 'audio')
      const read = await VirtualFile.from(path)
      expect([read.name, (await read.toBuffer()).toString()]).toEqual([expected, 'audio'])
      const recorded = new VirtualFile({ storage: { path: `${path}.new` } })
      expect(recorded.name).toBe(`${expected}.new`)
      const blob = await VirtualFile.from(new File(['audio'], there))
      expect(blob.name).toBe(expected)
      await Promise.all([read, recorded, blob].map((file) => file.dispose()))
    }
    rmSync(folder, { recursive: true })
  },
)
