import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../../src/format/pcmFormat.ts'
import { makeWavHeader } from '../../../src/format/wavHeader.ts'
import type { Cursor, SeekOrigin } from '../../../src/sinks/views/cursor.ts'
import { VirtualFile } from '../../../src/sinks/virtualFile.ts'
import { pattern } from '../../format/arbitraries.ts'
import { hasTool } from '../../oracles/tools.ts'
import { everyReading, finish, storages, write } from '../storageContract.ts'

type Step =
  | { verb: 'read' | 'truncate'; amount: number | undefined }
  | { verb: 'readInto'; amount: number }
  | { verb: 'write'; bytes: Uint8Array }
  | { verb: 'seek'; offset: number; origin: SeekOrigin }
  | { verb: 'tell' }

const amount = fc.oneof(fc.nat(40), fc.nat(400))
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ verb: fc.constant('read' as const), amount: fc.option(amount, { nil: undefined }) }),
  fc.record({ verb: fc.constant('readInto' as const), amount }),
  fc.record({ verb: fc.constant('write' as const), bytes: fc.uint8Array({ maxLength: 60 }) }),
  fc.record({
    verb: fc.constant('seek' as const),
    offset: fc.integer({ min: -300, max: 300 }),
    origin: fc.constantFrom<SeekOrigin>('start', 'current', 'end'),
  }),
  fc.record({ verb: fc.constant('truncate' as const), amount: fc.option(amount, { nil: undefined }) }),
  fc.record({ verb: fc.constant('tell' as const) }),
)

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** A step as a request to Python. */
function request(s: Step): unknown[] {
  switch (s.verb) {
    case 'write':
      return ['write', hex(s.bytes)]
    case 'seek':
      return [
        'seek',
        s.origin === 'start' ? Math.abs(s.offset) : s.offset,
        ['start', 'current', 'end'].indexOf(s.origin),
      ]
    case 'tell':
      return ['tell']
    case 'read':
      return ['read', ...(s.amount === undefined ? [] : [s.amount])]
    case 'truncate':
      return ['truncate', ...(s.amount === undefined ? [] : [s.amount])]
    case 'readInto':
      return ['readInto', s.amount]
  }
}

async function perform(cursor: Cursor, s: Step): Promise<unknown> {
  switch (s.verb) {
    case 'read':
      return hex(await cursor.read(s.amount))
    case 'readInto': {
      const target = new Uint8Array(s.amount)
      return [await cursor.readInto(target), hex(target)]
    }
    case 'write':
      return cursor.write(s.bytes)
    case 'seek':
      return cursor.seek(s.origin === 'start' ? Math.abs(s.offset) : s.offset, s.origin)
    case 'tell':
      return cursor.tell()
    case 'truncate':
      return cursor.truncate(s.amount)
  }
}

function performSync(cursor: Cursor, s: Step): unknown {
  switch (s.verb) {
    case 'read':
      return hex(cursor.readSync(s.amount))
    case 'readInto': {
      const target = new Uint8Array(s.amount)
      return [cursor.readIntoSync(target), hex(target)]
    }
    case 'write':
      return cursor.writeSync(s.bytes)
    case 'truncate':
      return cursor.truncateSync(s.amount)
    case 'seek':
      return cursor.seek(s.origin === 'start' ? Math.abs(s.offset) : s.offset, s.origin)
    case 'tell':
      return cursor.tell()
  }
}

async function finished(storage: (typeof storages)[number], bytes: Uint8Array): Promise<VirtualFile> {
  const file = new VirtualFile({ storage: storage.make() })
  if (bytes.length > 0) await write(file, bytes)
  await finish(file)
  return file
}

