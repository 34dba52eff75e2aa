import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diagnoseWav, type WavDiagnosis } from '../../src/format/diagnoseWav.ts'
import { encodings } from '../../src/format/encoding.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { readWavHeader } from '../../src/format/readWavHeader.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { endOfData } from '../../src/format/wavLength.ts'
import { formats } from './arbitraries.ts'

function diagnose(file: Uint8Array): WavDiagnosis {
  const header = readWavHeader(file)!
  const behind = { bytes: file.subarray(endOfData(header), endOfData(header) + 8), isAudio: true }
  return diagnoseWav(header, file.length, behind)
}

/** The file after a repair by the diagnosis. */
function repaired(file: Uint8Array): Buffer {
  const { patches, end, pad } = diagnose(file)
  const copy = Buffer.concat([file.subarray(0, end), Buffer.alloc(pad)])
  for (const { at, bytes } of patches) copy.set(bytes, at)
  return copy
}

const kinds = (file: Uint8Array) => diagnose(file).faults.map(({ kind }) => kind)

/** A WAV file in good order, of samples that hold no printable name. */
const anyFile = fc
  .record({ format: formats, frames: fc.integer({ min: 1, max: 50 }), rf64: fc.boolean() })
  .map(({ format, frames, rf64 }) => {
    const dataBytes = frames * format.bytesPerFrame
    const header = makeWavHeader(format, { dataBytes, rf64 })
    const file = Buffer.concat([header, Buffer.alloc(dataBytes, 0x81), Buffer.alloc(dataBytes % 2)])
    return { format, file, dataStart: header.length, dataBytes }
  })

describe('a file without faults', () => {
  test('is diagnosed as such, and stays unchanged', () => {
    fc.assert(
      fc.property(anyFile, ({ file, dataBytes }) => {
        expect(diagnose(file)).toMatchObject({ faults: [], dataBytes, end: file.length, pad: 0 })
        expect(repaired(file)).toEqual(file)
      }),
    )
  })

  test.each([
    ['another chunk', Buffer.from('LIST\x04\0\0\0INFO', 'latin1')],
    ['a tag of mp3 players, which no RIFF size counts', Buffer.from(`TAG${'x'.repeat(125)}`)],
  ])('with %s behind the samples', (_name, behind) => {
    const format = pcmFormat()
    const file = Buffer.concat([makeWavHeader(format, { dataBytes: 6 }), Buffer.alloc(6), behind])
    if (behind.includes('LIST')) file.writeUInt32LE(file.length - 8, 4)
    expect(kinds(file)).toEqual([])
    expect(repaired(file)).toEqual(file)
  })

  test('with no samples, and another chunk', () => {
    const header = makeWavHeader(pcmFormat(), { dataBytes: 0 })
    const file = Buffer.concat([header, Buffer.from('LIST\x04\0\0\0INFO', 'latin1')])
    file.writeUInt32LE(file.length - 8, 4)
    expect(kinds(file)).toEqual([])
  })
})

