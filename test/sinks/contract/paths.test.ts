import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import {
  pcmFormat,
  type ReadableFile,
  VirtualFile,
  type WavespoolError,
  wavHeader,
} from '../../../src/index.ts'
import { pattern } from '../../format/arbitraries.ts'
import { momentOf, recordings } from '../headers.ts'
import { closed, finish, write } from '../storageContract.ts'
import { errorOf, expectCode, openBelow, settles } from './outcomes.ts'
import { ways } from './ways.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let place: string
let path: string
beforeEach(() => {
  place = mkdtempSync(join(folder, 'place-'))
  path = join(place, 'a.wav')
})

const format = pcmFormat()
const recorded = recordings[0]!
const expected = momentOf(recorded, recorded.bytes.length)
const SECRET = Buffer.from('SECRET'.repeat(10_000))

async function record(options: { overwrite?: boolean } = {}): Promise<VirtualFile> {
  const file = new VirtualFile({ storage: { path, ...options } })
  await pipeline(Readable.from([recorded.bytes]), file)
  return file
}

/** Changes of the file under the path, which the recording must not take for its own. */
const changes: [string, () => void][] = [
  [
    'a symlink to another file',
    () => {
      writeFileSync(join(place, 'victim'), SECRET)
      rmSync(path)
      symlinkSync(join(place, 'victim'), path)
    },
  ],
  [
    'another file',
    () => {
      rmSync(path)
      writeFileSync(path, SECRET)
    },
  ],
  [
    'another file that is moved there',
    () => {
      writeFileSync(join(place, 'other'), SECRET)
      renameSync(join(place, 'other'), path)
    },
  ],
  [
    'a directory',
    () => {
      rmSync(path)
      mkdtempSync(join(place, 'x-'))
      renameSync(join(place, readdirSync(place).find((name) => name.startsWith('x-'))!), path)
    },
  ],
  ['nothing', () => rmSync(path)],
]

const samplesOf = (way: string) => way === 'toInt16()' || way === 'toFloat32()'

/** Every way gives the bytes of the recording, or refuses. */
async function expectOwnOrRefused(file: ReadableFile): Promise<void> {
  const ownSamples = new Map<string, Uint8Array>()
  const original = await VirtualFile.from(recorded.bytes)
  for (const way of ['toInt16()', 'toFloat32()']) ownSamples.set(way, await ways[way]!(original))
  for (const [way, read] of Object.entries(ways)) {
    let bytes = Buffer.alloc(0)
    const error = await errorOf(async () => {
      bytes = Buffer.from(await read(file))
    })
    if ((error as Error | undefined)?.name === 'NotReadableError' && way === 'toFile()') continue
    if (error) expectCode(error, 'ERR_WAVESPOOL_STORAGE', way)
    else expect(bytes.equals(samplesOf(way) ? ownSamples.get(way)! : expected), way).toBe(true)
  }
}

const secrets = () =>
  readdirSync(place).filter(
    (name) => statSync(join(place, name)).isFile() && readFileSync(join(place, name)).equals(SECRET),
  )

describe.each([{}, { overwrite: true }])(
  'another file that comes to lie under the path later: %o',
  (options) => {
    test.each(changes)('after the end: %s', async (_label, change) => {
      const file = await record(options)
      const attached = VirtualFile.attach(file.share())
      change()
      const before = secrets()
      await expectOwnOrRefused(file)
      await expectOwnOrRefused(attached)
      const cursor = file.cursor()
      cursor.seek(100)
      const size = file.size
      for (const call of [
        () => cursor.write(Buffer.from('OVERWRITTEN')),
        () => cursor.writeSync(Buffer.from('OVERWRITTEN')),
        () => cursor.truncate(200),
        () => cursor.truncateSync(150),
      ]) {
        const error = await errorOf(call)
        if (error) expectCode(error, 'ERR_WAVESPOOL_STORAGE', String(call))
      }
      expect(secrets()).toEqual(before)
      expect([size, 200, 150]).toContain(file.size)
      await attached.dispose()
      await file.dispose()
      expect(secrets()).toEqual(before)
      expect(openBelow(place)).toEqual([])
    })

    test.each(changes)('while it is recorded: %s', async (_label, change) => {
      const file = new VirtualFile({ storage: { path, ...options } })
      file.on('error', () => {})
      await write(file, recorded.bytes.subarray(0, 200))
      change()
      const before = secrets()
      await write(file, recorded.bytes.subarray(200)).catch(() => {})
      file.end()
      await settles(closed(file), "'close'")
      expectCode(file.errored, 'ERR_WAVESPOOL_STORAGE', 'the recording')
      await expectOwnOrRefused(file)
      // its own bytes can be read until dispose()
      expect((await file.toBuffer()).equals(expected)).toBe(true)
      await file.dispose()
      expect(secrets()).toEqual(before)
      expect(openBelow(place)).toEqual([])
    })
  },
)

