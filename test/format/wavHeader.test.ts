import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodings } from '../../src/format/encoding.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { readWavHeader } from '../../src/format/readWavHeader.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { setWavSizes } from '../../src/format/wavSizes.ts'
import { formats, wavEncodings } from './arbitraries.ts'

const ascii = (text: string) => [...Buffer.from(text, 'latin1')]
const u16 = (value: number) => [value & 255, value >> 8]
const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)]
const GUID_TAIL = [0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71]
const ARG_TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const ARG_RANGE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' })

describe('makeWavHeader', () => {
  test.each([1, 2])('integer PCM with %i channels is the canonical 44 bytes', (channels) => {
    const header = makeWavHeader(pcmFormat({ sampleRate: 44_100, channels }), { dataBytes: 1000 })
    expect([...header]).toEqual([
      ...ascii('RIFF'),
      ...u32(36 + 1000),
      ...ascii('WAVEfmt '),
      ...u32(16),
      ...u16(1),
      ...u16(channels),
      ...u32(44_100),
      ...u32(44_100 * 2 * channels),
      ...u16(2 * channels),
      ...u16(16),
      ...ascii('data'),
      ...u32(1000),
    ])
  })

  test.each([
    [3, 0x7],
    [4, 0], // microphones, more often than a quadraphony
    [6, 0x3f],
    [8, 0x63f],
    [9, 0],
  ])('%i channels are WAVE_FORMAT_EXTENSIBLE with mask %i', (channels, mask) => {
    const header = makeWavHeader(pcmFormat({ sampleRate: 48_000, channels, encoding: 's24le' }))
    expect([...header]).toEqual([
      ...ascii('RIFF'),
      ...u32(0xffffffff),
      ...ascii('WAVEfmt '),
      ...u32(40),
      ...u16(0xfffe),
      ...u16(channels),
      ...u32(48_000),
      ...u32(48_000 * 3 * channels),
      ...u16(3 * channels),
      ...u16(24),
      ...u16(22), // cbSize
      ...u16(24), // wValidBitsPerSample
      ...u32(mask),
      ...u32(1),
      ...GUID_TAIL,
      ...ascii('data'),
      ...u32(0xffffffff),
    ])
  })

  test.each([
    ['f32le', 3, 32],
    ['f64le', 3, 64],
    ['mulaw', 7, 8],
    ['alaw', 6, 8],
  ] as const)('%s has cbSize and a fact chunk', (encoding, tag, bits) => {
    const frame = bits / 8
    const header = makeWavHeader(pcmFormat({ sampleRate: 8000, encoding }), { dataBytes: 7 * frame })
    expect([...header]).toEqual([
      ...ascii('RIFF'),
      ...u32(header.length - 8 + 7 * frame + ((7 * frame) % 2)), // the pad byte counts
      ...ascii('WAVEfmt '),
      ...u32(18),
      ...u16(tag),
      ...u16(1),
      ...u32(8000),
      ...u32(8000 * frame),
      ...u16(frame),
      ...u16(bits),
      ...u16(0), // cbSize
      ...ascii('fact'),
      ...u32(4),
      ...u32(7), // dwSampleLength
      ...ascii('data'),
      ...u32(7 * frame),
    ])
  })

  test('rf64 reserves JUNK of 28 zeros at byte 12, which becomes ds64 past 32 bits', () => {
    const format = pcmFormat({ channels: 2 })
    const small = makeWavHeader(format, { rf64: true, dataBytes: 8 })
    expect(Buffer.from(small.subarray(12, 16)).toString()).toBe('JUNK')
    expect([...small.subarray(16, 48)]).toEqual([...u32(28), ...new Array(28).fill(0)])
    expect(Buffer.from(small.subarray(48, 52)).toString()).toBe('fmt ')
    const dataBytes = 2 ** 33
    const large = makeWavHeader(format, { rf64: true, dataBytes })
    const view = new DataView(large.buffer)
    expect(Buffer.from(large.subarray(0, 4)).toString()).toBe('RF64')
    expect(Buffer.from(large.subarray(12, 16)).toString()).toBe('ds64')
    expect(view.getUint32(4, true)).toBe(0xffffffff)
    expect(view.getBigUint64(20, true)).toBe(BigInt(large.length - 8 + dataBytes))
    expect(view.getBigUint64(28, true)).toBe(BigInt(dataBytes))
    expect(view.getBigUint64(36, true)).toBe(BigInt(dataBytes / 4))
    expect(view.getUint32(large.length - 4, true)).toBe(0xffffffff)
    expect(readWavHeader(large)).toMatchObject({ container: 'RF64', dataBytes, format })
  })

  test('setWavSizes opens and closes a header again without a trace', () => {
    fc.assert(
      fc.property(formats, fc.nat(1e6), fc.boolean(), (format, frames, rf64) => {
        const dataBytes = frames * format.bytesPerFrame
        const closed = makeWavHeader(format, { dataBytes, rf64 })
        const header = makeWavHeader(format, { rf64 })
        const fields = readWavHeader(header)!
        const riffBytes = header.length - 8 + dataBytes + (dataBytes % 2)
        setWavSizes(new DataView(header.buffer), fields, {
          dataBytes,
          riffBytes,
          bytesPerFrame: format.bytesPerFrame,
        })
        expect(header).toEqual(closed)
        setWavSizes(new DataView(header.buffer), fields, undefined)
        expect(header).toEqual(makeWavHeader(format, { rf64 }))
      }),
    )
  })

  test('RIFF holds its longest length, and a longer one is refused with the name of the option for RF64', () => {
    const format = pcmFormat({ channels: 2 })
    expect(() => makeWavHeader(format, { dataBytes: 2 ** 32 - 120 })).not.toThrow()
    expect(() => makeWavHeader(format, { dataBytes: 2 ** 32 - 4 })).toThrow(ARG_RANGE)
    expect(() => makeWavHeader(format, { dataBytes: 2 ** 32 - 4 })).toThrow('rf64: true')
  })

  test('refuses values that are no lengths', () => {
    const format = pcmFormat({ channels: 2 })
    for (const dataBytes of [-4, 2, 5, 4.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(() => makeWavHeader(format, { dataBytes })).toThrow(ARG_RANGE)
    }
    for (const options of [
      { dataBytes: '4' },
      { dataBytes: 4n },
      { dataBytes: null },
      { rf64: 1 },
      null,
      4,
    ]) {
      expect(() => makeWavHeader(format, options as never)).toThrow(ARG_TYPE)
    }
  })

  test('every encoding has its own tag and size', () => {
    const seen = wavEncodings.map((name) => `${encodings[name].formatTag}/${encodings[name].bytesPerSample}`)
    expect(new Set(seen).size).toBe(seen.length)
  })
})
