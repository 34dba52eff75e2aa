import { buffer } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VirtualFile } from '../../../src/sinks/virtualFile.ts'
import { chunkings } from '../../format/arbitraries.ts'
import { recordings } from '../headers.ts'
import { finish, storages, write } from '../storageContract.ts'

describe.each(storages)('the samples alone: $label', (storage) => {
  test('are all samples and nothing else, at every moment and to the end', async () => {
    const cut = fc
      .constantFrom(...recordings)
      .chain((r) => fc.record({ r: fc.constant(r), chunks: chunkings(r.bytes), highWaterMark: fc.nat(40) }))
    await fc.assert(
      fc.asyncProperty(cut, async ({ r, chunks, highWaterMark }) => {
        const file = new VirtualFile({ storage: storage.make() })
        const samples = r.bytes.subarray(r.dataStart)
        const whole = samples.subarray(0, samples.length - (samples.length % r.frame))
        const options = { header: false, highWaterMark: highWaterMark + 1 }
        const followers = [
          buffer(file.createReadStream({ ...options, follow: true })),
          buffer(file.createReadStream({ ...options, follow: true, start: r.frame, end: 2 * r.frame - 1 })),
        ]
        let written = 0
        for (const chunk of chunks) {
          await write(file, chunk)
          written += chunk.length
          const recorded = Math.max(0, written - r.dataStart)
          const moment = await buffer(file.createReadStream(options))
          expect(moment.equals(whole.subarray(0, recorded - (recorded % r.frame)))).toBe(true)
          await turn()
        }
        followers.push(buffer(file.createReadStream({ ...options, follow: true })))
        await finish(file)
        followers.push(buffer(file.createReadStream(options)))
        const [followed, frame, ...later] = await Promise.all(followers)
        for (const bytes of [followed!, ...later]) expect(bytes.equals(whole)).toBe(true)
        expect(frame).toEqual(whole.subarray(r.frame, 2 * r.frame))
        await file.dispose()
      }),
      { numRuns: 25 },
    )
  })

  test('leave out the chunks behind them', async () => {
    const { bytes } = recordings[0]!
    const wav = Buffer.concat([bytes.subarray(0, 344), Buffer.from('LIST\x04\0\0\0INFO', 'latin1')])
    wav.writeUInt32LE(wav.length - 8, 4)
    wav.writeUInt32LE(300, 40)
    const file = new VirtualFile({ storage: storage.make() })
    const followed = buffer(file.createReadStream({ header: false, follow: true }))
    await write(file, wav)
    await finish(file)
    expect(await followed).toEqual(wav.subarray(44, 344))
    expect(await buffer(file.createReadStream({ header: false }))).toEqual(wav.subarray(44, 344))
  })
})

test('a file that is no WAV has no header to leave out', async () => {
  const file = await VirtualFile.from(Buffer.from('an mp3, say, and long enough to tell that'))
  expect(await buffer(file.createReadStream({ header: false }))).toEqual(await file.toBuffer())
})

test('the header is still left out once a cursor has changed the samples', async () => {
  const { bytes } = recordings[0]!
  const file = await VirtualFile.from(bytes)
  const cursor = file.cursor()
  cursor.seek(44)
  await cursor.write(Buffer.from([1, 2]))
  const samples = Buffer.from(bytes.subarray(44, 344))
  samples.set([1, 2])
  expect(await buffer(file.createReadStream({ header: false }))).toEqual(samples)
})

test('no chunk is larger than the high water mark, and a wrong one is refused', async () => {
  const file = await VirtualFile.from(Buffer.alloc(100_000))
  for await (const chunk of file.createReadStream({ highWaterMark: 320 })) {
    expect(chunk.length).toBeLessThanOrEqual(320)
  }
  expect(() => file.createReadStream({ highWaterMark: 0 })).toThrow(/highWaterMark/)
  expect(() => file.createReadStream({ highWaterMark: -1 })).toThrow(/highWaterMark/)
})
