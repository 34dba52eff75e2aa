import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PcmFormat, pcmFormat } from '../../src/format/pcmFormat.ts'
import { readWavHeader } from '../../src/format/readWavHeader.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { hasTool, run } from '../oracles/tools.ts'
import { ended, Packed } from './packed.ts'
import { spoken } from './spoken.ts'

const hasSox = hasTool('sox')
const hasFfmpeg = hasTool('ffmpeg')
const format = pcmFormat()
const stereo = pcmFormat({ sampleRate: 44_100, channels: 2 })

let packed: Packed
beforeAll(() => {
  packed = Packed.install()
  writeFileSync(packed.path('in.wav'), wav(format, noise(format, 3)))
  writeFileSync(packed.path('long.wav'), wav(format, noise(format, 20)))
  writeFileSync(packed.path('stereo.wav'), wav(stereo, noise(stereo, 1)))
})
afterAll(() => packed?.[Symbol.asyncDispose]())

/** The same for the same length, and no two stretches alike. */
function noise({ bytesPerSecond }: PcmFormat, seconds: number): Buffer {
  const bytes = Buffer.alloc(seconds * bytesPerSecond)
  for (let i = 0, x = 1; i < bytes.length; i++) {
    x = (x * 48_271) % 0x7fffffff
    bytes[i] = x
  }
  return bytes
}

function wav(format: PcmFormat, pcm: Buffer): Buffer {
  return Buffer.concat([makeWavHeader(format, { dataBytes: pcm.length }), pcm])
}

/** The samples of a WAV file whose header tells the truth of all of it. */
function samplesOf(name: string): { format: PcmFormat | undefined; pcm: Buffer } {
  const bytes = readFileSync(packed.path(name))
  const header = readWavHeader(bytes)!
  expect(header.dataStart + header.dataBytes + (header.dataBytes % 2)).toBe(bytes.length)
  expect(header.riffBytes).toBe(bytes.length - 8)
  return { format: header.format, pcm: bytes.subarray(header.dataStart, header.dataStart + header.dataBytes) }
}

const quiet = { code: 0, stdout: Buffer.alloc(0), stderr: '' }

describe('into a file', () => {
  test('records a WAV file sample by sample, and prints nothing', async () => {
    expect(await packed.run(['record', '--from', 'in.wav', 'all.wav'])).toEqual(quiet)
    expect(samplesOf('all.wav')).toEqual({ format, pcm: noise(format, 3) })
  })

  test('records from stdin, which need not end', async () => {
    const child = packed.start(['record', '--from', '-', '--seconds', '1.5', 'pipe.wav'])
    child.stdin.write(readFileSync(packed.path('in.wav')))
    expect(await ended(child)).toEqual(quiet)
    expect(samplesOf('pipe.wav').pcm).toEqual(noise(format, 3).subarray(0, 48_000))
  })

  test('records raw samples', async () => {
    const pcm = noise(stereo, 1)
    const options = ['--rate', '44100', '--channels', '2']
    expect(await packed.run(['record', '--from', '-', ...options, 'raw.wav'], { input: pcm })).toEqual(quiet)
    expect(samplesOf('raw.wav')).toEqual({ format: stereo, pcm })
    await packed.run(['record', '--from', 'raw.wav', 'again.raw'])
    expect(readFileSync(packed.path('again.raw'))).toEqual(pcm)
  })

  test.each([
    ['--seconds', '1', 32_000],
    ['--seconds', '250ms', 8000],
    ['--bytes', '1001', 1000],
    ['--seconds', '1h', 96_000],
  ])('%s %s', async (option, value, bytes) => {
    const name = `${value}.wav`
    expect(await packed.run(['record', '--from', 'in.wav', option, value, name])).toEqual(quiet)
    expect(samplesOf(name).pcm).toEqual(noise(format, 3).subarray(0, bytes))
  })

  test('records the given length in another format', async () => {
    const to = ['--to-rate', '16000', '--to-channels', '1', '--to-encoding', 'f32le']
    const args = ['record', '--from', 'stereo.wav', '--seconds', '0.5', ...to, 'to.wav', '--json']
    const { code, stdout } = await packed.run(args)
    const target = pcmFormat({ encoding: 'f32le' })
    expect(samplesOf('to.wav')).toMatchObject({ format: target, pcm: { length: 8000 * 4 } })
    const told = JSON.parse(stdout.toString())
    expect(code).toBe(0)
    expect(told).toMatchObject({ path: 'to.wav', frames: 8000, seconds: 0.5, clipped: 0, gaps: [] })
    expect(told.format).toEqual({ sampleRate: 16_000, channels: 1, encoding: 'f32le' })
    expect(told.peak).toBeLessThan(0)
  })

  test('names the file by the time where no name is given', async () => {
    mkdirSync(packed.path('unnamed'))
    const { code } = await packed.shell(
      'cd unnamed && wavespool record --from ../in.wav && ls | grep -E "^recording-[-0-9]{17}\\.wav$"',
    )
    expect(code).toBe(0)
  })

  test('ends after a pause that follows speech', async () => {
    writeFileSync(packed.path('spoken.wav'), spoken(16_000, 8, [2, 4], [7, 8]))
    const { stderr } = await packed.run([
      'record',
      '--from',
      'spoken.wav',
      '--until-silence',
      '1s',
      'until.wav',
    ])
    expect(stderr).toBe('')
    const { length } = samplesOf('until.wav').pcm
    expect(length / format.bytesPerSecond).toBeGreaterThan(4.8)
    expect(length / format.bytesPerSecond).toBeLessThan(5.4)
  })
})

