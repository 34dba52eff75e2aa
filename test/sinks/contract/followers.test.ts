import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { type ReadableFile, VirtualFile } from '../../../src/index.ts'
import { pattern } from '../../format/arbitraries.ts'
import { momentOf, recordings } from '../headers.ts'
import { closed, FailingStorage, write } from '../storageContract.ts'
import { writers, writtenStorages } from '../writers.ts'
import { settles } from './outcomes.ts'

const recorded = recordings[1]!

type Follow = (file: ReadableFile) => Promise<AsyncIterable<Uint8Array>>
const ways: [string, Follow][] = [
  ['createReadStream({ follow })', async (file) => file.createReadStream({ follow: true })],
  ['stream({ follow })', async (file) => file.stream({ follow: true })],
  ['toResponse()', async (file) => (await file.toResponse()).body!],
]

interface Followed {
  bytes: Buffer
  error: (Error & { code?: string }) | undefined
}

/** Reads to the end or the error; a slow reader pauses before each piece. */
async function follow(stream: AsyncIterable<Uint8Array>, pause = 0): Promise<Followed> {
  const pieces: Uint8Array[] = []
  try {
    for await (const piece of stream) {
      pieces.push(piece)
      if (pause > 0) await sleep(pause)
    }
    return { bytes: Buffer.concat(pieces), error: undefined }
  } catch (error) {
    return { bytes: Buffer.concat(pieces), error: error as Error }
  }
}

/** Several pieces for a reader, none of them like another. */
const long = Buffer.concat([recorded.bytes.subarray(0, recorded.dataStart), pattern(400_001)])
const longest = { ...recorded, bytes: long }

describe.each(writtenStorages)('a recording that fails, and its followers: $label', (storage) => {
  describe.each(ways)('%s', (_way, open) => {
    test.each([0, 3])('gets every byte, then the error: a pause of %i ms', async (pause) => {
      const file = new VirtualFile({ storage: storage.make() })
      const writer = storage.writerOf(file)
      writer.on('error', () => {})
      await write(writer, long.subarray(0, 50_000))
      const followed = open(file).then((stream) => follow(stream, pause))
      for (let at = 50_000; at < long.length; at += 50_000) {
        await write(writer, long.subarray(at, at + 50_000))
      }
      writer.destroy(Object.assign(new Error('the microphone is gone'), { code: 'EDEV' }))
      await closed(file)
      const { bytes, error } = await settles(followed, 'a follower')
      expect(error).toMatchObject({ message: 'the microphone is gone', code: 'EDEV' })
      const expected = momentOf(longest, long.length).subarray(recorded.dataStart)
      expect(bytes.subarray(recorded.dataStart).equals(expected)).toBe(true)
      await file.dispose()
    })

    test('a reader that comes late to its stream gets every byte', async () => {
      const file = new VirtualFile({ storage: storage.make() })
      const writer = storage.writerOf(file)
      writer.on('error', () => {})
      await write(writer, long.subarray(0, 150_000))
      const stream = await open(file)
      await turn()
      await write(writer, long.subarray(150_000))
      writer.destroy(new Error('the microphone is gone'))
      await closed(file)
      await sleep(20)
      const { bytes, error } = await settles(follow(stream), 'a follower')
      expect(error?.message).toBe('the microphone is gone')
      expect(bytes.length).toBe(momentOf(longest, long.length).length)
      await file.dispose()
    })
  })

  test('a follower that comes after the failure gets the same as an earlier one', async () => {
    for (const fail of [
      (writer: Writable) => writer.destroy(new Error('the microphone is gone')),
      (writer: Writable) => writer.destroy(),
    ]) {
      const file = new VirtualFile({ storage: storage.make() })
      const writer = storage.writerOf(file)
      writer.on('error', () => {})
      await write(writer, recorded.bytes)
      const before = follow(file.createReadStream({ follow: true }))
      await turn()
      fail(writer)
      const meanwhile = follow(file.createReadStream({ follow: true }))
      await closed(file)
      const after = [
        await meanwhile,
        await follow(file.createReadStream({ follow: true })),
        await follow(file.stream({ follow: true })),
      ]
      const { error } = await before
      expect(error).toBeDefined()
      for (const late of after) {
        expect(late.error).toEqual(error)
        const expected = momentOf(recorded, recorded.bytes.length).subarray(recorded.dataStart)
        expect(late.bytes.subarray(recorded.dataStart).equals(expected)).toBe(true)
      }
      // a snapshot is no follower: the recorded bytes can be read
      expect((await follow(file.createReadStream())).error).toBeUndefined()
      await file.dispose()
    }
  })
})

