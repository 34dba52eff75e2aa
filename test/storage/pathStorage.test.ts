import { spawnSync } from 'node:child_process'
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test, vi } from 'vitest'
import { pcmFormat, readWavHeader, VirtualFile, wavHeader } from '../../src/index.ts'
import { recording } from '../../src/sinks/reading.ts'
import { OpenFile } from '../../src/storage/openFile.ts'
import type { PathStorage } from '../../src/storage/pathStorage.ts'
import { hasTool, run } from '../oracles/tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('an existing file is kept, unless an option says otherwise', async () => {
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

test('a new file has the permissions that are asked for from its first moment, and one that is replaced keeps its own', async () => {
  for (const overwrite of [false, true]) {
    const path = join(folder, `private-${overwrite}.wav`)
    const file = new VirtualFile({ storage: { path, overwrite, mode: 0o600 } })
    file.end('secret')
    await new Promise((resolve) => file.once('close', resolve))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const again = new VirtualFile({ storage: { path, overwrite: true, mode: 0o644 } })
    again.end('secret')
    await new Promise((resolve) => again.once('close', resolve))
    expect(statSync(path).mode & 0o777).toBe(0o600)
  }
  for (const mode of [-1, 0o1000, 1.5, '600' as never]) {
    const storage = { path: join(folder, 'none.wav'), mode }
    expect(() => new VirtualFile({ storage })).toThrow(/mode must be permissions/)
  }
})

test('a directory that does not exist is a typed error, and is not created', async () => {
  const path = join(folder, 'no', 'such', 'directory.wav')
  const file = new VirtualFile({ storage: { path } })
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => file.once('error', resolve))
  expect(error.code).toBe('ERR_WAVESPOOL_STORAGE')
  expect(() => statSync(path)).toThrow()
})

test('a disk that refuses more keeps all bytes that it accepted', () => {
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

test.runIf(hasTool('sndfile-info') && hasTool('ffprobe'))(
  'past 4 GiB a recording is an RF64 file at every moment',
  async () => {
    const path = join(folder, 'long.wav')
    const file = new VirtualFile({ storage: { path } })
    const storage = file[recording].storage as PathStorage
    const header = wavHeader(pcmFormat(), { rf64: true })
    header.pipe(file)
    header.write(Buffer.alloc(1000))
    while (file.size < 1000) await sleep(1)
    // a hole in the file stands for samples that would take long to record
    storage.size = 80 + 2 ** 32
    truncateSync(path, storage.size)
    header.write(Buffer.alloc(1000))
    const start = () => {
      const bytes = Buffer.alloc(80)
      const fd = openSync(path, 'r')
      readSync(fd, bytes, 0, 80, 0)
      closeSync(fd)
      return readWavHeader(bytes)!
    }
    while (start().container !== 'RF64') await sleep(20)
    expect(start().dataBytes).toBe(2 ** 32 + 1000)
    header.end(Buffer.alloc(500))
    await new Promise((resolve) => file.once('close', resolve))
    expect(start()).toMatchObject({ container: 'RF64', dataBytes: 2 ** 32 + 1500, riffBytes: 2 ** 32 + 1572 })
    const frames = 2 ** 31 + 750
    expect(run('sndfile-info', [path]).toString()).toMatch(new RegExp(`Frames *: ${frames}\\n`))
    const probe = ['-v', 'error', '-show_entries', 'stream=duration_ts', '-of', 'csv=p=0', path]
    expect(run('ffprobe', probe).toString().trim()).toBe(String(frames))
  },
)

test('with fsync the disk confirms the samples before the header that counts them, and the header', async () => {
  const path = join(folder, 'confirmed.wav')
  const calls: string[] = []
  const { write, datasync } = OpenFile.prototype
  vi.spyOn(OpenFile.prototype, 'write').mockImplementation(function (this: OpenFile, ...args) {
    calls.push(args[1] === 0 ? 'header' : 'samples')
    return write.apply(this, args)
  })
  vi.spyOn(OpenFile.prototype, 'datasync').mockImplementation(function (this: OpenFile) {
    calls.push('sync')
    return datasync.call(this)
  })
  const file = new VirtualFile({ storage: { path, fsync: true } })
  const header = wavHeader(pcmFormat())
  header.pipe(file)
  header.write(Buffer.alloc(20_000, 1))
  while (!calls.includes('sync')) await sleep(10) // while it is recorded
  header.end(Buffer.alloc(20_000, 2))
  await new Promise((resolve) => file.once('close', resolve))
  vi.restoreAllMocks()
  expect(calls.filter((call, i) => call !== 'samples' || calls[i - 1] !== call).slice(-6)).toEqual([
    'sync',
    'samples',
    'sync',
    'header', // the exact one, at the end
    'sync',
    'sync',
  ])
  expect(calls.indexOf('sync')).toBeGreaterThan(calls.indexOf('samples'))
  expect(readWavHeader(readFileSync(path))).toMatchObject({ dataBytes: 40_000 })
})
