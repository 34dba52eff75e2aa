import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pcmFormat, VirtualFile, wavHeader } from '../../src/index.ts'
import { readExtentsSync } from '../../src/storage/extents.ts'
import { MemoryStorage } from '../../src/storage/memoryStorage.ts'

const bytesOf = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) % 251)

const step = fc.oneof(
  fc.record({ verb: fc.constant('append' as const), length: fc.integer({ min: 0, max: 9000 }) }),
  fc.record({ verb: fc.constant('write' as const), at: fc.nat(), length: fc.integer({ min: 1, max: 9000 }) }),
  fc.record({ verb: fc.constant('truncate' as const), at: fc.nat() }),
  fc.record({ verb: fc.constant('view' as const) }),
  fc.record({ verb: fc.constant('dispose' as const) }),
)

/** A recording in memory equals a plain array, before and after it has become one piece, also in memory used before. */
test('memory holds the written bytes, in blocks and in one piece', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 60 }), (steps, dataStart) => {
      const begin = () => {
        const storage = new MemoryStorage()
        storage.onWavHeader(dataStart)
        return storage
      }
      let storage = begin()
      let model = new Uint8Array(0)
      for (const [i, each] of steps.entries()) {
        if (each.verb === 'append') {
          const bytes = bytesOf(each.length, i)
          storage.append([bytes.subarray(0, 100), bytes.subarray(100)])
          model = Uint8Array.from([...model, ...bytes])
        } else if (each.verb === 'write' && model.length > 0) {
          const at = each.at % model.length
          const bytes = bytesOf(each.length, i).subarray(0, model.length - at)
          storage.write(bytes, at)
          model.set(bytes, at)
        } else if (each.verb === 'truncate') {
          const size = each.at % (model.length + 1)
          storage.truncate(size)
          model = model.slice(0, size)
        } else if (each.verb === 'view') {
          const view = storage.view(model.length + 1)
          expect(Buffer.compare(view.subarray(0, -1), model)).toBe(0)
          expect(view.at(-1)).toBe(0)
        } else if (each.verb === 'dispose') {
          storage.dispose()
          storage = begin()
          model = new Uint8Array(0)
        }
        expect(storage.size).toBe(model.length)
        const copy = new Uint8Array(model.length)
        readExtentsSync(storage, copy, 0)
        expect(Buffer.compare(copy, model)).toBe(0)
      }
    }),
  )
})

test('a recording uses the memory of one that was disposed of', () => {
  const samples = bytesOf(60_000, 1)
  const record = () => {
    const storage = new MemoryStorage()
    storage.append([samples])
    storage.dispose()
  }
  record()
  const { arrayBuffers } = process.memoryUsage()
  for (let i = 0; i < 100; i++) record()
  expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(100 * 60_000)
})

test('a view keeps a right header while more is recorded behind it', async () => {
  for (const storage of ['memory', 'spill'] as const) {
    const file = new VirtualFile({ storage })
    const header = wavHeader(pcmFormat())
    header.pipe(file)
    const write = (length: number) => new Promise((resolve) => header.write(Buffer.alloc(length, 1), resolve))
    await write(1000)
    const view = Buffer.from(file.view().buffer, file.view().byteOffset, 44)
    for (const length of [200, 70_000, 2]) {
      await write(length)
      expect(view.readUInt32LE(40), storage).toBe(file.size - 44)
      expect(view.readUInt32LE(4), storage).toBe(file.size - 8)
    }
    await file.dispose()
  }
})
