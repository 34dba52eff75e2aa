import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeSamples } from '../../src/dsp/decode.ts'
import { VirtualFile, wavReader } from '../../src/index.ts'
import { chunkOf } from '../format/riff.ts'
import { chunkOfSize, ds64Chunk, fmtChunk, riffFile } from '../format/riffFiles.ts'
import { hasTool, run } from './tools.ts'
import { integers, type Variant, variants } from './wavVariants.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-variants-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Judged {
  rate: number
  channels: number
  /** full scale is 1 */
  samples: Float64Array
}

/** Opens files by libsndfile itself, as every program does that is built on it, and prints the samples. */
const script = `
import base64, ctypes, json, sys
lib = ctypes.CDLL("libsndfile.so.1")
class Info(ctypes.Structure):
    _fields_ = [("frames", ctypes.c_int64)] + [(n, ctypes.c_int) for n in ("rate", "channels", "format", "sections", "seekable")]
lib.sf_open.restype = ctypes.c_void_p
lib.sf_open.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(Info)]
lib.sf_readf_double.restype = ctypes.c_int64
lib.sf_readf_double.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
lib.sf_close.argtypes = [ctypes.c_void_p]
for path in sys.stdin.read().split():
    info = Info()
    file = lib.sf_open(path.encode(), 0x10, ctypes.byref(info))
    if not file:
        print("null")
        continue
    samples = (ctypes.c_double * (info.frames * info.channels))()
    count = lib.sf_readf_double(file, samples, info.frames) * info.channels
    lib.sf_close(file)
    print(json.dumps([info.rate, info.channels, base64.b64encode(bytes(samples)[: count * 8]).decode()]))
`

function libsndfile(paths: string[]): (Judged | undefined)[] {
  const lines = run('python3', ['-c', script], Buffer.from(paths.join('\n')))
    .toString()
    .trim()
    .split('\n')
  return lines.map((line) => {
    const told = JSON.parse(line) as [number, number, string] | null
    if (told === null) return undefined
    const bytes = Uint8Array.from(Buffer.from(told[2], 'base64'))
    return { rate: told[0], channels: told[1], samples: new Float64Array(bytes.buffer) }
  })
}

/** The samples that sox reads, as integers of 32 bits; undefined where it refuses. */
function sox(paths: string[]): (Float64Array | undefined)[] {
  // by one shell, as starting each sox from a process of this size takes longer than its work
  const loop = 'for path; do sox -V1 -D "$path" -t f64 "$path.f64" 2> "$path.said" || rm -f "$path.f64"; done'
  const { status } = spawnSync('sh', ['-c', loop, 'sh', ...paths])
  expect(status).toBe(0)
  return paths.map((path) => {
    const isRefused =
      !existsSync(`${path}.f64`) || /can't|not support/.test(readFileSync(`${path}.said`, 'utf8'))
    return isRefused ? undefined : new Float64Array(Uint8Array.from(readFileSync(`${path}.f64`)).buffer)
  })
}

async function read(bytes: Buffer): Promise<Judged> {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 777) pieces.push(bytes.subarray(at, at + 777))
  const reader = Readable.from(pieces, { objectMode: false }).pipe(wavReader())
  const pcm = Buffer.concat(await reader.toArray())
  const { sampleRate, channels, bytesPerSample } = reader.format!
  const samples = decodeSamples(pcm, reader.format!, new Float64Array(pcm.length / bytesPerSample))
  return { rate: sampleRate, channels, samples }
}

const pathOf = (i: number) =>
  join(folder, `${i}.${variants[i]!.bytes.toString('latin1', 0, 4) === 'riff' ? 'w64' : 'wav'}`)
const claims: Record<Variant['sox'], string> = {
  agrees: 'as libsndfile and sox',
  refuses: 'as libsndfile; sox refuses it',
  differs: 'as libsndfile; sox reads something else',
}

test('there are enough variants, and no two have the same name', () => {
  expect(variants.length).toBeGreaterThanOrEqual(150)
  expect(new Set(variants.map(({ name }) => name)).size).toBe(variants.length)
})

