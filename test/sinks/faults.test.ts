import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  pcmFormat,
  readWavHeader,
  VirtualFile,
  type VirtualFileOptions,
  WavespoolError,
  wavHeader,
} from '../../src/index.ts'
import { openBelow } from './contract/outcomes.ts'
import { everyReading } from './storageContract.ts'
import { writers } from './writers.ts'

const MIB = 2 ** 20
const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let place: string
beforeEach(() => {
  place = mkdtempSync(join(folder, 'place-'))
})

afterEach(() => expect(openBelow(place)).toEqual([]))

/** Words that count, so that every byte tells where it belongs. */
function* counting(bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += 40_000) {
    const words = new Uint32Array(10_000)
    for (let i = 0; i < words.length; i++) words[i] = at / 4 + i
    yield Buffer.from(words.buffer)
  }
}

function* slowly(source: Iterable<Buffer>, between: (i: number) => void): Generator<Buffer> {
  let i = 0
  for (const piece of source) {
    between(i++)
    yield piece
  }
}

/**
 * Records more than there is room for: the pipeline is rejected with a typed error, all acknowledged bytes can be read,
 * behind a header that counts it, and no descriptor is left.
 */
async function failsTo(
  record: VirtualFile,
  source: Iterable<Buffer>,
  acknowledged: number,
  writer: Writable = record,
): Promise<{ error: WavespoolError & { cause?: NodeJS.ErrnoException }; size: number }> {
  let size = 0
  const watch = setInterval(() => {
    size = Math.max(size, record.size)
  }, 1)
  const error = await pipeline(Readable.from(source), wavHeader(pcmFormat()), writer).then(
    () => expect.fail('the recording went well'),
    (fault) => fault,
  )
  clearInterval(watch)
  expect(error).toBeInstanceOf(WavespoolError)
  const bytes = await everyReading(record)
  expect(bytes.length).toBeGreaterThanOrEqual(Math.max(size - 1, acknowledged))
  const { dataBytes, dataStart } = readWavHeader(bytes)!
  expect(dataStart + dataBytes + (dataBytes % 2)).toBe(bytes.length)
  for (let at = 0; at + 4 <= dataBytes; at += 4) {
    if (bytes.readUInt32LE(dataStart + at) !== at / 4) expect.fail(`the word at ${at} is wrong`)
  }
  return { error, size: bytes.length }
}

/** Calls `use` with a directory that is a disk of so many mebibytes. */
async function withSmallDisk(mebibytes: number, use: (directory: string) => Promise<void>): Promise<void> {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', place])
  try {
    await use(place)
  } finally {
    execFileSync('umount', ['-l', place])
  }
}

/** CI has to let the tests mount a disk; elsewhere a limit of the size of files stands for it, in one test. */
const mayMount =
  process.env.CI || spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', folder]).status === 0

describe('a full disk', () => {
  const full = expect.objectContaining({ code: 'ENOSPC' })

  test.runIf(mayMount)('in the middle of a spill loses no accepted bytes', async () => {
    await withSmallDisk(20, async (directory) => {
      const file = new VirtualFile({ storage: { spill: { after: MIB, directory } } })
      const { error, size } = await failsTo(file, counting(100 * MIB), 30 * MIB)
      expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_STORAGE', cause: full })
      // two part files and the first, one that found no room, and the tail
      expect(size).toBeGreaterThan((1 + 8 + 8 + 8) * MIB)
      await file.dispose()
      expect(readdirSync(directory)).toEqual([])
    })
  })

  test.runIf(mayMount).each(writers)('under a path, in the middle of a file $label', async ({ writerOf }) => {
    await withSmallDisk(3, async (directory) => {
      const path = join(directory, 'full.wav')
      const file = new VirtualFile({ storage: { path } })
      const { error, size } = await failsTo(file, counting(10 * MIB), 2 * MIB, writerOf(file))
      expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_STORAGE', cause: full })
      expect(openBelow(directory)).toEqual([])
      expect(readFileSync(path).length).toBe(size)
      await file.dispose()
    })
  })

  test('a limit on the size of files, in a spill', () => {
    const program = `
      import { pipeline } from 'node:stream/promises'
      import { Readable } from 'node:stream'
      import { pcmFormat, readWavHeader, VirtualFile, wavHeader } from 'wavespool'
      process.on('SIGXFSZ', () => {})
      const file = new VirtualFile({ storage: { spill: { after: 1e6, directory: ${JSON.stringify(place)} } } })
      let given = 0
      const source = Readable.from((function* () { for (let i = 0; i < 1000; i++) { given = i; yield Buffer.alloc(100_000, i) } })())
      const error = await pipeline(source, wavHeader(pcmFormat()), file).catch((e) => e)
      const bytes = await file.toBuffer()
      const { dataBytes } = readWavHeader(bytes)
      let right = 44 + dataBytes === bytes.length
      for (let i = 0; i < dataBytes; i += 1000) right &&= bytes[44 + i] === (Math.floor(i / 100_000) & 255)
      console.log(JSON.stringify({ code: error.code, cause: error.cause?.code, right, size: file.size, given }))
      await file.dispose()
    `
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', 'ulimit -f 4000; exec "$0" --input-type=module -e "$1"', process.execPath, program],
      { encoding: 'utf8' },
    )
    expect(stderr).toBe('')
    const outcome = JSON.parse(stdout)
    expect(outcome).toMatchObject({ code: 'ERR_WAVESPOOL_STORAGE', cause: 'EFBIG', right: true })
    // the first part lies on the disk; the second found no room there, and the third fills meanwhile
    expect(outcome.size).toBeGreaterThan(9e6)
    expect(readdirSync(place)).toEqual([])
  })
})

