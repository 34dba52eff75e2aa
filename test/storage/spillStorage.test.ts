import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pcmFormat, VirtualFile, wavHeader } from '../../src/index.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const MIB = 2 ** 20

/** Samples that are different everywhere, in pieces of a length that fits no part. */
function noise(bytes: number): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, word = 1; at < bytes; at += 65_534) {
    const piece = Buffer.alloc(Math.min(65_534, bytes - at))
    for (let i = 0; i + 1 < piece.length; i += 2) {
      word = (word * 75 + 74) % 65_537
      piece.writeUInt16LE(word & 0xffff, i)
    }
    pieces.push(piece)
  }
  return pieces
}

async function record(bytes: number, after: number): Promise<{ file: VirtualFile; expected: Buffer }> {
  const pieces = noise(bytes)
  const file = new VirtualFile({ storage: { spill: { after, directory } } })
  await pipeline(Readable.from(pieces), wavHeader(pcmFormat(), { dataBytes: bytes }), file)
  const header = wavHeader(pcmFormat(), { dataBytes: bytes }).end().read() as Buffer
  return { file, expected: Buffer.concat([header, ...pieces]) }
}

function partFiles(): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.part'),
  )
}

test('below the threshold nothing is written to the disk', async () => {
  const { file, expected } = await record(MIB, 2 * MIB)
  expect(partFiles()).toEqual([])
  expect(Buffer.from(file.view()).equals(expected)).toBe(true)
})

test('above it every way of reading gives the same bytes', async () => {
  const { file, expected } = await record(21 * MIB + 2, MIB)
  expect(partFiles().length).toBeGreaterThan(2)
  expect((await file.toBuffer()).equals(expected)).toBe(true)
  expect(Buffer.from(await (await file.toFile()).arrayBuffer()).equals(expected)).toBe(true)
  const streamed: Buffer[] = []
  for await (const piece of file.createReadStream()) streamed.push(piece)
  expect(Buffer.concat(streamed).equals(expected)).toBe(true)
  const cursor = file.cursor()
  for (const position of [0, 43, MIB - 1, MIB, 9 * MIB - 7, 21 * MIB]) {
    cursor.seek(position)
    expect(cursor.readSync(100_000).equals(expected.subarray(position, position + 100_000))).toBe(true)
  }
  expect(() => file.view()).toThrow(expect.objectContaining({ code: 'ERR_WAVESPOOL_STORAGE' }))
})

test('a File stays valid while the recording goes on', async () => {
  const file = new VirtualFile({ storage: { spill: { after: 1000, directory } } })
  const header = wavHeader(pcmFormat())
  header.pipe(file)
  const pieces = noise(20 * MIB)
  for (const piece of pieces) {
    if (!header.write(piece)) await new Promise((resolve) => header.once('drain', resolve))
  }
  const sizeThen = file.size
  const snapshot = await file.toFile()
  for (const piece of pieces) {
    if (!header.write(piece)) await new Promise((resolve) => header.once('drain', resolve))
  }
  header.end()
  await new Promise((resolve) => file.once('close', resolve))
  const bytes = Buffer.from(await snapshot.arrayBuffer())
  expect(bytes.length).toBe(sizeThen)
  expect(bytes.readUInt32LE(40)).toBe(sizeThen - 44)
  expect(bytes.subarray(44).equals(Buffer.concat(pieces).subarray(0, sizeThen - 44))).toBe(true)
})

test('the part files are private, and gone after dispose', async () => {
  const { file } = await record(3 * MIB, 1000)
  const [part] = partFiles()
  const path = join(directory, part!)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
  await file.dispose()
  expect(readdirSync(directory)).toEqual([])
})

const spillAnd = (end: string) => `
import { readdirSync } from 'node:fs'
import { VirtualFile } from 'wavespool'
const before = new Set(readdirSync(process.argv[1], { recursive: true }))
const isNewPart = (name) => name.endsWith('.part') && !before.has(name)
const file = new VirtualFile({ storage: { spill: { after: 1000, directory: process.argv[1] } } })
file.write(Buffer.alloc(5000))
file.write(Buffer.alloc(5000))
setInterval(() => {
  if (readdirSync(process.argv[1], { recursive: true }).some(isNewPart)) { ${end} }
}, 5)
`

