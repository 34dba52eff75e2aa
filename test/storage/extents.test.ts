import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import {
  type Extent,
  type ExtentFile,
  type ExtentMap,
  extentBlobs,
  readExtents,
  readExtentsSync,
} from '../../src/storage/extents.ts'
import { PartFiles } from '../../src/storage/partFiles.ts'
import { PART_BYTES, placeOf } from '../../src/storage/parts.ts'
import { pattern } from '../format/arbitraries.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const whole = Buffer.from(pattern(5000))
writeFileSync(join(folder, '000000.part'), whole)

/** A part that moves to the disk, and whose memory becomes something else's, in the very moment it is read. */
class Moving implements ExtentMap {
  readonly size = whole.length
  readonly files = new PartFiles(folder, false)
  isOnDisk = false
  epoch = 0

  extentAt(position: number, end: number): Extent {
    const length = end - position
    if (this.isOnDisk) return { file: this.files.at(0), offset: position, length }
    this.isOnDisk = true
    this.epoch += 1
    return { bytes: Buffer.alloc(length, 0xee), length }
  }
}

/** A part that is said to lie in a file which is taken back in the moment it is opened. */
class Returning extends Moving {
  override extentAt(position: number, end: number): Extent {
    if (this.epoch > 0) return { bytes: whole.subarray(position, end), length: end - position }
    this.epoch += 1
    return { file: this.files.at(1), offset: position, length: end - position }
  }
}

test.each([Moving, Returning])(
  'bytes that move during a read are read from their new place: %o',
  async (Kind) => {
    const target = Buffer.alloc(4000)
    await readExtents(new Kind(), target, 700)
    expect(target.equals(whole.subarray(700, 4700))).toBe(true)
    readExtentsSync(new Kind(), target.fill(0), 1000)
    expect(target.equals(whole.subarray(1000))).toBe(true)
  },
)

test('a Blob has the bytes of the moment when it was made', async () => {
  const blobs = await extentBlobs(new Moving(), 10, 4990)
  const bytes = Buffer.from(await new Blob(blobs as never).arrayBuffer())
  expect(bytes.equals(whole.subarray(10, 4990))).toBe(true)
})

test('a reader of files comes to its end while another thread keeps moving the recording', async () => {
  class Restless extends Moving {
    override isOnDisk = true
    override extentAt(position: number, end: number): Extent {
      this.epoch += 1
      return super.extentAt(position, end)
    }
  }
  const target = Buffer.alloc(5000)
  await readExtents(new Restless(), target, 0)
  expect(target.equals(whole)).toBe(true)
  readExtentsSync(new Restless(), target.fill(0), 0)
  expect(target.equals(whole)).toBe(true)
})

/** Every byte in one file, which brings so many bytes a read. */
function inFile(file: ExtentFile, size = whole.length): ExtentMap {
  return { size, epoch: 0, extentAt: (position, end) => ({ file, offset: position, length: end - position }) }
}

test('a file that no longer exists is an error', async () => {
  const gone = inFile(new PartFiles(folder, false).at(7))
  const missing = expect.objectContaining({ code: 'ENOENT' })
  await expect(readExtents(gone, Buffer.alloc(10), 0)).rejects.toEqual(missing)
  expect(() => readExtentsSync(gone, Buffer.alloc(10), 0)).toThrow(missing)
  await expect(extentBlobs(gone, 0, 10)).rejects.toThrow()
})

test('short reads are continued, and an empty one is an error', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(5000), fc.nat(5000), fc.integer({ min: 1, max: 999 }), async (a, b, most) => {
      const [start, end] = a < b ? [a, b] : [b, a]
      const copy = (target: Uint8Array, at: number) => whole.copy(target, 0, at, at + most)
      const pieces = inFile({ read: async (target, at) => copy(target, at), readSync: copy })
      const target = Buffer.alloc(end - start)
      await readExtents(pieces, target, start)
      expect(target.equals(whole.subarray(start, end))).toBe(true)
      readExtentsSync(pieces, target.fill(0), start)
      expect(target.equals(whole.subarray(start, end))).toBe(true)
    }),
    { numRuns: 50 },
  )
  const short = inFile(new PartFiles(folder, false).at(0), whole.length + 1)
  const cutOff = expect.objectContaining({ code: 'ERR_WAVESPOOL_STORAGE' })
  await expect(readExtents(short, Buffer.alloc(100), 4901)).rejects.toEqual(cutOff)
  expect(() => readExtentsSync(short, Buffer.alloc(100), 4901)).toThrow(cutOff)
  await expect(extentBlobs(short, 0, 5001)).rejects.toEqual(cutOff)
  await expect(async () => readExtents(short, Buffer.alloc(100), 4902)).rejects.toEqual(cutOff)
})

test.each([Number.NaN, undefined, -1, 0.5, 101, '100'])(
  'a read that returns %s is an error',
  async (count) => {
    const lying = inFile({ read: async () => count as number, readSync: () => count as number })
    await expect(readExtents(lying, Buffer.alloc(100), 0)).rejects.toThrow('read() returned')
    expect(() => readExtentsSync(lying, Buffer.alloc(100), 0)).toThrow('read() returned')
  },
)

test('every position has its place, and the parts are consecutive', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 27 }), fc.nat(2 ** 40), (firstBytes, position) => {
      const { index, offset, remaining } = placeOf(firstBytes, position)
      expect(offset + (index === 0 ? 0 : firstBytes + (index - 1) * PART_BYTES)).toBe(position)
      expect(remaining).toBe((index === 0 ? firstBytes : PART_BYTES) - offset)
      expect(remaining).toBeGreaterThan(0)
      expect(placeOf(firstBytes, position + remaining)).toMatchObject({ index: index + 1, offset: 0 })
    }),
  )
})