test.each(writers)(
  'a storage that fails, and a follower that comes after it: $label',
  async ({ writerOf }) => {
    const file = new VirtualFile({ storage: new FailingStorage(200) })
    const writer = writerOf(file)
    writer.on('error', () => {})
    writer.write(recorded.bytes)
    await closed(file)
    const { bytes, error } = await follow(file.createReadStream({ follow: true }))
    expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_STORAGE' })
    expect(bytes.length).toBe(momentOf(recorded, 200).length)
    await file.dispose()
  },
)

/** How a recording fails, and the code that its readers see in every thread. */
const failures: [string, string, (writer: Writable) => unknown][] = [
  [
    'a device',
    'EDEV',
    (writer) => writer.destroy(Object.assign(new Error('the device is gone'), { code: 'EDEV' })),
  ],
  ['destroy()', 'ERR_WAVESPOOL_RECORDING', (writer) => writer.destroy()],
  ['maxBytes', 'ERR_WAVESPOOL_FULL', (writer) => writer.write(Buffer.alloc(100_000))],
]

const failing = failures.flatMap(([failure, code, fail]) =>
  writers.map(({ label, writerOf }) => ({ label: `${failure}, ${label}`, code, fail, writerOf })),
)

describe.each(failing)('the code of an error reaches other threads: $label', ({ code, fail, writerOf }) => {
  async function record(): Promise<{ file: VirtualFile; writer: Writable }> {
    const file = new VirtualFile({ maxBytes: 1000, storage: 'memory' })
    const writer = writerOf(file)
    writer.on('error', () => {})
    await write(writer, recorded.bytes)
    return { file, writer }
  }

  test('an attached file in this thread, attached before and after', async () => {
    const { file, writer } = await record()
    const handle = file.share()
    const early = VirtualFile.attach(handle)
    const before = follow(early.createReadStream({ follow: true }))
    fail(writer)
    await closed(file)
    const late = VirtualFile.attach(handle)
    const after = follow(late.createReadStream({ follow: true }))
    for (const followed of [before, after]) {
      const { error } = await settles(followed, 'a follower')
      expect(error?.code).toBe(code)
      expect(error?.message).toBe((file.errored ?? error)?.message)
    }
    expect([early.failure, late.failure]).toMatchObject([{ code }, { code }])
    await Promise.all([early.dispose(), late.dispose(), file.dispose()])
  })

  test('a worker', async () => {
    const { file, writer } = await record()
    const program = `
      const { parentPort, workerData } = require('node:worker_threads')
      import('wavespool').then(async ({ VirtualFile }) => {
        const file = VirtualFile.attach(workerData)
        parentPort.postMessage('ready')
        let bytes = 0
        try { for await (const piece of file.createReadStream({ follow: true })) bytes += piece.length }
        catch ({ code, message }) { parentPort.postMessage({ code, message, bytes, failure: file.failure?.code }) }
      })`
    const worker = new Worker(program, { eval: true, workerData: file.share() })
    await once(worker, 'message')
    const answer = once(worker, 'message')
    fail(writer)
    const [message] = await settles(answer, 'the worker')
    expect(message).toMatchObject({ code, failure: code })
    expect(message.bytes).toBe(file.size)
    await worker.terminate()
    await file.dispose()
  })
})
