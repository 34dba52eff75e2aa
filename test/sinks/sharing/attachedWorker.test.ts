import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { on, once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterAll, describe, expect, test } from 'vitest'
import {
  pcmFormat,
  type SharedVirtualFile,
  VirtualFile,
  type VirtualFileOptions,
  wavHeader,
} from '../../../src/index.ts'

// A thread runs the build, so these tests need `npm run build`, which `npm test` does first.

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const MIB = 2 ** 20
const codeOfDisposed = expect.objectContaining({ code: 'ERR_WAVESPOOL_DISPOSED' })
const format = pcmFormat()
let paths = 0
const kinds: [string, () => NonNullable<VirtualFileOptions['storage']>][] = [
  ['memory', () => 'memory'],
  ['spilled while it is read', () => ({ spill: { after: MIB, directory: folder } })],
  ['path', () => ({ path: join(folder, `${paths++}.wav`) })],
]

/** A thread, and the messages that it sends, in their order. */
interface Reader {
  worker: Worker
  messages: AsyncIterator<unknown[]>
}

function start(task: string, handle: SharedVirtualFile): Reader {
  const worker = new Worker(new URL('attachedWorker.mjs', import.meta.url), { workerData: { task, handle } })
  return { worker, messages: on(worker, 'message', { close: ['exit'] }) }
}

async function answer({ messages }: Reader): Promise<unknown> {
  const { value, done } = await messages.next()
  if (done) throw new Error('the worker ended before it answered')
  return value[0]
}

/** Words that depend on their position, so that a read from the wrong place is found. */
function* samples(bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; ) {
    const piece = Buffer.alloc(Math.min(64 * 1024, bytes - at))
    const words = new Uint32Array(piece.buffer, piece.byteOffset, piece.length >> 2)
    for (let i = 0; i < words.length; i++) words[i] = Math.imul((at >> 2) + i, 0x9e3779b1)
    at += piece.length
    yield piece
  }
}

async function record(file: VirtualFile, bytes: number): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  const header = wavHeader(format)
  header.pipe(file)
  for (const piece of samples(bytes)) {
    hash.update(piece)
    if (!header.write(piece)) await once(header, 'drain')
    await turn()
  }
  header.end()
  await once(file, 'close')
  return { bytes, sha256: hash.digest('hex') }
}

describe.each(kinds)('in other threads: %s', (_kind, make) => {
  test('two follow, one blocks and one reads at random, while 48 MiB are recorded and another reader dies', async () => {
    const file = new VirtualFile({ storage: make() })
    const handle = file.share() // before the first byte
    const doomed = ['follow', 'hang'].map((task) => start(task, handle))
    const readers = ['follow', 'block', 'roam'].map((task) => start(task, handle))
    await Promise.all(readers.map(({ worker }) => once(worker, 'online')))
    const recorded = record(file, 48 * MIB)
    await Promise.all(doomed.map(answer))
    await Promise.all(doomed.map(({ worker }) => worker.terminate()))
    const [followed, blocked, roamed] = await Promise.all(
      readers.map(async (reader) => {
        const first = await answer(reader)
        return first === 'begun' ? answer(reader) : first
      }),
    )
    const expected = await recorded
    expect(followed).toEqual(expected)
    expect(blocked).toEqual({ ...expected, results: ['ready', 'ended'] })
    expect(roamed).toMatchObject({ wrong: 0 })
    expect((roamed as { reads: number }).reads).toBeGreaterThan(10)
    const late = start('follow', handle)
    expect(await answer(late)).toBe('begun')
    expect(await answer(late)).toEqual(expected)
    await file.dispose()
  })

  test('a handle that is posted, by a file that has begun', async () => {
    const file = new VirtualFile({ name: 'talk.wav', storage: make() })
    const header = wavHeader(format)
    header.pipe(file)
    for (const piece of samples(20 * MIB)) if (!header.write(piece)) await once(header, 'drain')
    const reader = start('views', file.share())
    header.end(Buffer.alloc(2))
    expect(await answer(reader)).toEqual({
      same: true,
      bytes: 20 * MIB + 46,
      header: 20 * MIB + 2,
      samples: 10 * MIB + 1,
      format: { ...format },
      duration: (10 * MIB + 1) / 16_000,
      path: true,
    })
    await file.dispose()
  })

  test('a thread that reads when the file is disposed, and one that waits, get an error', async () => {
    const file = new VirtualFile({ storage: make() })
    file.on('error', () => {})
    const handle = file.share()
    const header = wavHeader(format)
    header.pipe(file)
    for (const piece of samples(12 * MIB)) if (!header.write(piece)) await once(header, 'drain')
    const readers = ['untilDisposed', 'waitForDispose'].map((task) => start(task, handle))
    expect(await Promise.all(readers.map(answer))).toEqual(['begun', 'begun'])
    await file.dispose()
    const [reading, waiting] = await Promise.all(readers.map(answer))
    const disposed = { code: 'ERR_WAVESPOOL_DISPOSED' }
    expect(reading).toMatchObject(disposed)
    expect([disposed, { result: 'failed' }]).toContainEqual(waiting) // it did not come to its end, and is gone
    expect(readdirSync(folder).filter((name) => name.includes('spill'))).toEqual([])
  })
})