describe.runIf(hasTool('python3') && hasTool('sndfile-info') && hasTool('sox'))('is read', () => {
  let judged: (Judged | undefined)[] = []
  let heardBySox: (Float64Array | undefined)[] = []
  beforeAll(() => {
    for (const [i, { bytes }] of variants.entries()) writeFileSync(pathOf(i), bytes)
    const paths = variants.map((_, i) => pathOf(i))
    judged = libsndfile(paths)
    heardBySox = sox(paths)
  })

  test.each(variants.map((variant, i) => ({ ...variant, i, claim: claims[variant.sox] })))(
    '$claim: $name',
    async ({ bytes, i, sox: claim, isUnfinished = false }) => {
      const wanted = judged[i]
      expect(wanted, 'libsndfile').toBeDefined()
      const { rate, channels, samples } = wanted!
      expect(await read(bytes)).toEqual({ rate, channels, samples })

      const file = await VirtualFile.from(bytes)
      expect(file.format).toMatchObject({ sampleRate: rate, channels })
      expect(file.duration! * rate).toBeCloseTo(samples.length / channels, 6)
      const floats = await file.toFloat32({ sampleRate: rate, channels })
      expect(floats).toEqual(Float32Array.from(samples))
      const after = await file.toBuffer()
      expect(after.equals(bytes)).toBe(!isUnfinished)
      expect(await read(after)).toEqual({ rate, channels, samples })
      await file.dispose()

      const heard = heardBySox[i]
      const isAlike =
        heard?.length === samples.length &&
        heard.every((sample, at) => Math.abs(sample - samples[at]!) <= 2 ** -30)
      const told = heard === undefined ? 'refuses' : isAlike || samples.length === 0 ? 'agrees' : 'differs'
      expect(told).toBe(claim)
    },
  )
})

describe('is read better than by libsndfile', () => {
  const tone = (i: number) => Math.round(0.4 * 2 ** 23 * Math.sin(i / 6))
  const level = (samples: Float64Array) => Array.from(samples, (sample) => sample * 2 ** 23)
  const arecord = (channels: number, count: number, value: (i: number) => number) =>
    riffFile([
      fmtChunk({ bits: 24, align: 4 * channels, channels }),
      chunkOf('data', integers(count, 4, value)),
    ])

  test.each([
    ['mono', 1, 5000, tone],
    ['stereo', 2, 5000, tone],
    ['a few samples', 1, 10, tone],
    ['hardly anything to be heard', 1, 5000, (i: number) => Math.round(100 * Math.sin(i / 6))],
    ['a second of silence first', 1, 20_000, (i: number) => (i < 16_000 ? 0 : tone(i))],
    ['a source of 16 bits', 1, 5000, (i: number) => tone(i) & ~0xff],
  ] as const)(
    'arecord -f S24_LE, which it takes for 48 dB less or noise: %s',
    async (_name, channels, count, value) => {
      const bytes = arecord(channels, count, value)
      const { samples } = await read(bytes)
      expect(level(samples)).toEqual(Array.from({ length: count }, (_, i) => value(i) + 0))
      const file = await VirtualFile.from(bytes)
      expect((await file.toBuffer()).equals(bytes)).toBe(true)
      const floats = await file.toFloat32({ sampleRate: 16_000, channels })
      expect(Array.from(floats, (sample) => sample * 2 ** 23)).toEqual(level(samples))
      await file.dispose()
    },
  )

  test.each([0, 36, 0xffffffff])('data of 0 and RIFF of %i go to the end, as ffmpeg has it', async (size) => {
    const pcm = integers(500, 2, (i) => i)
    const bytes = riffFile([fmtChunk(), chunkOfSize('data', pcm, 0)], { size })
    expect((await read(bytes)).samples.length).toBe(500)
    const file = await VirtualFile.from(bytes)
    expect(await file.toBuffer()).toEqual(riffFile([fmtChunk(), chunkOf('data', pcm)]))
    await file.dispose()
  })

  test('an odd chunk of any name, without its pad byte', async () => {
    for (const id of ['LIST', 'Zq9x']) {
      const bytes = riffFile([
        chunkOf(id, Buffer.from('INFOx'), 0),
        fmtChunk(),
        chunkOf(
          'data',
          integers(500, 2, (i) => i),
        ),
      ])
      expect((await read(bytes)).samples.length).toBe(500)
    }
  })

  test.runIf(hasTool('ffmpeg'))('BW64, as ffmpeg reads it', async () => {
    const pcm = integers(500, 2, (i) => i * 60)
    for (const [size, data] of [
      [0xffffffff, 0xffffffff],
      [1072, 1000],
      [0, 0],
    ] as const) {
      const bytes = riffFile([ds64Chunk(1072, 1000, 500), fmtChunk(), chunkOfSize('data', pcm, data)], {
        id: 'BW64',
        size,
      })
      const path = join(folder, 'bw64.wav')
      writeFileSync(path, bytes)
      const heard = run('ffmpeg', ['-v', 'error', '-i', path, '-f', 's16le', '-'])
      expect(heard.equals(pcm)).toBe(true)
      expect((await read(bytes)).samples).toEqual(
        Float64Array.from({ length: 500 }, (_, i) => (i * 60) / 2 ** 15),
      )
    }
  })
})