test('the part files are removed when the process exits, and after a crash by the next spill', async () => {
  const run = (program: string) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', program, directory], { stdio: 'inherit' })
  run(spillAnd('process.exit(0)'))
  expect(readdirSync(directory)).toEqual([])
  run(spillAnd("process.kill(process.pid, 'SIGKILL')"))
  expect(readdirSync(directory)).toHaveLength(1)
  const { file } = await record(MIB, 1000)
  await vi.waitFor(() => expect(readdirSync(directory)).toHaveLength(1)) // its own
  await file.dispose()
  expect(readdirSync(directory)).toEqual([])
})

test('a left directory that cannot be removed completely keeps its lock, and is removed once it can be', async () => {
  const run = () =>
    spawnSync(
      process.execPath,
      ['--input-type=module', '-e', spillAnd("process.kill(process.pid, 'SIGKILL')"), directory],
      { stdio: 'inherit' },
    )
  run()
  const left = join(directory, readdirSync(directory)[0]!)
  mkdirSync(join(left, '000999.part')) // no file, which unlink() refuses
  const sweeper = async () => {
    const { file } = await record(MIB, 1000)
    await vi.waitFor(() => expect(readdirSync(directory)).toHaveLength(2))
    await file.dispose()
  }
  await sweeper()
  await vi.waitFor(() => expect(readdirSync(left)).not.toContain('000000.part'))
  expect(readdirSync(left)).toContain('.wavespool-lock')
  rmdirSync(join(left, '000999.part'))
  const { file } = await record(MIB, 1000)
  await vi.waitFor(() => expect(existsSync(left)).toBe(false))
  await file.dispose()
})

test.skipIf(process.platform === 'win32')('a temporary shortage of descriptors ends no recording', () => {
  const program = `
    import { closeSync, openSync } from 'node:fs'
    import { finished } from 'node:stream/promises'
    import { VirtualFile } from 'wavespool'
    const file = new VirtualFile({ storage: { spill: { after: 1000, directory: process.argv[1] } } })
    const taken = []
    try {
      for (;;) taken.push(openSync('/dev/null'))
    } catch (error) {
      console.log(error.code)
    }
    setTimeout(() => taken.forEach((descriptor) => closeSync(descriptor)), 300)
    const bytes = Buffer.alloc(20_000_000, 'nothing of it is lost')
    for (let at = 0; at < bytes.length; at += 100_000) {
      const piece = bytes.subarray(at, at + 100_000)
      await new Promise((resolve, reject) => file.write(piece, (error) => (error ? reject(error) : resolve())))
    }
    await finished(file.end())
    console.log((await file.toBuffer()).equals(bytes))
    await file.dispose()
  `
  const shell = ['-c', 'ulimit -n 200; exec "$@"', 'sh']
  const node = [process.execPath, '--input-type=module', '-e', program, directory]
  const { stdout, stderr } = spawnSync('sh', [...shell, ...node], { encoding: 'utf8' })
  expect({ stdout, stderr }).toEqual({ stdout: 'EMFILE\ntrue\n', stderr: '' })
  expect(readdirSync(directory)).toEqual([])
})

test('a directory that refuses the parts loses no accepted bytes', async () => {
  const missing = join(directory, 'missing')
  mkdirSync(missing)
  const file = new VirtualFile({ storage: { spill: { after: 10_000, directory: missing } } })
  rmSync(missing, { recursive: true })
  const taken = Readable.from(
    (async function* () {
      for (let i = 1; i < 10_000; i++) {
        yield Buffer.alloc(1000, i)
        await new Promise(setImmediate)
      }
    })(),
  )
  await expect(pipeline(taken, wavHeader(pcmFormat()), file)).rejects.toMatchObject({
    code: 'ERR_WAVESPOOL_STORAGE',
  })
  const bytes = await file.toBuffer()
  expect(bytes.length).toBe(file.size)
  expect(bytes.length).toBeGreaterThanOrEqual(10_000)
  expect(bytes.readUInt32LE(40)).toBe(bytes.length - 44)
  for (let i = 44; i < bytes.length; i++) {
    if (bytes[i] !== ((Math.floor((i - 44) / 1000) + 1) & 0xff)) expect.fail(`byte ${i} is wrong`)
  }
})
