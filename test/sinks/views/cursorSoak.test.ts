import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Cursor, SeekOrigin } from '../../../src/sinks/views/cursor.ts'
import { VirtualFile } from '../../../src/sinks/virtualFile.ts'
import { PART_BYTES } from '../../../src/storage/parts.ts'
import { hasTool, run } from '../../oracles/tools.ts'
import { everyReading, finish, type StorageUnderTest, storages, write } from '../storageContract.ts'

// Long random scripts, which a live io.BytesIO answers once and every storage must answer alike. Short ones, which can
// be shrunk, are in cursor.test.ts.

const origins: SeekOrigin[] = ['start', 'current', 'end']
type Operation = ['seek', number, number] | ['read' | 'readInto' | 'truncate', number] | ['write', string]

/** A small generator with a seed of its own (mulberry32): both sides use the same numbers. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** Operations of which most lie about the borders; a file grows over the far ones now and then, and is cut again. */
function script(seed: number, count: number, borders: number[], far: number): Operation[] {
  const random = randomFrom(seed)
  const about = (border: number) => Math.max(0, border + random(400) - 200)
  const operations: Operation[] = []
  while (operations.length < count) {
    const kind = random(100)
    if (kind < 25) operations.push(['read', random(300)])
    else if (kind < 35) operations.push(['readInto', random(300)])
    else if (kind < 60) operations.push(['write', Buffer.alloc(random(250), random(256)).toString('hex')])
    else if (kind < 75) operations.push(['seek', about(borders[random(borders.length)]!), 0])
    else if (kind < 85) operations.push(['seek', random(600) - 300, 1])
    else if (kind < 97) operations.push(['seek', random(500) - 400, 2])
    else if (kind < 99) operations.push(['truncate', about(borders[random(borders.length)]!)])
    else if (random(far) === 0)
      operations.push(['seek', about(borders.at(-1)!) + 500, 0], ['write', 'c0ffee'])
  }
  return operations
}

const sha1 = (bytes: Uint8Array) => createHash('sha1').update(bytes).digest('hex')

/** By turns at once and with a promise, where the storage has both. */
async function perform(
  cursor: Cursor,
  [verb, value, origin]: Operation,
  isSync: boolean,
  isSyncChange: boolean,
): Promise<unknown> {
  switch (verb) {
    case 'read':
      return sha1(isSync ? cursor.readSync(value) : await cursor.read(value))
    case 'readInto': {
      const target = new Uint8Array(value)
      return [isSync ? cursor.readIntoSync(target) : await cursor.readInto(target), sha1(target)]
    }
    case 'write': {
      const bytes = Buffer.from(value, 'hex')
      return isSyncChange ? cursor.writeSync(bytes) : cursor.write(bytes)
    }
    case 'truncate':
      return isSyncChange ? cursor.truncateSync(value) : cursor.truncate(value)
    case 'seek':
      return cursor.seek(value, origins[origin!])
  }
}

function answersOf(operations: Operation[]): unknown[] {
  const requests = [...operations, ['value']].map((request) => `${JSON.stringify(request)}\n`).join('')
  const program = new URL('bytesIO.py', import.meta.url).pathname
  const lines = run('python3', [program, 'digest'], Buffer.from(requests)).toString().trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line))
}

async function compare(
  operations: Operation[],
  expected: unknown[],
  storage: StorageUnderTest,
): Promise<void> {
  const file = new VirtualFile({ storage: storage.make() })
  await write(file, Buffer.alloc(0))
  await finish(file)
  const cursor = file.cursor()
  for (const [i, operation] of operations.entries()) {
    const atOnce = i % 3 !== 0
    const result = await perform(cursor, operation, storage.hasSync && atOnce, storage.hasSyncWrite && atOnce)
    const isSame = Array.isArray(result)
      ? result.join() === (expected[i] as unknown[]).join()
      : result === expected[i]
    if (!isSame) expect.fail(`operation ${i}, ${JSON.stringify(operation)}: ${result} is not ${expected[i]}`)
  }
  expect(sha1(await everyReading(file))).toBe(expected.at(-1))
  await file.dispose()
}

const THRESHOLD = 20_000
const spilling: StorageUnderTest = {
  label: 'spill, its threshold crossed in the middle',
  make: () => ({ spill: { after: THRESHOLD } }),
  hasSync: true,
  hasSyncWrite: false,
  hasView: false,
  isShared: true,
}

const hasPython = hasTool('python3')
const operations = script(1, 100_000, [0, 300, THRESHOLD - 3000, THRESHOLD, THRESHOLD + 3000], 5)
const expected = hasPython ? answersOf(operations) : []

test.skipIf(!hasPython).each([...storages, spilling])(
  '100,000 operations give the same as io.BytesIO: $label',
  (storage) => compare(operations, expected, storage),
)

test.skipIf(!hasPython)('and 20,000 over several part files', async () => {
  const second = THRESHOLD + PART_BYTES
  const long = script(2, 20_000, [0, THRESHOLD, second, second + PART_BYTES], 40)
  await compare(long, answersOf(long), spilling)
})