test.each([
  ['memory', 'memory'],
  ['spilled', { spill: { after: MIB } }],
])('a thread that records, and the main thread that reads along: %s', async (_label, storage) => {
  const bytes = 20_000_000
  const worker = new Worker(new URL('recordingWorker.mjs', import.meta.url), {
    workerData: { storage, bytes },
  })
  const [handle] = await once(worker, 'message')
  const file = VirtualFile.attach(handle)
  expect(file.waitSync(1_000_000, 20_000)).toBe('ready')
  let at = 0
  for await (const piece of file.createReadStream({ follow: true, highWaterMark: 64_000 })) {
    for (let i = 0; i + 4 <= piece.length; i += 4) {
      if (piece.readUInt32LE(i) !== (at + i) / 4) expect.fail(`the word at ${at + i} is wrong`)
    }
    at += piece.length - (piece.length % 4)
    expect(piece.length % 4).toBe(0)
  }
  expect(at).toBe(bytes)
  expect(file.waitSync(bytes + 1)).toBe('ended')
  worker.postMessage('enough')
  await once(worker, 'exit')
  expect(() => file.readSync(Buffer.alloc(1), 0)).toThrow(codeOfDisposed)
})

test('waitSync() gives up in time', async () => {
  const file = new VirtualFile()
  const { result, after } = (await answer(start('timeout', file.share()))) as {
    result: string
    after: number
  }
  expect(result).toBe('timeout')
  expect(after).toBeGreaterThanOrEqual(49)
  await file.dispose()
})

const program = `new URL(${JSON.stringify(new URL('attachedWorker.mjs', import.meta.url))})`

/** Runs a program to its end; returns the code it exits with, or the signal that ended it after ten seconds. */
function exitOf(program: string): number | string | null {
  const { status, signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 10_000,
  })
  expect(stderr).toBe('')
  return signal ?? status
}

test('a follower that waits keeps neither the main thread nor, after unref() of its worker, the process alive', () => {
  const file = `
    import { Worker } from 'node:worker_threads'
    import { VirtualFile } from 'wavespool'
    const file = new VirtualFile()
    file.write(Buffer.alloc(1000))
  `
  expect(exitOf(`${file} VirtualFile.attach(file.share()).createReadStream({ follow: true }).resume()`)).toBe(
    0,
  )
  expect(
    exitOf(`${file}
      const worker = new Worker(${program}, { execArgv: [], workerData: { task: 'follow', handle: file.share() } })
      worker.once('message', () => worker.unref())
    `),
  ).toBe(0)
})

test('a worker that only follows lives to the end of the recording', () => {
  expect(
    exitOf(`
      import { Worker } from 'node:worker_threads'
      import { VirtualFile } from 'wavespool'
      const file = new VirtualFile()
      const worker = new Worker(${program}, { execArgv: [], workerData: { task: 'follow', handle: file.share() } })
      worker.on('message', (message) => { if (message.bytes === 2956) process.exitCode = 7 })
      for (let i = 0; i < 3; i++) setTimeout(() => file.write(Buffer.alloc(1000)), 100 + 300 * i)
      setTimeout(() => file.end(), 1000)
    `),
  ).toBe(7)
})
