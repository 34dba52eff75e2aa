import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readWavHeader, type WavInfo } from '../../src/format/readWavHeader.ts'
import { pattern } from '../format/arbitraries.ts'
import { chunkOf, entryOf, infoOf } from '../format/riff.ts'
import {
  chunkOfSize,
  extension,
  fmtChunk,
  id3Tag,
  riffFile,
  rifxFile,
  wave64File,
} from '../format/riffFiles.ts'
import { Packed } from './packed.ts'

let packed: Packed
beforeAll(() => {
  packed = Packed.install()
})
afterAll(() => packed?.[Symbol.asyncDispose]())

const quiet = { code: 0, stdout: Buffer.alloc(0), stderr: '' }
const put = (name: string, bytes: Uint8Array) => {
  writeFileSync(packed.path(name), bytes)
  return name
}
const header = (name: string) => readWavHeader(readFileSync(packed.path(name))) as WavInfo
const json = async (...args: string[]) =>
  JSON.parse((await packed.run([...args, '--json'])).stdout.toString())
const kinds = ({ faults }: { faults: { kind: string }[] }) => faults.map(({ kind }) => kind)

/** A tone that differs from channel to channel. */
function tone(frames: number, channels = 1): Buffer {
  const out = Buffer.alloc(frames * channels * 2)
  for (let i = 0; i < frames * channels; i++) {
    out.writeInt16LE(Math.round(8000 * Math.sin(Math.floor(i / channels) / (6 + (i % channels)))), i * 2)
  }
  return out
}
const list = infoOf(entryOf('INAM', 'a title'), entryOf('IART', 'me'))
const plain = (data: Uint8Array, ...behind: Buffer[]) =>
  riffFile([fmtChunk(), chunkOf('data', data), ...behind])
const surround = (channels: number, mask: number) =>
  riffFile([
    fmtChunk({ tag: 0xfffe, channels, rest: extension({ mask }) }),
    chunkOf('data', tone(1600, channels)),
    list,
  ])

describe('a file with 1.5 MB in front of its samples', () => {
  test('is read by every command', async () => {
    put(
      'adm.wav',
      riffFile([fmtChunk(), chunkOf('axml', Buffer.alloc(1_500_000, 0x20)), chunkOf('data', tone(1600))]),
    )
    const [{ frames, faults }] = await json('info', 'adm.wav')
    expect([frames, faults]).toEqual([1600, []])
    expect((await packed.run(['repair', 'adm.wav'])).stdout.toString()).toBe('adm.wav: no fault found\n')
    expect((await packed.run(['waveform', 'adm.wav'])).code).toBe(0)
    expect(await packed.run(['waveform', 'adm.wav', '-o', 'adm.svg'])).toEqual(quiet)
    expect(await packed.run(['convert', 'adm.wav', 'adm8.wav', '--to-rate', '8000'])).toEqual(quiet)
    expect(header('adm8.wav').dataBytes).toBe(1600)
    expect(await packed.run(['split', 'adm.wav', '--every', '0.05'])).toEqual(quiet)
  })

  test('is repaired where its sizes are open', async () => {
    const chunks = [fmtChunk(), chunkOf('axml', Buffer.alloc(1_500_000, 0x20))]
    put('long.wav', riffFile([...chunks, chunkOfSize('data', tone(1600), 0xffffffff)], { size: 0xffffffff }))
    expect(kinds(await json('repair', 'long.wav'))).toEqual(['open'])
    const right = riffFile([...chunks, chunkOf('data', tone(1600))])
    expect(readFileSync(packed.path('long-repaired.wav')).equals(right)).toBe(true)
  })
})

