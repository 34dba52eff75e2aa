import { once } from 'node:events'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import {
  type ConvertOptions,
  convert,
  type Encoding,
  type PcmFormatOptions,
  pcmFormat,
  VirtualFile,
  wavHeader,
  wavReader,
} from '../../../src/index.ts'
import { pattern } from '../../format/arbitraries.ts'
import { chunkOf } from '../../format/riff.ts'
import { fmtChunk, riffFile } from '../../format/riffFiles.ts'
import { hasTool, run } from '../../oracles/tools.ts'

async function recorded(bytes: Uint8Array, options: Parameters<typeof pcmFormat>[0]): Promise<VirtualFile> {
  const file = new VirtualFile()
  const header = wavHeader(pcmFormat(options))
  header.pipe(file)
  header.end(bytes)
  await once(file, 'close')
  return file
}

/** Bytes in which every code of one byte, and many of the longer ones, occur. */
const material = Buffer.from(
  Uint8Array.from({ length: 6 * 8 * 256 }, (_, i) => (i * 7 + (i >> 8) * 31) & 0xff),
)
const integers: Record<string, string[]> = {
  u8: ['unsigned-integer', '8'],
  s16le: ['signed-integer', '16'],
  s24le: ['signed-integer', '24'],
  s32le: ['signed-integer', '32'],
  mulaw: ['mu-law', '8'],
  alaw: ['a-law', '8'],
}

describe.runIf(hasTool('sox'))('the samples are those that sox decodes', () => {
  test.each(Object.entries(integers))('%s', async (encoding, [kind, bits]) => {
    const raw = ['-t', 'raw', '-r', '16000', '-c', '1']
    const decoded = run(
      'sox',
      ['-D', ...raw, '-e', kind!, '-b', bits!, '-', ...raw, '-e', 'floating-point', '-b', '32', '-'],
      material,
    )
    const expected = new Float32Array(
      decoded.buffer.slice(decoded.byteOffset, decoded.byteOffset + decoded.length),
    )
    const file = await recorded(material, { encoding: encoding as Encoding })
    const samples = await file.toFloat32()
    expect(samples.length).toBe(expected.length)
    // sox rounds to 24 bits before it makes floats of them
    const allowed = encoding === 's32le' ? 2 ** -24 : 0
    expect(samples.findIndex((sample, i) => Math.abs(sample - expected[i]!) > allowed)).toBe(-1)
  })
})

test('floats come back as they are', async () => {
  const floats = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 1.5)
  const f32 = await recorded(new Uint8Array(floats.buffer), { encoding: 'f32le' })
  expect(await f32.toFloat32()).toEqual(floats)
  const f64 = await recorded(new Uint8Array(Float64Array.from(floats).buffer), { encoding: 'f64le' })
  expect(await f64.toFloat32()).toEqual(floats)
  expect(
    (await f32.toInt16()).every(
      (sample, i) => sample === Math.max(-32768, Math.min(32767, Math.round(floats[i]! * 32768))),
    ),
  ).toBe(true)
})

test('16-bit samples come back bit for bit, without the header, at any moment', async () => {
  const samples = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768)
  const file = new VirtualFile()
  const header = wavHeader(pcmFormat())
  header.pipe(file)
  header.write(new Uint8Array(samples.buffer, 0, 2001)) // half a frame is still to come
  await new Promise(setImmediate)
  expect(await file.toInt16()).toEqual(samples.subarray(0, 1000))
  header.end(new Uint8Array(samples.buffer, 2001))
  await once(file, 'close')
  expect(await file.toInt16()).toEqual(samples)
})

test('channels: their mean, or as they are', async () => {
  const stereo = Int16Array.from([100, 300, -5, -7, 32767, 32767])
  const file = await recorded(new Uint8Array(stereo.buffer), { channels: 2 })
  expect(await file.toInt16()).toEqual(Int16Array.from([200, -6, 32767]))
  expect(await file.toInt16({ channels: 2 })).toEqual(stereo)
})