describe('overwrite', () => {
  const old = Buffer.from('what was there before, '.repeat(1000))
  beforeEach(() => writeFileSync(path, old))
  const isOld = () => readFileSync(path).equals(old)
  const leftovers = () => readdirSync(place).filter((name) => name !== 'a.wav')

  test('the old file stays until audio comes, and is another one then', async () => {
    const inode = statSync(path).ino
    const file = new VirtualFile({ storage: { path, overwrite: true } })
    await turn()
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(isOld()).toBe(true)
    await write(file, recorded.bytes)
    expect(readFileSync(path).subarray(0, 4).toString()).toBe('RIFF')
    expect(statSync(path).ino).not.toBe(inode)
    await finish(file)
    expect(readFileSync(path).equals(expected)).toBe(true)
    expect(leftovers()).toEqual([])
    await file.dispose()
  })

  test.each([0o640, 0o600, 0o664])('the new file has the permissions of the old one: %o', async (mode) => {
    chmodSync(path, mode)
    const file = await record({ overwrite: true })
    expect(statSync(path).mode & 0o777).toBe(mode)
    await file.dispose()
  })

  test('a reader that has opened the old file reads it to its end', async () => {
    const reader = await open(path)
    const file = await record({ overwrite: true })
    expect((await reader.readFile()).equals(old)).toBe(true)
    await reader.close()
    expect((await file.toBuffer()).equals(expected)).toBe(true)
    await file.dispose()
  })

  const early: [string, () => Promise<unknown>][] = [
    [
      'a source that fails at once',
      () => {
        const source = new Readable({
          read() {
            this.destroy(new Error('no microphone'))
          },
        })
        return pipeline(source, wavHeader(format), recording())
      },
    ],
    [
      'an abort before anything came',
      () => pipeline(new PassThrough(), recording(), { signal: AbortSignal.abort() }),
    ],
    ['destroy()', async () => recording().destroy()],
    ['dispose() at once', () => recording().dispose()],
  ]
  let made: VirtualFile
  function recording(): VirtualFile {
    made = new VirtualFile({ storage: { path, overwrite: true } })
    made.on('error', () => {})
    return made
  }

  test.each(early)('the old file stays after %s', async (_label, fail) => {
    await fail().catch(() => {})
    await settles(made.dispose(), 'dispose()')
    expect(isOld()).toBe(true)
    expect(leftovers()).toEqual([])
    expect(openBelow(place)).toEqual([])
  })

  test.each([0, 44])('the old file stays when a cursor changes the %i bytes that came', async (count) => {
    const bytes = Buffer.from('what the user writes')
    const file = recording()
    await write(file, recorded.bytes.subarray(0, count))
    await settles(closed(file.destroy()), "'close'")
    await file.cursor().write(bytes)
    expect((await file.toBuffer()).subarray(0, bytes.length).equals(bytes)).toBe(true)
    await file.dispose()
    expect(isOld()).toBe(true)
    expect(leftovers()).toEqual([])
    expect(openBelow(place)).toEqual([])
  })

  test('a cursor may change a header without audio behind it', async () => {
    const file = recording()
    await write(file, recorded.bytes.subarray(0, 44))
    await settles(closed(file.destroy()), "'close'")
    const header = await file.toBuffer()
    const cursor = file.cursor()
    cursor.seek(0, 'end')
    await cursor.write(Buffer.alloc(100, 7))
    expect((await file.toBuffer()).equals(Buffer.concat([header, Buffer.alloc(100, 7)]))).toBe(true)
    await file.dispose()
  })
})

