import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { VirtualFile } from '../../src/sinks/virtualFile.ts'
import { chunkings, pattern } from '../format/arbitraries.ts'
import { momentOf, recordings } from './headers.ts'
import { everyReading, finish, rawReading, write } from './storageContract.ts'
import { writtenStorages } from './writers.ts'

describe.each(writtenStorages)('the header in storage: $label', (storage) => {
  const newFile = () => new VirtualFile({ storage: storage.make() })

  test.each(recordings)('$label: right at every moment and at the end', async (recorded) => {
    const { bytes, dataStart, frame } = recorded
    const file = newFile()
    const writer = storage.writerOf(file)
    let size = 0
    for (const length of [1, 11, 8, dataStart - 20, 1, 2, 3, frame, 4096]) {
      const chunk = bytes.subarray(size, size + length)
      await write(writer, chunk)
      size += chunk.length
      expect(file.size).toBe(momentOf(recorded, size).length)
      expect((await everyReading(file)).equals(momentOf(recorded, size)), `at ${size}`).toBe(true)
      expect((await rawReading(file, storage)).equals(momentOf(recorded, size)), `raw at ${size}`).toBe(true)
      const whole = Math.max(0, Math.floor((size - dataStart) / frame))
      if (size >= dataStart) expect(file.duration).toBeCloseTo(whole / 16_000, 9)
      else expect(file.duration).toBeUndefined()
    }
    await finish(writer)
    const exact = momentOf(recorded, size)
    expect(file.size).toBe(exact.length)
    expect((await everyReading(file)).equals(exact)).toBe(true)
    expect((await rawReading(file, storage)).equals(exact)).toBe(true)
    await file.dispose()
  })

  test('any chunking gives the same file, at every chunk', async () => {
    const recorded = fc.constantFrom(...recordings)
    const cut = recorded.chain((r) => chunkings(r.bytes).map((chunks) => ({ r, chunks })))
    await fc.assert(
      fc.asyncProperty(cut, async ({ r, chunks }) => {
        const file = newFile()
        const writer = storage.writerOf(file)
        let size = 0
        for (const chunk of chunks) {
          await write(writer, chunk)
          size += chunk.length
          expect((await file.toBuffer()).equals(momentOf(r, size))).toBe(true)
        }
        await finish(writer)
        expect((await file.toBuffer()).equals(momentOf(r, size))).toBe(true)
        await file.dispose()
      }),
      { numRuns: 30 },
    )
  })

  test('corked chunks arrive as one', async () => {
    const [recorded] = recordings
    const file = newFile()
    const writer = storage.writerOf(file)
    writer.cork()
    for (const byte of recorded!.bytes) writer.write(Uint8Array.of(byte))
    writer.uncork()
    await finish(writer)
    expect((await everyReading(file)).equals(momentOf(recorded!, recorded!.bytes.length))).toBe(true)
    await file.dispose()
  })

  test('chunks behind samples of an exact length stay unchanged', async () => {
    const format = pcmFormat()
    const tail = Buffer.from('LIST\x04\0\0\0abcd', 'latin1')
    const header = Buffer.from(makeWavHeader(format, { dataBytes: 100 }))
    header.writeUInt32LE(36 + 100 + tail.length, 4)
    const whole = Buffer.concat([header, pattern(100), tail])
    const file = newFile()
    const writer = storage.writerOf(file)
    for (const byte of whole) await write(writer, Uint8Array.of(byte))
    expect((await everyReading(file)).equals(whole)).toBe(true)
    await finish(writer)
    expect((await everyReading(file)).equals(whole)).toBe(true)
    expect(file.duration).toBe(50 / 16_000)
    await file.dispose()
  })

  test.each([
    ['nothing', new Uint8Array(0)],
    ['one byte', Buffer.from('R')],
    ['half a header', Buffer.from(makeWavHeader(pcmFormat()).subarray(0, 30))],
    ['text', Buffer.from('RIFFraff, no wave at all')],
    ['raw PCM', pattern(333)],
    ['a RIFF file that is no WAV', Buffer.from('RIFF\xff\xff\xff\xffAVI LIST....', 'latin1')],
    [
      'a RIFX file',
      Buffer.from(`RIFX${Buffer.from(makeWavHeader(pcmFormat()).subarray(4)).toString('latin1')}`, 'latin1'),
    ],
  ])('%s is not touched', async (_, bytes) => {
    const file = newFile()
    const writer = storage.writerOf(file)
    for (const byte of bytes) {
      await write(writer, Uint8Array.of(byte))
      expect((await file.toBuffer()).equals(bytes.subarray(0, file.size))).toBe(true)
    }
    await finish(writer)
    expect((await everyReading(file)).equals(bytes)).toBe(true)
    expect((await rawReading(file, storage)).equals(bytes)).toBe(true)
    expect(file.format).toBeUndefined()
    expect(file.duration).toBeUndefined()
    await file.dispose()
  })

  test('knows its format at every moment', async () => {
    const format = pcmFormat({ channels: 2 })
    const file = new VirtualFile({ name: 'Memo.WAV', storage: storage.make() })
    const writer = storage.writerOf(file)
    expect(file).toMatchObject({ name: 'Memo.WAV', type: 'audio/wav', size: 0, format: undefined })
    const header = makeWavHeader(format)
    await write(writer, header.subarray(0, 43))
    expect(file).toMatchObject({ size: 43, format: undefined, duration: undefined })
    await write(writer, header.subarray(43))
    expect(file).toMatchObject({ size: 44, format, duration: 0 })
    await write(writer, pattern(64_000))
    expect(file).toMatchObject({ size: 64_044, format, duration: 1 })
    const asFile = await file.toFile()
    expect(asFile).toBeInstanceOf(File)
    expect(asFile).toMatchObject({ name: 'Memo.WAV', type: 'audio/wav', size: 64_044 })
    await write(writer, pattern(3))
    expect(file).toMatchObject({ size: 64_044, format, duration: 1 })
    await finish(writer)
    expect(file).toMatchObject({ size: 64_044, format, duration: 1 })
    await file.dispose()
  })
})
