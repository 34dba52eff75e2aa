import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { chord } from '../codec/signal.ts'
import { hasTool, run, type Tool } from '../oracles/tools.ts'
import { ended, Packed } from './packed.ts'

const quiet = { code: 0, stdout: Buffer.alloc(0), stderr: '' }
const format = pcmFormat({ sampleRate: 48_000 })
const FRAMES = 100_003
const pcm = chord(format, FRAMES)

/** The files that the command reads, and the options by which ffmpeg makes them. */
const inputs = {
  'in.flac': ['-c:a', 'flac'],
  'in.mp3': ['-c:a', 'libmp3lame'],
  'opus.ogg': ['-c:a', 'libopus'],
  'vorbis.ogg': ['-c:a', 'libvorbis'],
  'in.webm': ['-c:a', 'libopus'],
  'in.m4a': ['-c:a', 'aac'],
}
const oracles: Tool[] = ['ffmpeg', 'flac', 'sox', 'opusinfo', 'mpg123']
const hasOracles = oracles.every(hasTool)

let packed: Packed
let bare: Packed
beforeAll(() => {
  packed = Packed.install({ peers: true })
  bare = Packed.install()
  for (const { path } of [packed, bare].map((each) => ({ path: (name: string) => each.path(name) }))) {
    writeFileSync(path('in.wav'), Buffer.concat([makeWavHeader(format, { dataBytes: pcm.length }), pcm]))
  }
  if (!hasOracles) return
  for (const [name, args] of Object.entries(inputs)) {
    run('ffmpeg', ['-v', 'error', '-i', packed.path('in.wav'), ...args, packed.path(name)])
    writeFileSync(bare.path(name), readFileSync(packed.path(name)))
  }
})
afterAll(() => Promise.all([packed, bare].map((each) => each?.[Symbol.asyncDispose]())))

const json = async (...args: string[]) =>
  JSON.parse((await packed.run([...args, '--json'])).stdout.toString())

/** Frames that ffmpeg finds in a file. */
function framesOf(name: string, sampleRate = 48_000): number {
  const args = ['-v', 'error', '-i', packed.path(name), '-ac', '1', '-ar', `${sampleRate}`]
  return run('ffmpeg', [...args, '-f', 's16le', '-']).length / 2
}

/** Fails where the judge of its kind does not take the file. */
function judge(name: string): void {
  if (name.endsWith('.flac')) run('flac', ['-t', '-s', '-w', packed.path(name)])
  else if (name.endsWith('.mp3')) run('mpg123', ['-q', '-t', packed.path(name)])
  else expect(run('opusinfo', [packed.path(name)]).toString()).not.toMatch(/WARNING|ERROR/i)
}

/** A folder of its own below the one in which commands run. */
function folder(name: string, files: Record<string, Uint8Array | string> = {}) {
  mkdirSync(packed.path(name))
  for (const [file, content] of Object.entries(files)) writeFileSync(packed.path(`${name}/${file}`), content)
  return {
    at: (file: string) => packed.path(`${name}/${file}`),
    list: () => readdirSync(packed.path(name)).sort(),
  }
}