describe('bytes behind the samples', () => {
  const counted = plain(tone(8000))

  const files = {
    RIFF: counted,
    RIFX: rifxFile({}, Buffer.from(tone(8000)).swap16()),
    Wave64: wave64File({}, tone(8000)),
  }
  const followers = {
    text: Buffer.from('garbage that is no chunk, and goes on a while'),
    zeros: Buffer.alloc(100_000),
    'the noise of another file': Buffer.from(pattern(6000)),
    'another WAV file': counted,
    'another RIFX file': files.RIFX,
    'another Wave64 file': files.Wave64,
    'another file behind an ID3 tag': Buffer.concat([id3Tag(99), counted]),
  }

  test.each(
    Object.entries(files).flatMap(([kind, file]) =>
      Object.entries(followers).map(([name, behind]) => ({ kind, file, name, behind })),
    ),
  )('of $kind: $name is no fault, and no samples that were not counted', async ({ file, behind }) => {
    const name = put('behind.wav', Buffer.concat([file, behind]))
    const [{ frames, faults }] = await json('info', name)
    expect([frames, faults]).toEqual([8000, []])
    expect((await packed.run(['repair', name, '--in-place'])).stdout.toString()).toMatch(/no fault found/)
    expect(readFileSync(packed.path(name)).equals(Buffer.concat([file, behind]))).toBe(true)
  })

  test('zeros behind silence count as silence', async () => {
    const name = put('silent.wav', Buffer.concat([plain(Buffer.alloc(16_000)), Buffer.alloc(3000)]))
    expect(kinds(await json('repair', name, '--in-place'))).toEqual(['short'])
    expect(header(name).dataBytes).toBe(19_000)
  })

  test('audio like the samples in front counts as samples, as a killed program leaves it', async () => {
    for (const [file, more] of [
      [counted, tone(3000)],
      [files.RIFX, Buffer.from(tone(3000)).swap16()],
    ] as const) {
      const name = put('killed.wav', Buffer.concat([file, more]))
      expect(kinds(await json('repair', name, '--in-place'))).toEqual(['short'])
      expect(header(name).dataBytes).toBe(22_000)
    }
  })

  test('a size that equals the bytes in the file is no fault', async () => {
    const name = put('torn.wav', plain(tone(500).subarray(0, 999)))
    expect(kinds((await json('info', name))[0])).toEqual(['torn'])
    const s24 = put('pad.wav', riffFile([fmtChunk({ bits: 24 }), chunkOf('data', Buffer.alloc(1504))]))
    expect(kinds((await json('info', s24))[0])).toEqual([])
  })
})