describe('a header that was left wrong is put right, byte for byte', () => {
  const sizeAt = (dataStart: number) => dataStart - 4

  test.each([
    ['by a writer into a pipe: ffmpeg', 0xffffffff, 0xffffffff, 'open'],
    ['by a writer into a pipe: sox', 0x7ffff024, 0x7ffff000, 'open'],
    ['by a writer into a pipe: arecord', 0x80000024, 0x80000000, 'open'],
    ['by a writer that never came back', 0, 0, 'zero'],
    ['by a writer that never came back, with a RIFF size', 36, 0, 'zero'],
    ['by a lost tail', 100_036, 100_000, 'long'],
  ])('%s', (_name, riffBytes, announced, kind) => {
    fc.assert(
      fc.property(anyFile, ({ file, dataStart, dataBytes, format }) => {
        const broken = Buffer.from(file)
        broken.writeUInt32LE(riffBytes, 4)
        broken.writeUInt32LE(announced, sizeAt(dataStart))
        // behind samples of one byte a pad byte looks like one of them
        fc.pre(format.bytesPerFrame > 1 || dataBytes % 2 === 0)
        expect(kinds(broken)[0]).toBe(kind)
        expect(repaired(broken)).toEqual(file)
      }),
    )
  })

  test('by a kill: the samples of the last second, which the header does not count yet', () => {
    fc.assert(
      fc.property(
        anyFile,
        fc.integer({ min: 1, max: 400 }),
        ({ file, dataStart, dataBytes, format }, frames) => {
          fc.pre(dataBytes % 2 === 0)
          const more = Buffer.alloc(frames * format.bytesPerFrame, 0x82)
          fc.pre(more.length % 2 === 0)
          const killed = Buffer.concat([file, more])
          expect(kinds(killed)).toEqual(['short'])
          expect(diagnose(repaired(killed))).toMatchObject({ faults: [], dataBytes: dataBytes + more.length })
          expect(repaired(killed).subarray(dataStart)).toEqual(killed.subarray(dataStart))
        },
      ),
    )
  })

  test('a file with any sizes, cut anywhere, has no fault after the repair', () => {
    const sizes = fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 0xffffffff }))
    fc.assert(
      fc.property(anyFile, sizes, sizes, fc.nat(), ({ file, dataStart, format }, riff, data, cut) => {
        const broken = Buffer.from(file.subarray(0, dataStart + (cut % (file.length - dataStart + 1))))
        broken.writeUInt32LE(riff, 4)
        broken.writeUInt32LE(data, sizeAt(dataStart))
        const result = repaired(broken)
        expect(kinds(result)).toEqual([])
        const { dataBytes } = diagnose(broken)
        expect(dataBytes % format.bytesPerFrame).toBe(0)
        const read = readWavHeader(result)!
        expect(read.format).toEqual(format)
        expect(read.dataBytes - (read.dataBytes % format.bytesPerFrame)).toBe(dataBytes)
      }),
    )
  })
})

test('past 4 GiB a header without room for 64 bits keeps open sizes, and RF64 has the right ones', () => {
  const file = Buffer.from(makeWavHeader(pcmFormat({ encoding: 'f32le' })))
  const dataBytes = 5 * 2 ** 30
  file.writeUInt32LE((dataBytes + file.length - 8) % 2 ** 32, 4)
  file.writeUInt32LE(dataBytes % 2 ** 32, file.length - 4)
  const nothing = { bytes: new Uint8Array(0), isAudio: false }
  const { faults, patches, rf64 } = diagnoseWav(readWavHeader(file)!, file.length + dataBytes, nothing)
  expect(faults).toMatchObject([{ kind: 'short', message: expect.stringContaining('wrapped at 4 GiB') }])
  const long = Buffer.concat([file.subarray(0, rf64!.at), rf64!.insert, file.subarray(rf64!.at)])
  for (const { at, bytes } of rf64!.patches) long.set(bytes, at)
  expect(readWavHeader(long)).toMatchObject({
    container: 'RF64',
    dataBytes,
    riffBytes: long.length + dataBytes - 8,
  })
  for (const { at, bytes } of patches) file.set(bytes, at)
  expect(diagnoseWav(readWavHeader(file)!, file.length + dataBytes, nothing)).toMatchObject({
    faults: [],
    dataBytes,
  })
})

test.each([
  { kind: 'pad', encoding: 'u8', at: 40, value: 7, end: 51 },
  { kind: 'torn', encoding: 's16le', at: 40, value: 5, end: 49 },
  { kind: 'riff', encoding: 's16le', at: 4, value: 7, end: 58 },
  { kind: 'fact', encoding: 'mulaw', at: 46, value: 9, end: 66 },
] as const)(
  'seven frames of $encoding with a fault of the kind $kind',
  ({ kind, encoding, at, value, end }) => {
    const dataBytes = 7 * encodings[encoding].bytesPerSample
    const header = makeWavHeader(pcmFormat({ encoding }), { dataBytes })
    const file = Buffer.concat([header, Buffer.alloc(dataBytes + (dataBytes % 2))])
    expect(kinds(file)).toEqual([])
    file.writeUInt32LE(value, at)
    const harmed = file.subarray(0, end)
    expect(kinds(harmed)).toContain(kind)
    expect(kinds(repaired(harmed))).toEqual([])
  },
)
