import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { hasTool, run } from '../oracles/tools.ts'
import { ended, Packed } from './packed.ts'
import { spoken } from './spoken.ts'

const hasSox = hasTool('sox')
const hasFfmpeg = hasTool('ffmpeg')
const hasPython = hasTool('python3')
const quiet = { code: 0, stdout: Buffer.alloc(0), stderr: '' }

const rate = 16_000
const format = pcmFormat({ sampleRate: rate, channels: 2 })

/** Half a second of silence, one of tones of −6 and −20 dBFS, half a second clipped. */
const pcm = Buffer.from(
  Int16Array.from({ length: rate * 2 * 2 }, (_, i) => {
    const [seconds, channel] = [(i >> 1) / rate, i & 1]
    const sine = Math.sin(2 * Math.PI * 440 * seconds)
    if (seconds < 0.5) return 0
    if (seconds < 1.5) return Math.round(sine * 32_768 * (channel === 0 ? 0.5 : 0.1))
    return channel === 0 ? Math.max(-32_768, Math.min(32_767, Math.round(sine * 40_000))) : 0
  }).buffer,
)
const file = Buffer.concat([makeWavHeader(format, { dataBytes: pcm.length }), pcm])

let packed: Packed
beforeAll(() => {
  packed = Packed.install()
  writeFileSync(packed.path('in.wav'), file)
})
afterAll(() => packed?.[Symbol.asyncDispose]())

const json = async (...args: string[]) =>
  JSON.parse((await packed.run([...args, '--json'])).stdout.toString())

describe('info', () => {
  test('prints format, duration, level and clipping', async () => {
    const left = new Int16Array(pcm.buffer).filter((_, i) => i % 2 === 0)
    const clipped = left.filter((sample) => sample === -32_768 || sample === 32_767).length
    const power = left.reduce((sum, sample) => sum + (sample / 32_768) ** 2, 0) / left.length
    const rms = 10 * Math.log10(power)
    expect(clipped).toBeGreaterThan(2000)
    const { code, stdout, stderr } = await packed.run(['info', 'in.wav'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.toString()).toBe(`in.wav
  format     16000 Hz, stereo, s16le
  duration   2.000 s, 32000 frames
  size       128 kB, 128044 bytes
  channel 1  peak 0.0 dB, RMS ${rms.toFixed(1)} dB
  clipping   ${clipped} samples
  channel 2  peak -20.0 dB, RMS -26.0 dB
`)
  })

  test.skipIf(!hasSox)('sox measures the same', async () => {
    const [{ channels, frames, seconds }] = await json('info', 'in.wav')
    expect({ frames, seconds }).toEqual({ frames: 32_000, seconds: 2 })
    for (const [i, { peak, rms }] of channels.entries()) {
      const { stderr } = await packed.shell(`sox in.wav -n remix ${i + 1} stats`)
      expect(peak).toBeCloseTo(Number(/^Pk lev dB\s+(\S+)/m.exec(stderr)![1]), 1)
      expect(rms).toBeCloseTo(Number(/^RMS lev dB\s+(\S+)/m.exec(stderr)![1]), 1)
    }
  })

  test.skipIf(!hasFfmpeg)('prints tags with their control characters escaped', async () => {
    await packed.shell(
      'ffmpeg -v error -i in.wav -metadata title=$"evil\\e[31m" -metadata artist=me tagged.wav',
    )
    const { stdout } = await packed.run(['info', 'tagged.wav'])
    expect(stdout.toString()).toMatch(/^ {2}IART +me$/m)
    expect(stdout.toString()).toMatch(/^ {2}INAM +evil/m)
    expect(stdout.includes(0x1b)).toBe(false)
    const [{ tags }] = await json('info', 'tagged.wav')
    expect(tags).toMatchObject({ IART: 'me' })
  })

  test('reads stdin and several files, and reports faults of a header and a file that is no WAV', async () => {
    writeFileSync(packed.path('cut.wav'), file.subarray(0, 60_000))
    const { code, stdout, stderr } = await packed.run(['info', 'cut.wav', 'none.wav', '-'], { input: file })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'wavespool info: cannot open none.wav: no such file or directory\n',
    })
    expect(stdout.toString()).toMatch(/fault {6}the header says 128000, but only 59956 bytes/)
    expect(stdout.toString()).toMatch(/^-\n.*\n {2}duration {3}2.000 s/m)
  })

  test('the level of silence is null in JSON', async () => {
    writeFileSync(packed.path('silent.raw'), Buffer.alloc(1000))
    await packed.run(['convert', 'silent.raw', 'silent.wav', '--rate', '8000'])
    const [{ channels }] = await json('info', 'silent.wav')
    expect(channels).toEqual([{ peak: null, rms: null, clipped: 0 }])
  })
})

