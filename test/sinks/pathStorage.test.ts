import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { pcmFormat, readWavHeader, VirtualFile, wavHeader } from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a file that is there is kept, unless told otherwise', async () => {
  const path = join(folder, 'kept.wav')
  writeFileSync(path, 'precious')
  const refused = new VirtualFile({ storage: { path } })
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => refused.once('error', resolve))
  expect(error.code).toBe('ERR_WAVESPOOL_STORAGE')
  expect(error.message).toContain('overwrite')
  expect(readFileSync(path, 'utf8')).toBe('precious')

  const file = new VirtualFile({ storage: { path, overwrite: true } })
  file.end('new')
  await new Promise((resolve) => file.once('close', resolve))
  expect(file.name).toBe('kept.wav')
  await file.dispose()
  expect(readFileSync(path, 'utf8')).toBe('new')
})

test('a directory that does not exist is a typed error, and nothing is made', async () => {
  const path = join(folder, 'no', 'such', 'directory.wav')
  const file = new VirtualFile({ storage: { path } })
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => file.once('error', resolve))
  expect(error.code).toBe('ERR_WAVESPOOL_STORAGE')
  expect(() => statSync(path)).toThrow()
})

test('a disk that refuses more loses nothing that it took', () => {
  const path = join(folder, 'full.wav')
  // A limit on the size of files stands for a full disk: 40 blocks of 1,024 bytes.
  const program = `
import { readFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { pcmFormat, VirtualFile, wavHeader } from 'wavespool'
process.on('SIGXFSZ', () => {})
const file = new VirtualFile({ storage: { path: ${JSON.stringify(path)} } })
const source = Readable.from((function* () { for (let i = 0; ; i++) yield Buffer.alloc(3000, i) })())
const error = await pipeline(source, wavHeader(pcmFormat()), file).catch((e) => e)
const bytes = await file.toBuffer()
console.log(JSON.stringify({ code: error.code, size: file.size, same: bytes.equals(readFileSync(file.name === 'full.wav' ? ${JSON.stringify(path)} : '')), open: bytes.readUInt32LE(40) }))
await file.dispose()
`
  const { stdout, stderr } = spawnSync(
    'bash',
    ['-c', 'ulimit -f 40; exec "$0" --input-type=module -e "$1"', process.execPath, program],
    { encoding: 'utf8' },
  )
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual({
    code: 'ERR_WAVESPOOL_STORAGE',
    size: 40_960,
    same: true,
    open: 40_916,
  })
})

test('wavHeader alone makes an empty, valid file', async () => {
  const path = join(folder, 'empty.wav')
  const file = new VirtualFile({ storage: { path } })
  wavHeader(pcmFormat()).end().pipe(file)
  await new Promise((resolve) => file.once('close', resolve))
  await file.dispose()
  expect(readWavHeader(readFileSync(path))).toMatchObject({ dataBytes: 0, riffBytes: 36 })
})