describe('convert', () => {
  test.each([
    [4, 0x33],
    [2, 0],
  ])('keeps the loudspeakers of %i channels with mask %i, and the tags', async (channels, mask) => {
    put('in.wav', surround(channels, mask))
    expect(await packed.run(['convert', 'in.wav', 'out.wav', '--to-rate', '8000', '-f'])).toEqual(quiet)
    expect(header('out.wav')).toMatchObject({ channelMask: mask, tags: { INAM: 'a title', IART: 'me' } })
    expect(
      await packed.run(['convert', 'in.wav', 'out.wav', '--to-rate', '8000', '-f', '--no-tags']),
    ).toEqual(quiet)
    expect(header('out.wav').tags).toEqual({})
  })

  test('mixes by the loudspeakers: no LFE in mono, 7.1 into stereo, four microphones by their mean', async () => {
    const mono = async (bytes: Buffer, channels = 1) => {
      put('in.wav', bytes)
      expect(
        await packed.run(['convert', 'in.wav', 'out.raw', '--to-channels', `${channels}`, '-f']),
      ).toEqual(quiet)
      return new Int16Array(Uint8Array.from(readFileSync(packed.path('out.raw'))).buffer)
    }
    const pcm = (bytes: Buffer, channels: number) => {
      const data = bytes.subarray(bytes.indexOf('data') + 8)
      return (frame: number, channel: number) => data.readInt16LE((frame * channels + channel) * 2)
    }
    const lfe = pcm(surround(3, 0xb), 3)
    const heard = await mono(surround(3, 0xb))
    expect(heard[777]).toBe(Math.floor((lfe(777, 0) + lfe(777, 1)) / 2 + 0.5))
    const four = pcm(riffFile([fmtChunk({ channels: 4 }), chunkOf('data', tone(1600, 4))]), 4)
    const mean = await mono(riffFile([fmtChunk({ channels: 4 }), chunkOf('data', tone(1600, 4))]))
    expect(mean[777]).toBe(Math.floor([0, 1, 2, 3].reduce((sum, c) => sum + four(777, c), 0) / 4 + 0.5))
    expect((await mono(surround(8, 0x63f), 2)).length).toBe(3200)
  })

  test('reads RIFX, Wave64, a file behind an ID3 tag and big-endian samples', async () => {
    const big = Buffer.from(tone(1600)).swap16()
    const wanted = tone(1600)
    for (const bytes of [
      rifxFile({}, big),
      wave64File({}, wanted),
      Buffer.concat([id3Tag(99), plain(wanted, list)]),
    ]) {
      put('in.wav', bytes)
      expect(await packed.run(['convert', 'in.wav', 'out.raw', '-f'])).toEqual(quiet)
      expect(readFileSync(packed.path('out.raw')).equals(wanted)).toBe(true)
    }
    put('big.raw', big)
    const raw = ['--rate', '16000', '--encoding', 's16be']
    expect(await packed.run(['convert', 'big.raw', 'out.wav', ...raw, '-f'])).toEqual(quiet)
    expect(readFileSync(packed.path('out.wav')).equals(plain(wanted))).toBe(true)
    expect(await packed.run(['convert', 'out.wav', 'back.raw', '--to-encoding', 's16be'])).toEqual(quiet)
    expect(readFileSync(packed.path('back.raw')).equals(big)).toBe(true)
    const refused = await packed.run(['convert', 'out.wav', 'big.wav', '--to-encoding', 's16be'])
    expect([refused.code, existsSync(packed.path('big.wav'))]).toEqual([2, false])
    expect(refused.stderr).toMatch(/little-endian, and these are s16be/)
  })

  test('takes no known container for raw samples, even with --rate', async () => {
    for (const [start, name] of [
      ['RIFX', 'a WAV file'],
      ['fLaC', 'a FLAC file'],
    ]) {
      const input = Buffer.concat([Buffer.from(start!), Buffer.alloc(400)])
      const { code, stderr } = await packed.run(['convert', '--rate', '8000', '-', 'none.wav'], { input })
      expect([code, existsSync(packed.path('none.wav'))]).toEqual([2, false])
      expect(stderr).toContain(name)
    }
  })

  test('reports WAV files that follow one another, and reads them all when asked to', async () => {
    const [one, two] = [plain(tone(800)), plain(tone(1600))]
    put('two.wav', Buffer.concat([one, two]))
    const { code, stderr } = await packed.run(['convert', 'two.wav', 'first.wav'])
    expect([code, stderr]).toEqual([0, expect.stringMatching(/another WAV file follows.*convert --all/)])
    expect(header('first.wav').dataBytes).toBe(1600)
    expect(await packed.run(['convert', '--all', 'two.wav', 'all.wav'])).toEqual(quiet)
    expect(header('all.wav').dataBytes).toBe(4800)
  })
})

test('split keeps tags and loudspeakers, or leaves the tags out', async () => {
  put('in.wav', surround(4, 0x33))
  expect(await packed.run(['split', 'in.wav', '--every', '0.05', '-o', 'kept'])).toEqual(quiet)
  expect(header('kept/in-0002.wav')).toMatchObject({
    channelMask: 0x33,
    tags: { INAM: 'a title', IART: 'me' },
  })
  expect(await packed.run(['split', 'in.wav', '--every', '0.05', '-o', 'bare', '--no-tags'])).toEqual(quiet)
  expect(header('bare/in-0002.wav')).toMatchObject({ channelMask: 0x33, tags: {} })
})