describe('two recordings on one path', () => {
  const voice = (byte: number, bytes: number) => Buffer.alloc(bytes, byte)

  interface Run {
    file: VirtualFile
    byte: number
    bytes: number
  }

  async function begin(byte: number): Promise<Run> {
    const file = new VirtualFile({ storage: { path, overwrite: true } })
    file.on('error', () => {})
    const header = wavHeader(format)
    await write(file, await new Promise<Buffer>((resolve) => header.once('data', resolve).end()))
    await write(file, voice(byte, 32_000))
    return { file, byte, bytes: 32_000 }
  }

  async function goOn(run: Run): Promise<void> {
    const error = await errorOf(() => write(run.file, voice(run.byte, 32_000)))
    if (error) expectCode(error, 'ERR_WAVESPOOL_STORAGE', 'a write')
    else run.bytes += 32_000
  }

  async function end({ file }: Run): Promise<WavespoolError | null> {
    file.end()
    await settles(closed(file), "'close'")
    return file.errored as WavespoolError | null
  }

  async function expectOwn({ file, byte, bytes }: Run): Promise<void> {
    const read = await file.toBuffer()
    expect(read.length).toBe(44 + bytes)
    expect(read.readUInt32LE(40)).toBe(bytes)
    expect(read.subarray(44).equals(voice(byte, bytes))).toBe(true)
  }

  test.each(['first', 'second'])(
    'the one whose path was taken fails where the %s ends first',
    async (order) => {
      const first = await begin(1)
      const second = await begin(2)
      await goOn(first)
      await goOn(second)
      const outcomes = new Map<Run, WavespoolError | null>()
      for (const run of order === 'first' ? [first, second] : [second, first]) {
        outcomes.set(run, await end(run))
        await goOn(run === first ? second : first).catch(() => {})
      }
      expectCode(outcomes.get(first), 'ERR_WAVESPOOL_STORAGE', 'the first')
      expect(outcomes.get(second)).toBeNull()
      await expectOwn(first)
      await expectOwn(second)
      expect(readFileSync(path).equals(await second.file.toBuffer())).toBe(true)
      await first.file.dispose()
      await second.file.dispose()
      expect(readdirSync(place)).toEqual(['a.wav'])
      expect(openBelow(place)).toEqual([])
    },
  )

  test('without overwrite the second fails, and the first is not touched', async () => {
    const first = new VirtualFile({ storage: { path } })
    await write(first, recorded.bytes.subarray(0, 200))
    const second = new VirtualFile({ storage: { path } })
    expectCode(await errorOf(() => write(second, recorded.bytes)), 'ERR_WAVESPOOL_STORAGE', 'the second')
    second.on('error', () => {})
    await second.dispose()
    await write(first, recorded.bytes.subarray(200))
    await finish(first)
    expect(readFileSync(path).equals(expected)).toBe(true)
    await first.dispose()
  })

  test('of one hundred that begin in one tick one keeps the path, and the others fail', async () => {
    writeFileSync(path, 'what was there before')
    const runs = Array.from({ length: 100 }, (_, i) => {
      const file = new VirtualFile({ storage: { path, overwrite: true } })
      const bytes = Buffer.concat([recorded.bytes.subarray(0, 44), Buffer.from(pattern(200 + 2 * i))])
      return { file, bytes, done: errorOf(() => pipeline(Readable.from([bytes]), file)) }
    })
    let good = 0
    for (const { file, bytes, done } of runs) {
      const error = await done
      if (error) expectCode(error, 'ERR_WAVESPOOL_STORAGE', 'a recording')
      const own = await file.toBuffer().catch((fault: WavespoolError) => {
        expectCode(fault, 'ERR_WAVESPOOL_STORAGE', 'toBuffer()')
      })
      if (own) expect(own.subarray(44).equals(bytes.subarray(44))).toBe(true)
      if (error === undefined && own && readFileSync(path).equals(own)) good += 1
    }
    expect(good).toBe(1)
    for (const { file } of runs) await file.dispose()
    expect(readdirSync(place)).toEqual(['a.wav'])
    expect(openBelow(place)).toEqual([])
  })
})

test('a recording that is cut while it goes on fails at its end at the latest', async () => {
  const file = new VirtualFile({ storage: { path } })
  file.on('error', () => {})
  await write(file, recorded.bytes)
  truncateSync(path, 100)
  await write(file, recorded.bytes.subarray(44)).catch(() => {})
  file.end()
  await settles(closed(file), "'close'")
  expectCode(file.errored, 'ERR_WAVESPOOL_STORAGE', 'the recording')
  await file.dispose()
  expect(existsSync(path)).toBe(true)
})

test('a directory that is removed after the end', async () => {
  const file = await record()
  rmSync(place, { recursive: true })
  await expectOwnOrRefused(file)
  await file.dispose()
})