describe('waveform', () => {
  test('draws in braille, of the given width and height; silence is a line', async () => {
    const { code, stdout } = await packed.run(['waveform', 'in.wav', '--width', '40', '--height', '4'])
    const lines = stdout.toString().split('\n')
    expect(code).toBe(0)
    expect(lines.map((line) => line.length)).toEqual([40, 40, 40, 40, 40, 0])
    expect(lines[0]!.slice(0, 9)).toBe('\u2800'.repeat(9))
    expect(lines[0]!.slice(31)).not.toContain('\u2800')
    expect(lines[4]).toMatch(/^0:00\.0 +peak 0\.0 dB +0:02\.0$/)
  })

  test.skipIf(!hasFfmpeg)('writes a PNG that ffmpeg reads, with the right pixels', async () => {
    expect(
      await packed.run(['waveform', 'in.wav', '-o', 'x.png', '--width', '200', '--height', '100']),
    ).toEqual(quiet)
    const pixels = run('ffmpeg', [
      '-v',
      'error',
      '-i',
      packed.path('x.png'),
      '-f',
      'rawvideo',
      '-pix_fmt',
      'gray',
      '-',
    ])
    expect(pixels.length).toBe(200 * 100)
    const ink = (x: number, from: number, to: number) => {
      let count = 0
      for (let y = from; y < to; y++) if (pixels[y * 200 + x]! < 250) count++
      return count
    }
    // the upper half is channel 1: silence, −6 dB, full scale; the lower one is channel 2
    expect([ink(20, 0, 50), ink(100, 0, 50), ink(190, 0, 50)]).toEqual([
      1,
      expect.closeTo(24, -0.7),
      expect.closeTo(48, -0.7),
    ])
    expect([ink(20, 50, 100), ink(100, 50, 100), ink(190, 50, 100)]).toEqual([1, expect.closeTo(5, -0.4), 1])
  })

  test.skipIf(!hasPython)('writes an SVG that is valid XML for a file with any name', async () => {
    const name = '<&">.wav'
    writeFileSync(packed.path(name), file)
    expect(await packed.run(['waveform', name, '-o', 'x.svg'])).toEqual(quiet)
    const program = `
import sys, xml.etree.ElementTree as E
root = E.parse(sys.argv[1]).getroot()
print(root.get('viewBox'), [e.tag.split('}')[1] for e in root], root[0].text)`
    const [printed] = run('python3', ['-c', program, packed.path('x.svg')])
      .toString()
      .split('\n')
    expect(printed).toBe(
      `0 0 1200 300 ['title', 'rect', 'path', 'path', 'path', 'path', 'path', 'path'] ${name}, 2.000 s`,
    )
  })

  test('a picture is not replaced without --force; a file without samples has a picture too', async () => {
    writeFileSync(packed.path('taken.svg'), 'mine')
    expect((await packed.run(['waveform', 'in.wav', '-o', 'taken.svg'])).code).toBe(1)
    expect(readFileSync(packed.path('taken.svg'), 'utf8')).toBe('mine')
    writeFileSync(packed.path('empty.wav'), makeWavHeader(format, { dataBytes: 0 }))
    expect(await packed.run(['waveform', 'empty.wav', '-o', 'taken.svg', '-f'])).toEqual(quiet)
    expect((await packed.run(['waveform', '-', '--width', '20'], { input: file })).code).toBe(0)
  })
})