describe.runIf(hasOracles)('convert', () => {
  test.each(['in.wav', ...Object.keys(inputs)])(
    'turns %s into every kind of file, with its length',
    async (from) => {
      for (const to of ['to.flac', 'to.mp3', 'to.ogg', 'to.opus']) {
        expect(await packed.run(['convert', from, to, '--force'])).toEqual(quiet)
        judge(to)
        expect([to, framesOf(to)]).toEqual([to, FRAMES])
      }
      expect(await packed.run(['convert', from, 'to.wav', '--force'])).toEqual(quiet)
      expect(
        run('sox', ['--i', '-s', packed.path('to.wav')])
          .toString()
          .trim(),
      ).toBe(`${FRAMES}`)
      expect(
        run('sox', ['--i', '-b', packed.path('to.wav')])
          .toString()
          .trim(),
      ).toBe('16')
    },
  )

  test('FLAC keeps the samples in both directions, and through pipes', async () => {
    await packed.run(['convert', 'in.wav', 'a.flac'])
    await packed.run(['convert', 'a.flac', 'a.raw'])
    expect(readFileSync(packed.path('a.raw')).equals(pcm)).toBe(true)
    const { code, stdout } = await packed.shell(
      'cat in.wav | wavespool convert - - --codec flac | tee b.flac | wavespool convert - - | tail -c +45',
    )
    expect(code).toBe(0)
    expect(stdout.equals(pcm)).toBe(true)
    run('flac', ['-t', '-s', packed.path('b.flac')])
  })

  test('uses the given bitrate and sample rate', async () => {
    await packed.run(['convert', 'in.wav', 'low.mp3', '--bitrate', '32k', '--to-rate', '16k'])
    await packed.run(['convert', 'in.wav', 'high.ogg', '--bitrate', '128000'])
    await packed.run(['convert', 'in.wav', 'low.ogg', '--bitrate', '12k'])
    const [low] = await json('info', 'low.mp3')
    expect(low).toMatchObject({ format: { sampleRate: 16_000 }, bitrate: expect.closeTo(32_000, -4) })
    const [high, small] = await json('info', 'high.ogg', 'low.ogg')
    expect(high.bitrate).toBeGreaterThan(small.bitrate * 3)
  })

  test('formats that a codec cannot hold are refused with the options that help', async () => {
    const wide = pcmFormat({ channels: 6 })
    const bytes = Buffer.concat([makeWavHeader(wide, { dataBytes: 12_000 }), Buffer.alloc(12_000)])
    writeFileSync(packed.path('wide.wav'), bytes)
    const refused = await packed.run(['convert', 'wide.wav', 'wide.mp3'])
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/say --to-channels 2/) })
    expect(await packed.run(['convert', 'wide.wav', 'wide.flac'])).toEqual(quiet)
    const odd = await packed.run(['convert', 'in.wav', 'odd.mp3', '--bitrate', '65k'])
    expect(odd).toMatchObject({ code: 2, stderr: expect.stringMatching(/48000 Hz is one of 32000/) })
    expect(existsSync(packed.path('wide.mp3')) || existsSync(packed.path('odd.mp3'))).toBe(false)
  })
})

describe.runIf(hasOracles)('record', () => {
  test.each(['memo.flac', 'memo.mp3', 'memo.ogg', 'memo.opus'])(
    'records exactly 1.23 s into %s',
    async (name) => {
      const made = await packed.run(['record', '--from', 'in.webm', '--seconds', '1.23', name])
      expect(made).toEqual(quiet)
      judge(name)
      expect(framesOf(name)).toBe(59_040)
    },
  )

  test('records from a pipe of any kind, and reports the recording', async () => {
    const { stdout } = await packed.shell('cat in.m4a | wavespool record --from - pipe.mp3 --json')
    expect(JSON.parse(stdout.toString())).toMatchObject({ frames: FRAMES, path: 'pipe.mp3' })
    expect(framesOf('pipe.mp3')).toBe(FRAMES)
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it gracefully, with its length', async (signal) => {
    for (const name of ['flac', 'mp3', 'opus'].map((extension) => `${signal}.${extension}`)) {
      const child = packed.start(['record', '--from', '-', name])
      child.stdin.write(readFileSync(packed.path('in.wav')))
      while (!existsSync(packed.path(name)) || readFileSync(packed.path(name)).length < 4000) await sleep(10)
      const result = ended(child)
      child.kill(signal)
      expect(await result).toEqual(quiet)
      judge(name)
      expect(framesOf(name)).toBe(FRAMES)
    }
  })

  test.each(['killed.flac', 'killed.mp3', 'killed.ogg'])('%s can be played after kill -9', async (name) => {
    const child = packed.start(['record', '--from', '-', name])
    child.stdin.write(readFileSync(packed.path('in.wav')))
    // two seconds came, of which the codec and the page that is being filled hold some
    while (
      !existsSync(packed.path(name)) ||
      statSync(packed.path(name)).size < 4000 ||
      framesOf(name) < 40_000
    ) {
      await sleep(50)
    }
    const result = ended(child)
    child.kill('SIGKILL')
    expect((await result).code).toBe('SIGKILL')
    expect(framesOf(name)).toBeGreaterThanOrEqual(40_000)
    expect(framesOf(name)).toBeLessThanOrEqual(FRAMES + 2000)
  })

  test('keeps and reports the audio in front of a failure', async () => {
    writeFileSync(packed.path('cut.flac'), readFileSync(packed.path('in.flac')).subarray(0, -2000))
    const { code, stderr } = await packed.run(['record', '--from', 'cut.flac', 'kept.mp3'])
    const [, seconds] =
      /^wavespool record: cut\.flac: .* ends within a frame; ([\d.]+) s of it is in kept\.mp3\n$/.exec(
        stderr,
      )!
    expect(code).toBe(1)
    expect(framesOf('kept.mp3')).toBe(Math.round(Number(seconds) * 48_000))
    const none = await packed.run(['record', '--from', 'wavespool-none.flac', 'none.mp3'])
    expect([none.code, existsSync(packed.path('none.mp3'))]).toEqual([1, false])
  })
})