test('another rate and other channels are those that convert() gives for the same frames', async () => {
  const from = pcmFormat({ sampleRate: 44_100, channels: 6, encoding: 's24le' })
  const bytes = new Uint8Array(from.bytesPerFrame * 30_000).map((_, i) => (i * 31 + (i >> 7)) & 0xff)
  const file = await recorded(bytes, from)
  const converted = async (to: PcmFormatOptions, options?: ConvertOptions) => {
    const stage = convert(from, pcmFormat(to), options)
    stage.end(bytes)
    return new Uint8Array(Buffer.concat(await stage.toArray())).buffer
  }
  const mono = await file.toFloat32()
  expect(mono.length).toBe(Math.round((30_000 * 16_000) / 44_100))
  expect(mono).toEqual(new Float32Array(await converted({ encoding: 'f32le' })))
  expect(await file.toInt16({ sampleRate: 8000, channels: 2 })).toEqual(
    new Int16Array(await converted({ sampleRate: 8000, channels: 2 })),
  )
  expect(await file.toInt16({ channel: 4 })).toEqual(new Int16Array(await converted({}, { channel: 4 })))
  expect(await file.toInt16({ sampleRate: 44_100, channel: 4 })).toEqual(
    new Int16Array(await converted({ sampleRate: 44_100 }, { channel: 4 })),
  )
})

test('a header with a size beyond the file does no harm', async () => {
  const file = await recorded(new Uint8Array(2000), {})
  const cursor = file.cursor()
  await cursor.seek(40)
  await cursor.write(Uint8Array.of(0xf0, 0xff, 0xff, 0x7f))
  expect((await file.toInt16()).length).toBe(1000)
})

test('wrong options and a file that is no WAV are refused', async () => {
  const file = await recorded(new Uint8Array(8), { sampleRate: 48_000, channels: 2 })
  const ARG_RANGE = { code: 'ERR_WAVESPOOL_ARG_RANGE' }
  await expect(file.toFloat32({ channel: 2 })).rejects.toMatchObject(ARG_RANGE)
  await expect(file.toFloat32({ channel: 1, channels: 2 })).rejects.toMatchObject(ARG_RANGE)
  await expect(file.toInt16({ channels: 7 })).rejects.toMatchObject(ARG_RANGE)
  await expect(file.toInt16({ sampleRate: 0 })).rejects.toMatchObject(ARG_RANGE)
  await expect(file.toInt16({ sampleRate: 10 })).rejects.toMatchObject(ARG_RANGE)
  await expect(file.toInt16(16_000 as never)).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
  const text = await VirtualFile.from(Buffer.from('no audio'))
  await expect(text.toFloat32()).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_WAV' })
})

test('a file that cannot be read fails with the reason that wavReader gives, behind its name', async () => {
  for (const bytes of [
    Buffer.from('no audio'),
    riffFile([fmtChunk()]),
    riffFile([fmtChunk(), chunkOf('data', pattern(8))], { id: 'RIFX' }), // its numbers are little-endian
    riffFile([fmtChunk({ tag: 17, bits: 4, align: 256 }), chunkOf('data', pattern(256))]),
    riffFile([chunkOf('data', pattern(8))]),
  ]) {
    const reason = await Readable.from([bytes], { objectMode: false })
      .pipe(wavReader())
      .toArray()
      .catch((error) => error)
    expect(reason).toMatchObject({ code: 'ERR_WAVESPOOL_WAV' })
    const file = await VirtualFile.from(bytes, { name: 'x.wav' })
    const wanted = { code: 'ERR_WAVESPOOL_WAV', message: expect.stringContaining(`x.wav: ${reason.message}`) }
    await expect(file.toFloat32()).rejects.toMatchObject(wanted)
    await expect(file.toInt16()).rejects.toMatchObject(wanted)
    await file.dispose()
  }
})
