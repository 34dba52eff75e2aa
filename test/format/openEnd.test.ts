import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OpenEnd } from '../../src/format/openEnd.ts'
import { chunkings, pattern } from './arbitraries.ts'
import { chunkOf, entryOf, infoOf } from './riff.ts'
import { chunkOfSize, fmtChunk, riffFile } from './riffFiles.ts'

const noise = Buffer.from(pattern(600))
const chunk = chunkOf('Zq9x', Buffer.alloc(40, 65))
const odd = chunkOf('Zq9x', Buffer.alloc(41, 65))
const list = infoOf(entryOf('INAM', 'a title'))
const next = riffFile([fmtChunk(), chunkOf('data', noise)])

/** The bytes behind a header whose sizes are open, and where the samples and the file end in them. */
const cases: [name: string, dataBytes: number, behind: Buffer[], samples?: number, file?: number][] = [
  ['samples', 0xffffffff, [noise]],
  ['samples and another WAV file', 0xffffffff, [noise, next], 600, 600],
  ['samples and a chunk, which no size tells from samples', 0xffffffff, [noise, chunk]],
  ['a chunk instead of samples', 0xffffffff, [chunk]],
  ['data of 0, samples', 0, [noise]],
  ['data of 0, samples and another WAV file', 0, [noise, next], 600, 600],
  ['data of 0, nothing', 0, []],
  ['data of 0, an unknown chunk', 0, [chunk], 0, 48],
  ['data of 0, odd chunks with their pad bytes', 0, [odd, odd], 0, 100],
  ['data of 0, an odd chunk without its pad byte', 0, [odd.subarray(0, 49), list], 0, 49 + list.length],
  ['data of 0, an odd last chunk without its pad byte', 0, [list, odd.subarray(0, 49)], 0, list.length + 49],
  ['data of 0, a chunk that is cut off', 0, [list, chunk.subarray(0, 47)]],
  ['data of 0, a chunk and something else', 0, [chunk, noise]],
  ['data of 0, a chunk and another WAV file', 0, [odd, next], 0, 50],
  ['data of 0, another WAV file', 0, [next], 0, 0],
  ['data of 0, samples that begin like a chunk', 0, [Buffer.from('Zq9x\xff\xff\xff\x7f', 'latin1'), noise]],
  ['data of 0, a WAV file within a chunk', 0, [chunkOf('Zq9x', next)], 0, 8 + next.length],
  ['data of 0, a chunk cut off with a WAV file in it', 0, [chunkOfSize('Zq9x', next, 9999)], 8, 8],
]

describe('the end of samples whose length is open', () => {
  test.each(cases)('%s', (_name, dataBytes, behind, samples, file) => {
    const bytes = Buffer.concat(behind)
    fc.assert(
      fc.property(chunkings(bytes), (pieces) => {
        const end = new OpenEnd({ dataBytes, isBigEndian: false })
        let certain = 0
        for (const piece of pieces) {
          end.push(piece)
          expect(end.certainBytes).toBeGreaterThanOrEqual(certain)
          certain = end.certainBytes
        }
        end.finish()
        expect([end.dataBytes, end.fileBytes]).toEqual([samples, file])
        expect(end.certainBytes).toBe(samples ?? bytes.length)
        expect(certain).toBeLessThanOrEqual(end.certainBytes)
      }),
      { numRuns: 50 },
    )
  })

  test('does not wait for a chunk of more than a mebibyte', () => {
    const end = new OpenEnd({ dataBytes: 0, isBigEndian: false })
    end.push(chunkOfSize('Zq9x', noise, 2 ** 20))
    expect(end.certainBytes).toBe(608)
  })
})