describe.each(writers)('a directory that is gone, and a file $label', ({ writerOf }) => {
  test('before the spill begins', async () => {
    const directory = join(place, 'gone')
    mkdirSync(directory)
    const file = new VirtualFile({ storage: { spill: { after: 100_000, directory } } })
    rmSync(directory, { recursive: true })
    const { error } = await failsTo(file, counting(50 * MIB), 100_000, writerOf(file))
    expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_STORAGE', cause: { code: 'ENOENT' } })
    await file.dispose()
  })

  test('while a file in it is recorded', async () => {
    const directory = join(place, 'gone')
    mkdirSync(directory)
    const file = new VirtualFile({ storage: { path: join(directory, 'a.wav') } })
    const source = slowly(counting(MIB), (i) => i === 10 && rmSync(directory, { recursive: true }))
    const { error } = await failsTo(file, source, MIB, writerOf(file))
    expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_STORAGE' })
    expect(error.message).toContain('removed or replaced')
    await file.dispose()
  })

  test('a file that is replaced is not taken for the recording', async () => {
    const path = join(place, 'a.wav')
    const file = new VirtualFile({ storage: { path } })
    const replace = () => {
      rmSync(path)
      writeFileSync(path, 'precious')
    }
    await failsTo(
      file,
      slowly(counting(MIB), (i) => i === 10 && replace()),
      MIB,
      writerOf(file),
    )
    await file.dispose()
    expect(readFileSync(path, 'utf8')).toBe('precious')
  })
})

describe.each(writers)('a place without write permission, and a file $label', ({ writerOf }) => {
  const refused: [string, () => NonNullable<VirtualFileOptions['storage']>][] = [
    ['a path in a directory that does not exist', () => ({ path: join(place, 'no', 'a.wav') })],
    ['a path below a file', () => ({ path: join(import.meta.filename, 'a.wav') })],
    ['a path that is a directory', () => ({ path: place, overwrite: true })],
    ['a path in a directory of the system', () => ({ path: '/sys/a.wav' })],
  ]
  test.each(refused)('%s', async (_label, make) => {
    const file = new VirtualFile({ name: 'a.wav', storage: make() })
    const recording = pipeline(Readable.from(counting(MIB)), wavHeader(pcmFormat()), writerOf(file))
    const error = await recording.catch((e) => e)
    expect(error).toBeInstanceOf(WavespoolError)
    expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_STORAGE', cause: expect.any(Error) })
    expect(file.size).toBe(0)
    await file.dispose()
    expect(statSync(place).isDirectory()).toBe(true)
  })

  test('a spill in a directory of the system', async () => {
    const file = new VirtualFile({ storage: { spill: { after: 100_000, directory: '/sys' } } })
    const { error } = await failsTo(file, counting(50 * MIB), 100_000, writerOf(file))
    expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_STORAGE' })
    await file.dispose()
  })
})

test.each([import.meta.filename, '/no/such/place'])('a spill below %s is refused at once', (directory) => {
  expect(() => new VirtualFile({ storage: { spill: { after: 100_000, directory } } })).toThrow(
    expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' }),
  )
})

test.each<[string, () => NonNullable<VirtualFileOptions['storage']>]>([
  ['memory', () => 'memory'],
  ['spill', () => ({ spill: { after: MIB, directory: place } })],
  ['path', () => ({ path: join(place, 'a.wav') })],
])('readers that never read hold up no recording: %s', async (_label, make) => {
  const file = new VirtualFile({ storage: make() })
  const idle = Array.from({ length: 4 }, () => file.createReadStream({ follow: true }))
  for (const stream of idle) stream.read(0)
  idle.push(file.createReadStream(), file.createReadStream({ start: 100 }))
  await pipeline(Readable.from(counting(30 * MIB)), wavHeader(pcmFormat()), file)
  expect(file.size).toBeGreaterThan(30 * MIB)
  for (const stream of idle) expect(stream.readableLength).toBeLessThan(2 * 65_536)
  for (const stream of idle) stream.destroy()
  for (let i = 0; i < 5; i++) await turn()
  await file.dispose()
})