describe('convert', () => {
  test.skipIf(!hasSox)('writes every encoding as sox does', async () => {
    for (const encoding of ['u8', 's24le', 's32le', 'f32le', 'f64le', 'mulaw', 'alaw']) {
      const name = `${encoding}.wav`
      expect(await packed.run(['convert', 'in.wav', name, '--to-encoding', encoding])).toEqual(quiet)
      const back = run('sox', [packed.path(name), '-D', '-t', 'raw', '-e', 'signed', '-b', '16', '-'])
      expect(back.length).toBe(pcm.length)
      const coarse = encoding === 'u8' || encoding.endsWith('law')
      let worst = 0
      for (let i = 0; i < pcm.length; i += 2)
        worst = Math.max(worst, Math.abs(back.readInt16LE(i) - pcm.readInt16LE(i)))
      expect(worst).toBeLessThan(coarse ? 1100 : 2)
    }
  })

  test('changes rate and channels, picks a channel, reads and writes raw samples and pipes', async () => {
    expect(
      await packed.run(['convert', 'in.wav', 'mono.wav', '--to-rate', '8000', '--to-channels', '1']),
    ).toEqual(quiet)
    const [mono] = await json('info', 'mono.wav')
    expect(mono).toMatchObject({ format: { sampleRate: 8000, channels: 1 }, frames: 16_000 })
    expect(await packed.run(['convert', 'in.wav', 'right.raw', '--channel', '2'])).toEqual(quiet)
    const right = Buffer.from(new Int16Array(pcm.buffer).filter((_, i) => i % 2 === 1).buffer)
    expect(readFileSync(packed.path('right.raw'))).toEqual(right)
    const { stdout } = await packed.run(['convert', '-', '-', '--rate', '16000'], { input: right })
    expect(stdout.subarray(44)).toEqual(right)
    expect((await packed.run(['convert', 'in.wav', 'x.wav', '--channel', '3'])).code).toBe(2)
  })

  test('a conversion that fails leaves no file behind', async () => {
    const { code, stderr } = await packed.run(['convert', 'package.json', 'x.wav'])
    expect({ code, exists: existsSync(packed.path('x.wav')) }).toEqual({ code: 1, exists: false })
    expect(stderr).toMatch(/no WAV file/)
    const torn = await packed.run(['convert', '-', 'x.wav', '--rate', '8000'], { input: Buffer.alloc(99) })
    expect(torn.stderr).toMatch(/^wavespool convert: .*1 bytes into a frame.*\n$/)
    expect({ code: torn.code, exists: existsSync(packed.path('x.wav')) }).toEqual({ code: 1, exists: false })
  })

  test('an interrupted conversion leaves no file behind', async () => {
    const files = () => readdirSync(packed.path('.'))
    const before = files()
    const dataBytes = 4 * 2 ** 30 - 2 ** 16 // seconds of work
    writeFileSync(packed.path('big.wav'), makeWavHeader(format, { dataBytes }))
    truncateSync(packed.path('big.wav'), 44 + dataBytes)
    const child = packed.start(['convert', 'big.wav', 'big8.wav', '--to-rate', '8000'])
    const isBegun = () => files().some((name) => name.endsWith('.part'))
    for (let tries = 0; tries < 400 && !isBegun(); tries++) await sleep(10)
    expect(isBegun()).toBe(true)
    child.kill('SIGINT')
    expect((await ended(child)).code).toBe(130)
    rmSync(packed.path('big.wav'))
    expect(files()).toEqual(before)
  })
})