describe('floats that are no numbers', () => {
  const samples = Float32Array.from({ length: 1600 }, (_, i) => 0.5 * Math.sin(i / 9))
  test.each([Number.NEGATIVE_INFINITY, Number.NaN])(
    '%d is reported, and the other samples are measured',
    async (value) => {
      const broken = samples.with(800, value)
      put('inf.wav', riffFile([fmtChunk({ tag: 3, bits: 32 }), chunkOf('data', Buffer.from(broken.buffer))]))
      const [{ channels }] = await json('info', 'inf.wav')
      expect(channels).toMatchObject([{ peak: expect.closeTo(-6.02, 1), nonFinite: 1 }])
      const told = (await packed.run(['info', 'inf.wav'])).stdout.toString()
      expect(told).toMatch(/1 samples are infinite or no number/)
      expect(told).not.toMatch(/silence/)
      await packed.run(['waveform', '-o', 'x.svg', 'inf.wav', '-f'])
      const picture = readFileSync(packed.path('x.svg'), 'utf8')
      expect(picture).not.toMatch(/NaN|Infinity/)
      expect(picture.length).toBeGreaterThan(10_000)
    },
  )
})

describe('past 4 GiB', () => {
  const dataBytes = 5 * 2 ** 30
  /** A file that takes no room on the disk. */
  function sparse(name: string, riff: number, data: number, bytes: number): string {
    const head = riffFile(
      [fmtChunk({ channels: 2, rate: 48_000 }), chunkOfSize('data', Buffer.alloc(0), data)],
      { size: riff },
    )
    const fd = openSync(packed.path(name), 'w')
    writeSync(fd, head)
    closeSync(fd)
    truncateSync(packed.path(name), bytes)
    return name
  }

  test.each([
    ['have wrapped', (dataBytes + 36) % 2 ** 32, dataBytes % 2 ** 32, 'short'],
    ['say 0', 0, 0, 'zero'],
    ['are those of a pipe', 0x7ffff024, 0x7ffff000, 'open'],
  ])('a header whose sizes %s is repaired once, in place', async (_name, riff, data, kind) => {
    const name = sparse('five.wav', riff, data, 44 + dataBytes)
    const first = await packed.run(['repair', '--in-place', '--json', name])
    expect(kinds(JSON.parse(first.stdout.toString()))).toEqual([kind])
    expect(first.stderr).toMatch(/stay open; name an output to get an RF64 file/)
    const head = Buffer.alloc(44)
    const fd = openSync(packed.path(name), 'r')
    readSync(fd, head)
    closeSync(fd)
    expect([head.readUInt32LE(4), head.readUInt32LE(40)]).toEqual([0xffffffff, 0xffffffff])
    expect(statSync(packed.path(name)).size).toBe(44 + dataBytes)
    const again = await packed.run(['repair', '--in-place', '--json', name])
    expect(kinds(JSON.parse(again.stdout.toString()))).toEqual([])
  })

  test('record and convert reserve the room of RF64 where more than 4 GiB will come', async () => {
    const open = sparse('open.wav', 0xffffffff, 0xffffffff, 44 + dataBytes)
    for (const line of [
      'record --from /dev/zero --rate 48000 --channels 2 --seconds 25000 -',
      `convert ${open} --to-encoding s24le -`,
    ]) {
      const { stdout } = await packed.shell(`wavespool ${line} 2> /dev/null | head -c 80`)
      expect(readWavHeader(stdout), line).toMatchObject({ ds64At: 20 })
    }
    const { stdout } = await packed.shell(`wavespool record --from ${open} --seconds 60 - | head -c 44`)
    expect(readWavHeader(stdout)).toMatchObject({ ds64At: undefined })
  })

  test('a few samples in a sparse file of 5 GiB are read as quickly as a few samples', async () => {
    const name = sparse('hole.wav', 36 + 6400, 6400, 5 * 2 ** 30)
    const [{ frames, faults }] = await json('info', name)
    expect([frames, faults]).toEqual([1600, []])
    expect(await packed.run(['convert', name, 'few.wav'])).toEqual(quiet)
    expect(header('few.wav').dataBytes).toBe(6400)
  })
})