describe.runIf(hasOracles)('info', () => {
  test('prints container, codec, bitrate and the exact length', async () => {
    const { stdout, stderr } = await packed.run(['info', 'in.webm', 'in.mp3', 'in.flac'])
    expect(stderr).toBe('')
    expect(stdout.toString()).toMatch(
      /^in\.webm\n {2}format {5}48000 Hz, mono, Opus in WebM\n {2}bitrate {4}[\d.]+ kbit\/s\n {2}duration {3}2\.083 s, 100003 frames\n {2}size/,
    )
    expect(stdout.toString()).toMatch(/\n {2}format {5}48000 Hz, mono, MP3\n/)
    expect(stdout.toString()).toMatch(/\n {2}format {5}48000 Hz, mono, FLAC\n/)
    const found = await json('info', ...Object.keys(inputs))
    expect(found.map(({ container, codec, frames }: never) => [container, codec, frames])).toEqual([
      ['flac', 'flac', FRAMES],
      ['mp3', 'mp3', FRAMES],
      ['ogg', 'opus', FRAMES],
      ['ogg', 'vorbis', FRAMES],
      ['webm', 'opus', FRAMES],
      ['mp4', 'aac', FRAMES],
    ])
    const [{ bitrate, size }] = found
    expect(bitrate).toBe(Math.round((size * 8 * 48_000) / FRAMES))
  })

  test('reads a pipe, and names a file that is cut short', async () => {
    const { stdout } = await packed.shell('cat in.m4a | wavespool info -')
    expect(stdout.toString()).toMatch(/^-\n.*AAC in MP4\n/)
    writeFileSync(packed.path('short.flac'), readFileSync(packed.path('in.flac')).subarray(0, -500))
    const { code, stderr } = await packed.run(['info', 'short.flac', 'in.mp3'])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'wavespool info: short.flac: this FLAC file ends within a frame\n',
    })
  })
})