describe('repair', () => {
  const open = Buffer.from(file)
  open.writeUInt32LE(0xffffffff, 4)
  open.writeUInt32LE(0xffffffff, 40)

  test('writes a new file, right in every byte, and prints the faults', async () => {
    writeFileSync(packed.path('open.wav'), open)
    const { code, stdout } = await packed.run(['repair', 'open.wav'])
    expect(code).toBe(0)
    expect(stdout.toString()).toMatch(
      /^open.wav: the header leaves the length open.*\nopen-repaired.wav: repaired\n$/,
    )
    expect(readFileSync(packed.path('open-repaired.wav'))).toEqual(file)
    expect(readFileSync(packed.path('open.wav'))).toEqual(open)
    expect((await packed.run(['repair', 'open.wav'])).code).toBe(1) // it is there already
    expect((await packed.run(['repair', 'open.wav', 'other.wav'])).code).toBe(0)
    expect(readFileSync(packed.path('other.wav'))).toEqual(file)
  })

  test('mends a file in place, also one that was cut within a frame', async () => {
    writeFileSync(packed.path('place.wav'), file.subarray(0, 1047))
    const { faults, output } = await json('repair', 'place.wav', '--in-place')
    expect(output).toBe('place.wav')
    expect(faults.map(({ kind }: { kind: string }) => kind)).toEqual(['long', 'torn'])
    const header = makeWavHeader(format, { dataBytes: 1000 })
    expect(readFileSync(packed.path('place.wav'))).toEqual(Buffer.concat([header, pcm.subarray(0, 1000)]))
    const again = await packed.run(['repair', 'place.wav', '--in-place'])
    expect(again.stdout.toString()).toBe('place.wav: no fault found\n')
  })

  test('a file that is no WAV is refused', async () => {
    const { code, stderr } = await packed.run(['repair', 'package.json', '--in-place'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^wavespool repair: package.json: this is no WAV file.*\n$/)
  })
})

describe('split', () => {
  test('cuts by time, without losing a sample, into names that sort', async () => {
    expect(await packed.run(['split', 'in.wav', '--every', '0.3'])).toEqual(quiet)
    const index = JSON.parse(readFileSync(packed.path('in-parts/index.json'), 'utf8'))
    expect(index.format).toEqual({ sampleRate: rate, channels: 2, encoding: 's16le' })
    const names = index.parts.map(({ file }: { file: string }) => file)
    expect(names).toEqual(names.toSorted())
    expect(names).toHaveLength(7)
    const all = names.map((name: string) => readFileSync(packed.path(`in-parts/${name}`)).subarray(44))
    expect(Buffer.concat(all)).toEqual(pcm)
    expect(index.parts[1]).toEqual({
      file: 'in-0002.wav',
      start: 4800,
      end: 9600,
      startSeconds: 0.3,
      endSeconds: 0.6,
    })
    expect((await packed.run(['split', 'in.wav', '--every', '0.3'])).code).toBe(1) // it is there already
  })

  test('the names of more than 9,999 parts sort, too', async () => {
    const { code } = await packed.run(['split', 'in.wav', '--every', '0.19ms', '-o', 'many'])
    expect(code).toBe(0)
    const { parts } = JSON.parse(readFileSync(packed.path('many/index.json'), 'utf8'))
    expect([parts.length, parts[0].file, parts.at(-1).file]).toEqual([10_667, 'in-00001.wav', 'in-10667.wav'])
  })

  test('cuts at pauses, into parts of a maximum length, without losing a sample', async () => {
    const bytes = spoken(rate, 30, [1, 9], [9.6, 17], [17.4, 29])
    writeFileSync(packed.path('talk.wav'), bytes)
    expect(await packed.run(['split', 'talk.wav', '--every', '10s', '--at-pauses', '-o', 'turns'])).toEqual(
      quiet,
    )
    const { parts } = JSON.parse(readFileSync(packed.path('turns/index.json'), 'utf8'))
    expect(parts[0].endSeconds).toBeCloseTo(9.3, 0)
    expect(parts[1].endSeconds).toBeCloseTo(17.2, 0)
    expect(parts[2].endSeconds).toBeCloseTo(27.2, 0) // no pause: at the limit
    const all = parts.map(({ file }: { file: string }) =>
      readFileSync(packed.path(`turns/${file}`)).subarray(44),
    )
    expect(Buffer.concat(all)).toEqual(bytes.subarray(44))
  })

  test('cuts into files of a maximum size, which includes the header', async () => {
    const sizes = async (...args: string[]) => {
      expect((await packed.run(['split', 'in.wav', ...args, '-o', 'sized', '--force'])).code).toBe(0)
      const { parts } = JSON.parse(readFileSync(packed.path('sized/index.json'), 'utf8'))
      return parts.map(({ file }: { file: string }) => readFileSync(packed.path(`sized/${file}`)).length)
    }
    const bySize = await sizes('--max-size', '50kB')
    expect(bySize[0]).toBe(50_000)
    expect(Math.max(...bySize)).toBe(50_000)
    expect(bySize.reduce((sum: number, size: number) => sum + size - 44, 0)).toBe(pcm.length)
    expect((await sizes('--max-size', '50kB', '--every', '0.1'))[0]).toBe(44 + 1600 * 4)
    for (const wrong of ['0', '5 stones', '-1MB', '1e3']) {
      expect((await packed.run(['split', 'in.wav', '--max-size', wrong])).code).toBe(2)
    }
    expect((await packed.run(['split', 'in.wav', '--silence', '1s', '--at-pauses'])).code).toBe(2)
  })

  test('cuts at pauses in speech, and leaves them out', async () => {
    writeFileSync(packed.path('spoken.wav'), spoken(rate, 8, [2, 4], [6, 7.5]))
    expect(await packed.run(['split', 'spoken.wav', '--silence', '1s', '-o', 'said'])).toEqual(quiet)
    const { parts } = JSON.parse(readFileSync(packed.path('said/index.json'), 'utf8'))
    expect(parts).toEqual([
      expect.objectContaining({
        file: 'spoken-0001.wav',
        startSeconds: expect.closeTo(1.9, 0),
        endSeconds: expect.closeTo(4.1, 0),
      }),
      expect.objectContaining({
        file: 'spoken-0002.wav',
        startSeconds: expect.closeTo(5.9, 0),
        endSeconds: expect.closeTo(7.6, 0),
      }),
    ])
    for (const { file, start, end } of parts) {
      expect(readFileSync(packed.path(`said/${file}`)).length).toBe(44 + (end - start) * 2)
    }
    const { code, stderr } = await packed.run(['split', 'package.json', '--silence', '1s', '-o', 'none'])
    expect({ code, exists: existsSync(packed.path('none')) }).toEqual({ code: 1, exists: false })
    expect(stderr).toMatch(/no WAV file/)
  })
})
