import { appendFileSync, chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { VirtualFile } from '../../../src/sinks/virtualFile.ts'
import { pattern } from '../../format/arbitraries.ts'
import { finish, storages, write } from '../storageContract.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each(storages)('a private copy is its own: $label', async ({ make }) => {
  const file = new VirtualFile({ name: 'an interview.wav', storage: make() })
  await write(file, pattern(3000))
  const early = await file.toPath() // of a moment, while it grows
  await write(file, pattern(2000))
  await finish(file)
  const bytes = await file.toBuffer()
  const copy = await file.toPath()
  expect(readFileSync(early.path).equals(bytes.subarray(0, 3000))).toBe(true)
  expect(readFileSync(copy.path).equals(bytes)).toBe(true)
  expect(basename(copy.path)).toBe('an interview.wav')
  expect(statSync(copy.path)).toMatchObject({ nlink: 1, size: 5000 })
  expect(statSync(copy.path).mode & 0o777).toBe(0o600)
  expect(statSync(dirname(copy.path)).mode & 0o777).toBe(0o700)
  expect(dirname(copy.path)).not.toBe(dirname(early.path))

  appendFileSync(copy.path, 'rewritten')
  rmSync(early.path)
  expect((await file.toBuffer()).equals(bytes)).toBe(true)
  await file.dispose()
  expect(readFileSync(copy.path)).toHaveLength(5009) // it outlives the file
  await copy.remove()
  await early[Symbol.asyncDispose]()
  expect(() => statSync(dirname(copy.path))).toThrow()
  expect(() => statSync(dirname(early.path))).toThrow()
})

test('the copy of a read-only file is writable', async () => {
  const path = join(folder, 'protected.wav')
  const file = new VirtualFile({ storage: { path } })
  await write(file, pattern(100))
  await finish(file)
  chmodSync(path, 0o400)
  await file.withPath((copy) => {
    expect(statSync(copy).mode & 0o777).toBe(0o600)
    expect(statSync(copy).ino).not.toBe(statSync(path).ino)
  })
})

test('withPath() returns the result of its callback, and removes the copy after a failure too', async () => {
  const file = await VirtualFile.from(pattern(100))
  const paths: string[] = []
  expect(await file.withPath((path) => paths.push(path))).toBe(1)
  const failing = file.withPath((path) => {
    paths.push(path)
    throw new Error('the recogniser failed')
  })
  await expect(failing).rejects.toThrow('the recogniser failed')
  for (const path of paths) expect(() => statSync(dirname(path))).toThrow()
})

test('a copy that cannot be made fails with a typed error, and leaves no file', async () => {
  const path = join(folder, 'moved.wav')
  const file = new VirtualFile({ storage: { path } })
  await write(file, pattern(100))
  await finish(file)
  rmSync(path)
  const temporary = mkdtempSync(join(folder, 'tmp-'))
  vi.stubEnv('TMPDIR', temporary)
  await expect(file.toPath()).rejects.toMatchObject({
    code: 'ERR_WAVESPOOL_STORAGE',
    cause: { code: 'ENOENT' },
  })
  expect(readdirSync(temporary)).toEqual([])
  vi.stubEnv('TMPDIR', join(folder, 'missing'))
  const other = await VirtualFile.from(pattern(100))
  await expect(other.toPath()).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_STORAGE' })
  vi.unstubAllEnvs()
})
