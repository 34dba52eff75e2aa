import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { readWavHeader, scanWavHeader, wavHeaderParser } from '../../src/format/readWavHeader.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { chunkings, formats, wavEncodings } from './arbitraries.ts'
import { chunkOf, entryOf, infoOf, insert } from './riff.ts'

const WAV = expect.objectContaining({ code: 'ERR_WAVESPOOL_WAV' })

describe('readWavHeader', () => {
  test('reads back every header that we make', () => {
    for (const encoding of wavEncodings) {
      for (const channels of [1, 2, 3, 6, 8, 1024]) {
        for (const sampleRate of [1, 8000, 44_100, 192_000]) {
          const format = pcmFormat({ encoding, channels, sampleRate })
          for (const rf64 of [false, true]) {
            const dataBytes = 3 * format.bytesPerFrame
            const header = makeWavHeader(format, { rf64, dataBytes })
            const read = readWavHeader(header)
            expect(read).toMatchObject({ container: 'RIFF', dataBytes, dataStart: header.length })
            expect(read?.format).toEqual(format)
            expect(read?.blockAlign).toBe(format.bytesPerFrame)
          }
        }
      }
    }
  })

  test('asks for more bytes at every length short of the whole, and ignores the bytes behind', () => {
    fc.assert(
      fc.property(formats, fc.boolean(), fc.uint8Array(), (format, rf64, samples) => {
        const header = makeWavHeader(format, { rf64 })
        for (let length = 0; length < header.length; length++) {
          expect(readWavHeader(header.subarray(0, length))).toBeUndefined()
        }
        expect(readWavHeader(Buffer.concat([header, samples]))).toEqual(readWavHeader(header))
      }),
      { numRuns: 40 },
    )
  })

  test('a mutated header gives a header, undefined or a typed error, never anything else', () => {
    const header = insert(
      makeWavHeader(pcmFormat({ channels: 6, encoding: 'f32le' }), { rf64: true }),
      chunkOf('LIST', Buffer.from('abc')),
    )
    const mutation = fc.tuple(fc.nat(header.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), fc.nat(80), (mutations, more) => {
        const bytes = Buffer.concat([header, Buffer.alloc(more)])
        for (const [at, value] of mutations) bytes[at] = value
        const { header: read, fault } = scanWavHeader(bytes)
        if (fault !== undefined) expect(() => readWavHeader(bytes)).toThrow(WAV)
        if (read !== undefined) {
          expect(read.dataStart).toBeLessThanOrEqual(bytes.length)
          expect(read.blockAlign).toBeGreaterThan(0)
          if (read.format) expect(read.format.bytesPerFrame).toBe(read.blockAlign)
        }
        expect(read !== undefined && fault !== undefined).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  test('random bytes are refused or found too short', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const framed = Buffer.concat([Buffer.from('RIFF....WAVE'), bytes])
        expect(() => scanWavHeader(bytes)).not.toThrow()
        expect(() => scanWavHeader(framed)).not.toThrow()
      }),
    )
  })

  test.each(['LIST', 'JUNK', 'bext', 'odd!'])(
    'a %s chunk of any size may stand in front of the data',
    (id) => {
      const header = makeWavHeader(pcmFormat())
      for (let size = 0; size < 70; size++) {
        const bytes = insert(header, chunkOf(id, Buffer.alloc(size, 7)))
        expect(readWavHeader(bytes)).toMatchObject({ dataStart: bytes.length, dataSizeAt: bytes.length - 4 })
        expect(readWavHeader(bytes.subarray(0, -1))).toBeUndefined()
      }
    },
  )

  test('the parser reads the same from pieces, and consumes the header and no byte behind it', () => {
    const before = fc.record({
      id: fc.constantFrom('LIST', 'fact', 'bext', 'JUNK', 'odd!'),
      body: fc.uint8Array({ maxLength: 60 }),
      pad: fc.nat(1),
    })
    const files = fc
      .tuple(formats, fc.boolean(), fc.array(before, { maxLength: 4 }))
      .map(([format, rf64, chunks]) => {
        const header = Buffer.from(makeWavHeader(format, { rf64 }))
        const at = header.indexOf('fmt ')
        const others = chunks.map(({ id, body, pad }) => chunkOf(id, body, body.length % 2 && pad))
        return Buffer.concat([header.subarray(0, at), ...others, header.subarray(at), Buffer.alloc(40, 7)])
      })
    const inPieces = files.chain((bytes) => chunkings(bytes).map((pieces) => ({ bytes, pieces })))
    fc.assert(
      fc.property(inPieces, ({ bytes, pieces }) => {
        const parser = wavHeaderParser()
        let used = 0
        for (const piece of pieces) used += parser.push(Uint8Array.from(piece))
        const whole = scanWavHeader(bytes)
        expect(parser.result ?? {}).toEqual(whole)
        if (whole.fault === undefined) expect(used).toBe(whole.header?.dataStart ?? bytes.length)
      }),
      { numRuns: 500 },
    )
  })

  test('an odd chunk without its pad byte is forgiven', () => {
    const header = makeWavHeader(pcmFormat())
    for (const size of [1, 3, 25, 41, 43]) {
      const bytes = insert(header, chunkOf('LIST', Buffer.alloc(size, 7), 0))
      expect(readWavHeader(Buffer.concat([bytes, Buffer.alloc(4)]))).toMatchObject({
        dataStart: bytes.length,
      })
    }
  })

  describe('tags', () => {
    const withList = (...entries: Buffer[]) => insert(makeWavHeader(pcmFormat()), infoOf(...entries))

    test('are the entries of LIST INFO, with pad bytes and without', () => {
      for (const pad of [undefined, 0]) {
        const bytes = withList(
          entryOf('INAM', 'Äpfel', pad),
          entryOf('IART', 'ab', pad),
          entryOf('ISFT', 'Lavf', pad),
        )
        expect(readWavHeader(bytes)?.tags).toEqual({ INAM: 'Äpfel', IART: 'ab', ISFT: 'Lavf' })
      }
    })

    test('are Latin-1 where they are no UTF-8, end at their zero, and the first of two counts', () => {
      const bytes = withList(
        entryOf('INAM', Buffer.from('Äpfel', 'latin1')),
        entryOf('ICMT', 'a\0b'),
        entryOf('INAM', 'x'),
      )
      expect(readWavHeader(bytes)?.tags).toEqual({ INAM: 'Äpfel', ICMT: 'a' })
    })

    test('of a damaged list end where it is damaged; other lists and giant ones have none', () => {
      const damaged = entryOf('IART', 'ab')
      damaged.writeUInt32LE(0xfffffff0, 4)
      expect(readWavHeader(withList(entryOf('INAM', 'a'), damaged))?.tags).toEqual({ INAM: 'a', IART: 'ab' })
      expect(readWavHeader(withList(entryOf('INAM', 'a'), Buffer.alloc(9), damaged))?.tags).toEqual({
        INAM: 'a',
      })
      const adtl = chunkOf('LIST', Buffer.concat([Buffer.from('adtl'), entryOf('labl', 'a')]))
      const giant = chunkOf(
        'LIST',
        Buffer.concat([Buffer.from('INFO'), entryOf('INAM', Buffer.alloc(70_000, 65))]),
      )
      expect(readWavHeader(insert(makeWavHeader(pcmFormat()), adtl, giant))?.tags).toEqual({})
    })
  })

  test('an encoding that we do not know has no format, but is a WAV file', () => {
    const adpcm = makeWavHeader(pcmFormat())
    new DataView(adpcm.buffer).setUint16(20, 0x11, true)
    expect(readWavHeader(adpcm)).toMatchObject({ format: undefined, formatTag: 0x11 })
    const foreignGuid = makeWavHeader(pcmFormat({ channels: 6 }))
    foreignGuid[59] = 0x72 // the last byte of the SubFormat
    expect(readWavHeader(foreignGuid)).toMatchObject({ format: undefined, formatTag: 0xfffe })
  })

  test.each([
    ['fLaC', 'this is no WAV file'],
    ['OggS', 'this is no WAV file'],
  ])('refuses %s by name', (id, words) => {
    const bytes = Buffer.from(makeWavHeader(pcmFormat()))
    bytes.write(id, 'latin1')
    expect(() => readWavHeader(bytes)).toThrow(WAV)
    expect(() => readWavHeader(bytes)).toThrow(words)
    expect(() => readWavHeader(bytes.subarray(0, 4))).toThrow(WAV)
  })

  test('refuses a RIFF file of another kind, without fmt, or with an impossible one', () => {
    const header = makeWavHeader(pcmFormat())
    const avi = Buffer.from(header)
    avi.write('AVI ', 8)
    const noFmt = Buffer.concat([header.subarray(0, 12), header.subarray(36)])
    const shortFmt = Buffer.concat([
      header.subarray(0, 12),
      chunkOf('fmt ', Buffer.alloc(14)),
      header.subarray(36),
    ])
    const noChannels = Buffer.from(header)
    noChannels.writeUInt16LE(0, 22)
    for (const bytes of [avi, noFmt, shortFmt, noChannels]) expect(() => readWavHeader(bytes)).toThrow(WAV)
  })

  test('reads a view at any offset of a larger buffer', () => {
    const header = makeWavHeader(pcmFormat(), { dataBytes: 2 })
    const larger = Buffer.concat([Buffer.alloc(13, 0xff), header, Buffer.alloc(5, 0xff)])
    expect(readWavHeader(larger.subarray(13, 13 + header.length))).toEqual(readWavHeader(header))
  })
})