describe.runIf(hasOracles)('waveform and split', () => {
  test('draw and cut compressed files', async () => {
    const [whole, drawn] = await Promise.all(
      ['in.wav', 'in.flac'].map((name) => packed.run(['waveform', name, '--width', '60'])),
    )
    expect(drawn).toEqual(whole)
    const { code, stdout } = await packed.shell('cat in.webm | wavespool waveform - --width 60')
    expect([code, stdout.toString().split('\n')[8]]).toEqual([0, expect.stringMatching(/0:02\.0$/)])
    expect(await packed.run(['split', 'in.webm', '--every', '0.5'])).toEqual(quiet)
    const { parts } = JSON.parse(readFileSync(packed.path('in-parts/index.json'), 'utf8'))
    expect(parts.at(-1)).toMatchObject({ file: 'in-0005.wav', start: 96_000, end: FRAMES })
    expect(framesOf('in-parts/in-0005.wav')).toBe(FRAMES - 96_000)
  })

  test.each(['flac', 'mp3', 'opus'])('parts of %s make up the whole', async (codec) => {
    const extension = codec === 'opus' ? 'ogg' : codec
    const args = ['split', 'in.wav', '--every', '0.7', '--codec', codec, '-o', codec]
    expect(await packed.run(args)).toEqual(quiet)
    const names = readdirSync(packed.path(codec)).sort()
    expect(names).toEqual([...[1, 2, 3].map((i) => `in-000${i}.${extension}`), 'index.json'])
    let frames = 0
    for (const name of names.slice(0, 3)) {
      judge(`${codec}/${name}`)
      frames += framesOf(`${codec}/${name}`)
    }
    expect(frames).toBe(FRAMES)
  })

  test.each(['flac', 'mp3'])('parts of %s are no larger than the given size', async (codec) => {
    const noise = Buffer.from(
      Int16Array.from({ length: 400_000 }, () => (Math.random() - 0.5) * 65_000).buffer,
    )
    writeFileSync(packed.path('noise.raw'), noise)
    const raw = ['--rate', '48000']
    const args = ['split', 'noise.raw', ...raw, '--max-size', '50kB', '--codec', codec, '-o', `size-${codec}`]
    expect(await packed.run(args)).toEqual(quiet)
    const sizes = readdirSync(packed.path(`size-${codec}`))
      .filter((name) => name !== 'index.json')
      .map((name) => readFileSync(packed.path(`size-${codec}/${name}`)).length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(50_000)
    expect(Math.max(...sizes)).toBeGreaterThan(40_000)
  })
})

describe.runIf(hasOracles)('files of the command', () => {
  test.each([
    ['convert in.flac LINK --force', 'LINK'],
    ['convert HARD in.flac --force', 'in.flac'],
    ['record --from in.flac HARD --force', 'HARD'],
    ['convert - in.flac --force < in.flac', 'in.flac'],
    ['convert in.flac - --codec mp3 >> in.flac', 'stdout'],
  ])('the input is never written: %s', async (line, named) => {
    const name = `same-${line.replace(/\W+/g, '-')}`
    const bytes = readFileSync(packed.path('in.flac'))
    const files = folder(name, { 'in.flac': bytes })
    linkSync(files.at('in.flac'), files.at('hard.flac'))
    symlinkSync('in.flac', files.at('link.flac'))
    const filled = line.replaceAll('LINK', 'link.flac').replaceAll('HARD', 'hard.flac')
    const { code, stderr } = await packed.shell(`cd ${name} && wavespool ${filled}`)
    expect(code).toBe(2)
    expect(stderr).toContain(
      `${named.replace('LINK', 'link.flac').replace('HARD', 'hard.flac')} is the input`,
    )
    expect(readFileSync(files.at('in.flac')).equals(bytes)).toBe(true)
    expect(files.list()).toEqual(['hard.flac', 'in.flac', 'link.flac'])
  })

  test('a conversion that fails leaves no new file, and the old one as it was', async () => {
    const old = 'what was there'
    const broken = readFileSync(packed.path('in.flac')).subarray(0, 20_000)
    for (const to of ['out.mp3', 'out.flac', 'out.ogg', 'out.wav']) {
      const files = folder(`broken-${to}`, { [to]: old, 'in.flac': broken })
      const { code, stderr } = await packed.run(['convert', files.at('in.flac'), files.at(to), '--force'])
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/in\.flac: this FLAC file/) })
      expect(files.list()).toEqual(['in.flac', to].sort())
      expect(readFileSync(files.at(to), 'utf8')).toBe(old)
    }
  })

  test('audio that is missing in the middle is reported, and the rest converted', async () => {
    const broken = Buffer.from(readFileSync(packed.path('in.flac')))
    broken.fill(0, 20_000, 21_000)
    const files = folder('gap', { 'in.flac': broken })
    const { code, stderr } = await packed.run(['convert', files.at('in.flac'), files.at('out.wav')])
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/in\.flac: audio is missing, first at 0:0/),
    })
    expect(files.list()).toEqual(['in.flac', 'out.wav'])
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s in a conversion leaves no file behind',
    async (signal) => {
      for (const to of ['out.mp3', 'out.flac', 'out.ogg']) {
        const files = folder(`${signal}-${to}`)
        const child = packed.start(['convert', '-', `${signal}-${to}/${to}`])
        child.stdin.write(readFileSync(packed.path('in.webm')))
        while (!files.list().some((name) => name.endsWith('.part'))) await sleep(10)
        const result = ended(child)
        child.kill(signal)
        expect((await result).code).toBeGreaterThan(128)
        expect(files.list()).toEqual([])
      }
    },
  )

  test('control characters in a file are escaped on the terminal', async () => {
    const bytes = readFileSync(packed.path('in.webm'))
    bytes.write('A_\x1b[31m', bytes.indexOf('A_OPUS'), 'latin1')
    writeFileSync(packed.path('evil.webm'), bytes)
    const { code, stdout, stderr } = await packed.run(['info', 'evil.webm', '--debug'])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /A_\\u001b\[31, and only A_OPUS is read; convert it first, by ffmpeg -i evil\.webm evil\.wav/,
    )
    expect(/(?!\n)\p{Cc}/u.test(stdout.toString() + stderr)).toBe(false)
  })

  test('a file that only other programs read is refused with the command that converts it', async () => {
    run('ffmpeg', ['-v', 'error', '-i', packed.path('in.wav'), '-c:a', 'adpcm_ms', packed.path('adpcm.wav')])
    run('ffmpeg', ['-v', 'error', '-i', packed.path('in.wav'), packed.path('in.aiff')])
    for (const [name, reason] of [
      ['adpcm.wav', /Microsoft ADPCM.*ffmpeg/],
      ['in.aiff', /in\.aiff is an AIFF file.*ffmpeg -i in\.aiff in\.wav/],
    ] as const) {
      for (const args of [
        ['info', name],
        ['convert', name, 'no.mp3'],
        ['waveform', name],
      ]) {
        expect(await packed.run(args)).toMatchObject({ code: 1, stderr: expect.stringMatching(reason) })
      }
    }
    expect(existsSync(packed.path('no.mp3'))).toBe(false)
    expect(await packed.run(['repair', 'in.flac'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/in\.flac is no WAV file/),
    })
  })
})

