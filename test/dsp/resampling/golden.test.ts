import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Converter, type ConvertOptions } from '../../../src/dsp/converter.ts'
import { type PcmFormat, pcmFormat } from '../../../src/format/pcmFormat.ts'
import { random } from '../samples.ts'

/** A format in a word: encoding, Hz, channels. */
function format(name: string): PcmFormat {
  const [encoding, sampleRate, channels] = name.split(' ')
  return pcmFormat({
    encoding: encoding as PcmFormat['encoding'],
    sampleRate: Number(sampleRate),
    channels: Number(channels),
  })
}

/**
 * The digests of all bytes, from when every converter had a memory of its own and computed only in 64 bits: at rates that
 * are exact and interpolated, up and down, far apart and nearly equal.
 */
const golden: [from: string, to: string, options: ConvertOptions, digest: string][] = [
  ['mulaw 8000 1', 's16le 16000 1', {}, 'f07d2fbe9072ecfa'],
  ['alaw 8000 1', 'f32le 48000 2', {}, '2d8490652001dadd'],
  ['s16le 48000 1', 's16le 16000 1', {}, 'dbd4d4281bdb7fff'],
  ['s16le 44100 2', 's16le 16000 1', {}, 'ca1c9aed8c4b5a0a'],
  ['s16le 44100 2', 's16le 48000 2', {}, '4077a212c117c902'],
  ['f32le 48000 2', 's16le 16000 1', {}, '35554a6d975441a1'],
  ['s24le 96000 6', 's16le 44100 6', { dither: 'tpdf' }, 'fac2c9fc773cd97f'],
  ['s32le 16000 1', 'f64le 48000 1', {}, 'f42158dfc42bd391'],
  ['f64le 22050 1', 's32le 8000 1', {}, 'e58f887de0303c88'],
  ['s16le 44101 1', 's16le 16000 1', {}, '58f8fa32756dd723'],
  ['f32le 44101 3', 'f32le 47999 3', {}, '71bdff497a8cd335'],
  ['s16le 16000 1', 's16le 16001 1', { dither: 'tpdf' }, '8b117b8b5eaf3184'],
  ['u8 11025 1', 'u8 8000 1', {}, '8ab721ca30ca95c1'],
  ['s16le 192000 2', 'mulaw 8000 1', { channel: 1 }, 'aad6dbb319f5955b'],
  ['s16le 384000 1', 's16le 1500 1', {}, '75ba95aa4970b0b8'],
  ['f32le 1000 1', 'f32le 256000 1', {}, '1ae83727e82954c0'],
  ['s16le 8000 8', 's16le 16000 8', {}, '3bb57dbf56c944d9'],
  ['s16le 16000 5', 's24le 24000 5', {}, '760cd69d1e4ac607'],
  ['f32le 16000 2', 's16le 16000 1', { dither: 'tpdf' }, '1dafafcde4401929'],
  ['s32le 48000 2', 's16le 48000 1', {}, 'c7c9b7d5c9db2b65'],
  ['s32le 48000 1', 's24le 48000 1', { dither: 'tpdf' }, '5ef84949bf850a3b'],
  ['f64le 8000 2', 'f32le 8000 1', {}, '3e13afdd4475ceac'],
  ['s16le 16000 1', 'alaw 8000 1', {}, '817ba28ddb3356cb'],
  ['mulaw 8000 2', 'alaw 8000 1', {}, 'ad5b3ab3bc5416d3'],
]

/** A fading noise with tones in it, of 6,000 frames, in any encoding. */
function input(from: PcmFormat): Buffer {
  const next = random(3)
  const samples = Float64Array.from(
    { length: 6000 * from.channels },
    (_, i) => Math.sin(i / 7) * 0.4 + Math.sin(i * i * 1e-5) * 0.3 + (next() - 0.5) * 0.9,
  )
  return Buffer.from(new Converter(f64(from), from, {}, 'test').convert(new Uint8Array(samples.buffer)))
}

const f64 = ({ sampleRate, channels }: PcmFormat) => pcmFormat({ encoding: 'f64le', sampleRate, channels })

const digestOf = (parts: readonly Uint8Array[]) =>
  createHash('sha256').update(Buffer.concat(parts)).digest('hex').slice(0, 16)

function* pieces(bytes: Buffer, frame: number, size: (index: number) => number) {
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const end = at + size(index) * frame
    yield bytes.subarray(at, end)
    at = end
  }
}

/** The output of a new converter for each piece, and last the rest that it held. */
function* converted(from: PcmFormat, to: PcmFormat, options: ConvertOptions, bytes: Iterable<Buffer>) {
  const converter = new Converter(from, to, options, 'test')
  for (const piece of bytes) yield Buffer.from(converter.convert(piece))
  yield Buffer.from(converter.finish())
}

const sizes: [string, (index: number) => number][] = [
  ['all at once', () => 6000],
  ['in pieces of 160 frames', () => 160],
  ['in pieces of 1 to 400 frames', (index) => 1 + ((index * 7919) % 400)],
]

describe.each(sizes)('the output stays the same, byte for byte, %s', (_pieces, size) => {
  test.each(golden)('%s to %s %o', (from, to, options, digest) => {
    const source = format(from)
    const parts = converted(source, format(to), options, pieces(input(source), source.bytesPerFrame, size))
    expect(digestOf([...parts])).toBe(digest)
  })

  test('with all converters taking turns', () => {
    const running = golden.map(([from, to, options, digest]) => {
      const source = format(from)
      const bytes = pieces(input(source), source.bytesPerFrame, size)
      return { parts: converted(source, format(to), options, bytes), out: [] as Buffer[], digest }
    })
    for (let isOver = false; !isOver; ) {
      isOver = true
      for (const { parts, out } of running) {
        const part = parts.next()
        if (part.done !== true) {
          out.push(part.value)
          isOver = false
        }
      }
    }
    expect(running.map(({ out }) => digestOf(out))).toEqual(golden.map(([, , , digest]) => digest))
  })
})