describe('into a pipe', () => {
  test.skipIf(!hasSox)('sox gets the exact samples', async () => {
    const { code } = await packed.shell(
      'wavespool record --from in.wav - | sox -t wav - -t raw sox.raw; exit $PIPESTATUS',
    )
    expect(code).toBe(0)
    expect(readFileSync(packed.path('sox.raw'))).toEqual(noise(format, 3))
  })

  test.skipIf(!hasFfmpeg)('ffmpeg gets the exact samples', async () => {
    const line =
      'wavespool record --from stereo.wav - | ffmpeg -v error -i - -f s16le ffmpeg.raw; exit $PIPESTATUS'
    expect(await packed.shell(line)).toEqual(quiet)
    expect(readFileSync(packed.path('ffmpeg.raw'))).toEqual(noise(stereo, 1))
  })

  test('the header has open sizes, as a pipe cannot be rewritten', async () => {
    const { stdout } = await packed.run(['record', '--from', 'in.wav', '-'])
    expect(readWavHeader(stdout)).toMatchObject({ dataBytes: 0xffffffff, riffBytes: 0xffffffff })
    expect(stdout.subarray(44)).toEqual(noise(format, 3))
  })

  test('a named pipe gets the same', async () => {
    const line = 'mkfifo pipe && (cat pipe > piped & wavespool record --from in.wav pipe && wait)'
    expect(await packed.shell(line)).toEqual(quiet)
    expect(readFileSync(packed.path('piped')).subarray(44)).toEqual(noise(format, 3))
  })

  test('a slow reader gets all samples', async () => {
    const { stdout } = await packed.shell('wavespool record --from long.wav - | (sleep 0.5; cat)')
    expect(stdout.subarray(44).equals(noise(format, 20))).toBe(true)
  })
})