describe.runIf(hasOracles)('without the optional packages', () => {
  test.each([
    [['convert', 'in.flac', 'x.wav'], 'decoding FLAC needs the package libflacjs: npm install libflacjs'],
    [['info', 'in.mp3'], 'npm install mpg123-decoder'],
    [['waveform', 'in.webm'], 'npm install opus-decoder'],
    [['split', 'in.m4a', '--every', '1'], 'npm install mediabunny'],
    [['convert', 'vorbis.ogg', 'x.wav'], 'npm install @wasm-audio-decoders/ogg-vorbis'],
    [['record', '--from', 'in.wav', 'x.mp3', '--force'], 'npm install wasm-media-encoders'],
    [['convert', 'in.wav', 'x.opus', '--force'], 'npm install opusscript'],
    [['record', 'x.flac'], 'npm install libflacjs'],
  ])('%j names the command that installs it', async (args, command) => {
    for (const name of ['x.mp3', 'x.opus']) writeFileSync(bare.path(name), 'what was there')
    const { code, stderr } = await bare.run(args)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(command) })
    expect(stderr).not.toMatch(/ffmpeg/)
    for (const name of ['x.wav', 'x.flac', 'in-parts/in-0001.wav'])
      expect(existsSync(bare.path(name))).toBe(false)
    expect(readFileSync(bare.path('x.mp3'), 'utf8')).toBe('what was there')
    expect(readdirSync(bare.folder).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  test('the command is that of the package manager in use', async () => {
    writeFileSync(bare.path('node_modules/.modules.yaml'), '')
    const { stderr } = await bare.run(['info', 'in.mp3'])
    expect(stderr).toMatch(/pnpm add mpg123-decoder\n/)
  })
})
