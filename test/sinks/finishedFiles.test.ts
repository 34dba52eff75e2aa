import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { replay, VirtualFile, wavReader } from '../../src/index.ts'
import { pattern } from '../format/arbitraries.ts'
import { chunkOf, entryOf, infoOf } from '../format/riff.ts'
import {
  chunkOfSize,
  ds64Chunk,
  fmtChunk,
  id3Tag,
  riffFile,
  rifxFile,
  wave64File,
} from '../format/riffFiles.ts'
import { writtenStorages } from './writers.ts'

const list = infoOf(entryOf('INAM', 'hello, this is a title'))
const unnamed = chunkOf('Zq9x', Buffer.alloc(26, 65))
const pcm = pattern(1000)
const s24 = fmtChunk({ bits: 24 })
const s24Stereo = fmtChunk({ bits: 24, channels: 2 })

/** Files as programs leave them when they are done, and how many bytes of samples are in them. */
const finished: Record<string, [file: Buffer, samples: number, frame?: number]> = {
  'a plain one': [riffFile([fmtChunk(), chunkOf('data', pcm)]), 1000],
  'with a chunk behind the samples': [riffFile([fmtChunk(), chunkOf('data', pcm), list]), 1000],
  'with a chunk that nobody knows': [riffFile([fmtChunk(), chunkOf('data', pcm), unnamed]), 1000],
  'with a tag that RIFF does not count': [
    Buffer.concat([riffFile([fmtChunk(), chunkOf('data', pcm)]), Buffer.from(`TAG${'x'.repeat(125)}`)]),
    1000,
  ],
  'with zeros behind it': [
    Buffer.concat([riffFile([fmtChunk(), chunkOf('data', pcm)]), Buffer.alloc(999)]),
    1000,
  ],
  'with samples that RIFF counts and data does not': [
    riffFile([fmtChunk(), chunkOfSize('data', pcm, 500)]),
    500,
  ],
  'of 24 bits, with the pad byte counted': [riffFile([s24, chunkOf('data', pattern(1504)), list]), 1503, 3],
  'of 24 bits in stereo, with two bytes too many': [
    riffFile([s24Stereo, chunkOf('data', pattern(3002)), list]),
    3000,
    6,
  ],
  'that ends within a frame': [riffFile([fmtChunk(), chunkOf('data', pattern(999)), list]), 998],
  'of an odd length, without its pad byte': [
    riffFile([fmtChunk({ bits: 8 }), chunkOf('data', pattern(999), 0)]),
    999,
    1,
  ],
  'whose RIFF size counts its own head': [riffFile([fmtChunk(), chunkOf('data', pcm)], { size: 1044 }), 1000],
  'whose RIFF size leaves out what follows the samples': [
    riffFile([fmtChunk(), chunkOf('data', pcm), list], { size: 1036 }),
    1000,
  ],
  'without samples': [riffFile([fmtChunk(), chunkOf('data', Buffer.alloc(0))]), 0],
  'without samples, with a chunk behind': [riffFile([fmtChunk(), chunkOf('data', Buffer.alloc(0)), list]), 0],
  'without samples, with a chunk behind that nobody knows': [
    riffFile([fmtChunk(), chunkOf('data', Buffer.alloc(0)), unnamed]),
    0,
  ],
  'RF64 with sizes of 32 bits': [
    riffFile([ds64Chunk(1072, 1000, 500), fmtChunk(), chunkOf('data', pcm)], { id: 'RF64' }),
    1000,
  ],
  'RF64 with open sizes of 32 bits': [
    riffFile([ds64Chunk(1072, 1000, 500), fmtChunk(), chunkOfSize('data', pcm, 0xffffffff)], {
      id: 'RF64',
      size: 0xffffffff,
    }),
    1000,
  ],
  BW64: [
    riffFile([ds64Chunk(1072, 1000, 500), fmtChunk(), chunkOfSize('data', pcm, 0xffffffff)], {
      id: 'BW64',
      size: 0xffffffff,
    }),
    1000,
  ],
  RIFX: [rifxFile({}, pcm), 1000],
  Wave64: [wave64File({}, pcm), 1000],
  'behind an ID3 tag': [
    Buffer.concat([id3Tag(100), riffFile([fmtChunk(), chunkOf('data', pcm), list])]),
    1000,
  ],
}

describe.each(writtenStorages)('a finished file in storage: $label', (storage) => {
  test.each(Object.entries(finished))('%s stays unchanged', async (_name, [bytes, samples, frame = 2]) => {
    const frames = samples / frame
    for (const step of [1, 7, 44, 100, bytes.length]) {
      const pieces: Buffer[] = []
      for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step))
      const file = new VirtualFile({ storage: storage.make() })
      await pipeline(Readable.from(pieces, { objectMode: false }), storage.writerOf(file))
      expect((await file.toBuffer()).equals(bytes)).toBe(true)
      expect(file.duration! * 16_000).toBeCloseTo(frames, 6)
      if (step === bytes.length) {
        const channels = file.format!.channels
        expect((await file.toInt16({ sampleRate: 16_000, channels })).length).toBe(frames * channels)
        const read = Buffer.concat(await file.createReadStream().pipe(wavReader()).toArray())
        const played = Buffer.concat(await replay(file, { pace: 'fast' }).toArray())
        expect([read.length, played.equals(read)]).toEqual([samples, true])
      }
      await file.dispose()
    }
  })
})

test('a file that is still being written has the sizes of the moment in its header', async () => {
  const bytes = riffFile([fmtChunk(), chunkOf('data', pcm), list])
  const file = new VirtualFile()
  file.write(bytes.subarray(0, 544))
  const moment = await file.toBuffer()
  expect([moment.readUInt32LE(4), moment.readUInt32LE(40)]).toEqual([536, 500])
  file.end(bytes.subarray(544))
  await new Promise((resolve) => file.once('finish', resolve))
  expect((await file.toBuffer()).equals(bytes)).toBe(true)
  await file.dispose()
})

test('open sizes of Wave64, RIFX and BW64 are corrected, too', async () => {
  const size = Buffer.alloc(8, 0xff)
  const open = (file: Buffer, ...places: [at: number, bytes: number][]) => {
    for (const [at, count] of places) size.copy(file, at, 0, count)
    return file
  }
  const wave64 = wave64File({}, pcm)
  const rifx = rifxFile({}, pcm)
  const bw64 = riffFile([ds64Chunk(1072, 1000, 500), fmtChunk(), chunkOfSize('data', pcm, 0xffffffff)], {
    id: 'BW64',
    size: 0xffffffff,
  })
  const recorded: [Buffer, Buffer][] = [
    [open(Buffer.from(wave64), [16, 8], [96, 8]), wave64],
    [open(Buffer.from(rifx), [4, 4], [40, 4]), rifx],
    [open(Buffer.from(bw64), [20, 8], [28, 8]), bw64],
  ]
  for (const [bytes, exact] of recorded) {
    const file = await VirtualFile.from(bytes)
    expect((await file.toBuffer()).equals(exact)).toBe(true)
    await file.dispose()
  }
})