describe('files that exist', () => {
  test('are not replaced without --force', async () => {
    writeFileSync(packed.path('mine.wav'), 'mine')
    const refused = await packed.run(['record', '--from', 'in.wav', 'mine.wav'])
    expect(refused).toMatchObject({
      code: 1,
      stderr: 'wavespool record: mine.wav is there already; --force replaces it\n',
    })
    expect(readFileSync(packed.path('mine.wav'), 'utf8')).toBe('mine')
    expect((await packed.run(['record', '--from', 'in.wav', '--force', 'mine.wav'])).code).toBe(0)
    expect(samplesOf('mine.wav').pcm).toEqual(noise(format, 3))
  })

  test('are not replaced where they are the input, under any name', async () => {
    const { code, stderr } = await packed.run(['record', '--from', 'in.wav', '--force', './in.wav'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/is the input/)
    expect(samplesOf('in.wav').pcm).toEqual(noise(format, 3))
  })
})

describe('an error is one sentence, and leaves a WAV file or none', () => {
  test.each([
    ['no such input', ['--from', 'none.wav', 'x.wav'], /cannot open none.wav: no such file/],
    [
      'a folder',
      ['--from', 'node_modules', 'x.wav'],
      /cannot read node_modules: illegal operation on a directory/,
    ],
    ['no WAV', ['--from', 'package.json', 'x.wav'], /package.json: this is no WAV file.*--rate/],
    ['no such folder', ['--from', 'in.wav', 'none/x.wav'], /cannot access none: no such file/],
    ['a full disk', ['--from', 'in.wav', '--force', '/dev/full'], /cannot write \/dev\/full: no space left/],
  ])('%s', async (_name, args, sentence) => {
    const { code, stdout, stderr } = await packed.run(['record', ...args])
    expect(stderr).toMatch(sentence)
    expect({ code, stdout: stdout.length, lines: stderr.split('\n').length }).toEqual({
      code: 1,
      stdout: 0,
      lines: 2,
    })
    expect(existsSync(packed.path('x.wav'))).toBe(false)
  })

  test('a WAV file with options for raw samples is refused, as its header would become a click', async () => {
    const { code, stderr } = await packed.run(['record', '--from', 'in.wav', '--rate', '8000', 'x.wav'])
    expect({ code, exists: existsSync(packed.path('x.wav')) }).toEqual({ code: 2, exists: false })
    expect(stderr).toMatch(/is a WAV file, which has a format of its own/)
  })

  test('the whole frames are kept where the input ends within a frame', async () => {
    const { code, stderr } = await packed.run(['record', '--from', '-', '--rate', '8000', 'half.wav'], {
      input: Buffer.alloc(16_001),
    })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^wavespool record: the stream ended 1 bytes into a frame.*; 1.000 s of it is in half.wav\n$/,
    )
    expect(samplesOf('half.wav').pcm.length).toBe(16_000)
  })

  test('on a disk that fills up a recording keeps the samples that fitted, and a conversion leaves no file', async () => {
    const recorded = await packed.shell('ulimit -f 100; wavespool record --from long.wav full.wav')
    expect(recorded.code).toBe(1)
    expect(recorded.stderr).toMatch(
      /^wavespool record: cannot write full.wav: .*; 3\.199 s of it is in full.wav\n$/,
    )
    expect(samplesOf('full.wav').pcm).toEqual(noise(format, 20).subarray(0, 102_356))
    const converted = await packed.shell('ulimit -f 100; wavespool convert long.wav x.wav')
    expect(converted).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^wavespool convert: cannot write x.wav: .*\n$/),
    })
    expect(existsSync(packed.path('x.wav'))).toBe(false)
  })

  test('a full disk behind stdout', async () => {
    const { code, stderr } = await packed.shell('wavespool record --from in.wav - > /dev/full')
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'wavespool record: cannot write stdout: no space left on device\n',
    })
  })

  test('a pipe whose reader has gone', async () => {
    const { stdout, stderr } = await packed.shell(
      'wavespool record --from /dev/zero --rate 8000 - | head -c 100 | wc -c; echo $PIPESTATUS',
    )
    expect(stdout.toString().split(/\s+/)).toEqual(['100', '1', ''])
    expect(stderr).toBe('wavespool record: the program that reads the output has closed the pipe\n')
  })
})

describe('signals', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends the recording gracefully', async (signal) => {
    const child = packed.start(['record', '--from', '-', `${signal}.wav`])
    child.stdin.write(readFileSync(packed.path('in.wav')))
    await until(() => sizeOf(`${signal}.wav`) >= 96_044)
    child.kill(signal)
    expect(await ended(child)).toEqual(quiet)
    expect(samplesOf(`${signal}.wav`).pcm).toEqual(noise(format, 3))
  })

  test('the second SIGINT exits at once, where the first one has to wait', async () => {
    const { stdout, stderr } = await packed.shell(`
      mkfifo stuck
      sleep 100 < stuck & reader=$!
      wavespool record --from /dev/zero --rate 8000 - > stuck & recorder=$!
      # proc(5): the signals that it catches; the lowest bit is SIGHUP, which Node does not catch by itself
      catches() { grep -q '^SigCgt:.*[13579bdf]$' /proc/$1/status; }
      for i in $(seq 600); do catches $recorder && break; sleep 0.05; done
      kill -INT $recorder
      sleep 0.3; kill -0 $recorder && echo waits
      kill -INT $recorder; wait $recorder; echo $?
      kill -0 $reader && echo at once
      kill $reader`)
    expect({ stdout: stdout.toString(), stderr }).toEqual({ stdout: 'waits\n130\nat once\n', stderr: '' })
  })

  test('SIGKILL leaves a valid WAV file, at most a second short', async () => {
    const child = packed.start(['record', '--from', '-', 'killed.wav'])
    child.stdin.on('error', () => {})
    child.stdin.write(readFileSync(packed.path('in.wav')))
    await until(() => sizeOf('killed.wav') >= 96_044 && headerOf('killed.wav').dataBytes === 96_000)
    child.kill('SIGKILL')
    await ended(child)
    const { dataStart, dataBytes } = headerOf('killed.wav')
    expect({ end: dataStart + dataBytes, dataBytes }).toEqual({
      end: sizeOf('killed.wav'),
      dataBytes: 96_000,
    })
    if (hasSox) expect(run('sox', [packed.path('killed.wav'), '-t', 'raw', '-'])).toEqual(noise(format, 3))
  })
})

function sizeOf(name: string): number {
  return statSync(packed.path(name), { throwIfNoEntry: false })?.size ?? 0
}

function headerOf(name: string) {
  return readWavHeader(readFileSync(packed.path(name)))!
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2000 && !isSo(); tries++) await sleep(25)
}
