import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import {
  blobsOf,
  PART_BYTES,
  type Parts,
  placeOf,
  readParts,
  readPartsSync,
} from '../../../src/sinks/storage/parts.ts'
import { pattern } from '../../format/arbitraries.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const whole = Buffer.from(pattern(5000))

/** A first part that moves to the disk, and whose memory becomes something else's, in the very moment it is read. */
class Moving implements Parts {
  readonly size = whole.length
  readonly firstBytes = 8192
  readonly head = new Uint8Array(0)
  readonly path = join(folder, 'moved.part')
  sealed = 0
  epoch = 0

  memoryOf(): Uint8Array {
    if (this.sealed === 0) {
      writeFileSync(this.path, whole)
      this.sealed = 1
      this.epoch += 1
    }
    return Buffer.alloc(5000, 0xee)
  }

  pathOf(): string {
    return this.path
  }
}

/** A part that is said to lie in a file which is taken back in the moment it is opened. */
class Returning extends Moving {
  override sealed = 1

  override memoryOf(): Uint8Array {
    return whole
  }

  override pathOf(): string {
    this.sealed = 0
    this.epoch += 1
    return join(folder, 'gone.part')
  }
}

test.each([Moving, Returning])(
  'what moves while it is read is read from where it is now: %o',
  async (Kind) => {
    const target = Buffer.alloc(4000)
    expect(await readParts(new Kind(), target, 700)).toBe(4000)
    expect(target.equals(whole.subarray(700, 4700))).toBe(true)
    expect(readPartsSync(new Kind(), target.fill(0), 1000)).toBe(4000)
    expect(target.equals(whole.subarray(1000))).toBe(true)
    expect(readPartsSync(new Kind(), target, 4999)).toBe(1)
  },
)

test('a Blob is made of what lies where it lies when it is made', async () => {
  const blobs = await blobsOf(new Moving(), 10, 4990)
  expect(Buffer.from(await new Blob(blobs as never).arrayBuffer()).equals(whole.subarray(10, 4990))).toBe(
    true,
  )
})

test('a recording that keeps moving on the other side does not keep a reader from its files', async () => {
  class Restless extends Moving {
    override sealed = 1
    override pathOf(): string {
      writeFileSync(this.path, whole)
      this.epoch += 1
      return this.path
    }
  }
  const target = Buffer.alloc(5000)
  expect(await readParts(new Restless(), target, 0)).toBe(5000)
  expect(readPartsSync(new Restless(), target.fill(0), 0)).toBe(5000)
  expect(target.equals(whole)).toBe(true)
})

test('a file that is gone for good is an error', async () => {
  class Gone extends Moving {
    override sealed = 1
    override pathOf(): string {
      return join(folder, 'gone.part')
    }
  }
  const missing = expect.objectContaining({ code: 'ENOENT' })
  await expect(readParts(new Gone(), Buffer.alloc(10), 0)).rejects.toEqual(missing)
  expect(() => readPartsSync(new Gone(), Buffer.alloc(10), 0)).toThrow(missing)
  await expect(blobsOf(new Gone(), 0, 10)).rejects.toThrow()
})

test('every position has its place, and the parts lie one behind the other', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 27 }), fc.nat(2 ** 40), (firstBytes, position) => {
      const { index, offset, room } = placeOf({ firstBytes }, position)
      expect(offset + (index === 0 ? 0 : firstBytes + (index - 1) * PART_BYTES)).toBe(position)
      expect(room).toBe((index === 0 ? firstBytes : PART_BYTES) - offset)
      expect(room).toBeGreaterThan(0)
      expect(placeOf({ firstBytes }, position + room)).toMatchObject({ index: index + 1, offset: 0 })
    }),
  )
})