describe.skipIf(!hasTool('python3'))('a cursor is an io.BytesIO', () => {
  let python: ChildProcess
  let answers: AsyncIterator<string>

  beforeAll(() => {
    python = spawn('python3', [new URL('bytesIO.py', import.meta.url).pathname], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    answers = createInterface({ input: python.stdout! })[Symbol.asyncIterator]()
  })
  afterAll(() => {
    python.kill()
  })

  async function ask(...requests: unknown[][]): Promise<unknown[]> {
    python.stdin!.write(requests.map((r) => `${JSON.stringify(r)}\n`).join(''))
    const results: unknown[] = []
    for (const _ of requests) results.push(JSON.parse((await answers.next()).value))
    return results
  }

  const script = fc.tuple(fc.nat(300), fc.array(step, { minLength: 10, maxLength: 40 }))

  test.each(storages)('in storage: $label', async (storage) => {
    await fc.assert(
      fc.asyncProperty(script, fc.boolean(), async ([length, steps], sync) => {
        const start = pattern(length)
        const file = await finished(storage, start)
        const cursor = file.cursor()
        const results: unknown[] = []
        const run = sync && storage.hasSyncWrite ? performSync : perform
        for (const s of steps) results.push(await run(cursor, s))
        const expected = await ask(['new', hex(start)], ...steps.map(request), ['value'])
        expect(results).toEqual(expected.slice(1, -1))
        expect(hex(await everyReading(file))).toBe(expected.at(-1))
        expect(file.size).toBe((expected.at(-1) as string).length / 2)
        await file.dispose()
      }),
      { numRuns: 40, interruptAfterTimeLimit: 30_000, markInterruptAsFailure: true },
    )
  })
})

describe.each(storages)('cursors: $label', (storage) => {
  test('each has a position of its own', async () => {
    const file = await finished(storage, pattern(100))
    const [a, b] = [file.cursor(), file.cursor()]
    a.seek(-10, 'end')
    expect(hex(await a.read())).toBe(hex(pattern(100).subarray(90)))
    expect(b.tell()).toBe(0)
    const pieces: Buffer[] = []
    for await (const piece of b) pieces.push(piece)
    expect(hex(Buffer.concat(pieces))).toBe(hex(pattern(100)))
    await file.dispose()
  })

  test('reads a recording that grows, but cannot change it before its end', async () => {
    const file = new VirtualFile({ storage: storage.make() })
    const cursor = file.cursor()
    expect(await cursor.read()).toHaveLength(0)
    await write(file, pattern(10))
    expect(hex(await cursor.read(4))).toBe(hex(pattern(10).subarray(0, 4)))
    const refusal = expect.objectContaining({ code: 'ERR_WAVESPOOL_RECORDING' })
    await expect(cursor.write(Buffer.alloc(1))).rejects.toEqual(refusal)
    await expect(cursor.truncate(0)).rejects.toEqual(refusal)
    expect(cursor.tell()).toBe(4)
    await write(file, pattern(5))
    expect(hex(await cursor.read())).toBe(hex(Buffer.concat([pattern(10).subarray(4), pattern(5)])))
    await finish(file)
    await file.dispose()
  })

  test('after a write by a cursor no header is corrected', async () => {
    const header = makeWavHeader(pcmFormat())
    const file = await finished(storage, Buffer.concat([header, pattern(100)]))
    const cursor = file.cursor()
    cursor.seek(40)
    await cursor.write(Buffer.from('ffffffff', 'hex'))
    cursor.seek(0, 'end')
    await cursor.write(pattern(3))
    const bytes = await file.toBuffer()
    expect(bytes).toHaveLength(147)
    expect(bytes.readUInt32LE(40)).toBe(0xffffffff)
    await cursor.truncate(20)
    expect((await file.toBuffer()).equals(bytes.subarray(0, 20))).toBe(true)
    await file.dispose()
  })

  test('maxBytes holds for cursors too', async () => {
    const file = new VirtualFile({ storage: storage.make(), maxBytes: 10 })
    await write(file, pattern(10))
    await finish(file)
    const cursor = file.cursor()
    cursor.seek(8)
    await expect(cursor.write(pattern(3))).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_WAVESPOOL_FULL' }),
    )
    expect(cursor.tell()).toBe(8)
    await cursor.write(pattern(2))
    await file.dispose()
  })
})

test('bad positions and counts are refused, and do not move the cursor', async () => {
  const cursor = (await finished(storages[0]!, pattern(5))).cursor()
  cursor.seek(3)
  for (const bad of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    const refusal = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' })
    expect(() => cursor.seek(bad)).toThrow(refusal)
    await expect(cursor.read(bad)).rejects.toEqual(refusal)
    expect(() => cursor.readSync(bad)).toThrow(refusal)
    await expect(cursor.truncate(bad)).rejects.toEqual(refusal)
  }
  const refusal = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
  for (const bad of ['1', null, 1n]) {
    expect(() => cursor.seek(bad as never)).toThrow(refusal)
    await expect(cursor.read(bad as never)).rejects.toEqual(refusal)
  }
  expect(() => cursor.seek(0, 'middle' as never)).toThrow(refusal)
  expect(() => cursor.seek(0, 'toString' as never)).toThrow(refusal)
  expect(cursor.tell()).toBe(3)
})

test.each(storages)('reads that are called at once read consecutive bytes: $label', async ({ make }) => {
  const file = new VirtualFile({ storage: make() })
  await write(file, pattern(300))
  await finish(file)
  const cursor = file.cursor()
  const pieces = await Promise.all([cursor.read(100), cursor.read(50), cursor.read()])
  expect(hex(Buffer.concat(pieces))).toBe(hex(pattern(300)))
  expect(cursor.tell()).toBe(300)
})
