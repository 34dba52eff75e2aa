import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { ended, Packed } from './packed.ts'

const format = pcmFormat()
const pcm = Buffer.from(Int16Array.from({ length: 16_000 * 4 }, (_, i) => (i * 7) % 3000).buffer)
const wav = Buffer.concat([makeWavHeader(format, { dataBytes: pcm.length }), pcm])

let packed: Packed
beforeAll(() => {
  packed = Packed.install()
})
afterAll(() => packed?.[Symbol.asyncDispose]())

/** A folder of its own below the one in which commands run, and its files' names. */
function folder(name: string, files: Record<string, Uint8Array | string> = {}) {
  mkdirSync(packed.path(name))
  const path = (file: string) => `${name}/${file}`
  const bytes = (file: string) => readFileSync(packed.path(path(file)))
  const list = () => readdirSync(packed.path(name)).sort()
  for (const [file, content] of Object.entries(files)) writeFileSync(packed.path(path(file)), content)
  return { path, bytes, list, at: (file: string) => packed.path(path(file)) }
}

describe('the input is never written', () => {
  test.each([
    ['convert - X --force < X', 'X'],
    ['record --from - X --force < X', 'X'],
    ['convert X - --to-rate 8000 >> X', 'stdout'],
    ['convert X - --to-rate 8000 1<> X', 'stdout'],
    ['convert - - --to-rate 8000 < X 1<> X', 'stdout'],
    ['convert X LINK --force', 'LINK'],
    ['convert LINK X --force', 'X'],
    ['convert HARD X --force', 'X'],
    ['record --from X LINK --force', 'LINK'],
    ['repair X HARD --force', 'HARD'],
    ['waveform X --output PICTURE --force', 'PICTURE'],
    ['waveform - --output PICTURE --force < X', 'PICTURE'],
  ])('%s', async (line, named) => {
    const files = folder(`same-${line.replace(/\W+/g, '-')}`, { 'x.wav': wav.subarray(0, 90_000) })
    linkSync(files.at('x.wav'), files.at('hard.wav'))
    symlinkSync('x.wav', files.at('link.wav'))
    symlinkSync('x.wav', files.at('picture.svg'))
    const paths: Record<string, string> = {
      X: files.path('x.wav'),
      LINK: files.path('link.wav'),
      HARD: files.path('hard.wav'),
      PICTURE: files.path('picture.svg'),
    }
    const fill = (text: string) => text.replace(/\b(X|LINK|HARD|PICTURE)\b/g, (name) => paths[name]!)
    const { code, stderr } = await packed.shell(`wavespool ${fill(line)}`)
    expect(stderr).toContain(`${fill(named)} is the input`)
    expect(code).toBe(2)
    expect(files.bytes('x.wav').equals(wav.subarray(0, 90_000))).toBe(true)
    expect(files.list()).toEqual(['hard.wav', 'link.wav', 'picture.svg', 'x.wav'])
  })

  test('split refuses a part or an index that is the input, or a link to it', async () => {
    const files = folder('split-same', { 'x.wav': wav })
    mkdirSync(files.at('parts'))
    symlinkSync('../x.wav', files.at('parts/x-0002.wav'))
    const args = ['--every', '1', '--force', '-o', files.path('parts')]
    const part = await packed.run(['split', files.path('x.wav'), ...args])
    expect(part).toMatchObject({ code: 2, stderr: expect.stringContaining('x-0002.wav is the input') })
    writeFileSync(files.at('index.json'), wav)
    const index = await packed.run([
      'split',
      files.path('index.json'),
      '--every',
      '1',
      '--force',
      '-o',
      'split-same',
    ])
    expect(index).toMatchObject({ code: 2, stderr: expect.stringContaining('index.json is the input') })
    expect(files.bytes('x.wav').equals(wav) && files.bytes('index.json').equals(wav)).toBe(true)
    expect(files.list()).toEqual(['index.json', 'parts', 'x.wav'])
  })

  test('a terminal, a device or another file with the same content is not refused', async () => {
    const files = folder('not-same', { 'x.wav': wav, 'y.wav': wav })
    expect((await packed.shell('wavespool convert - /dev/null < /dev/null --rate 8000')).code).toBe(0)
    expect((await packed.run(['convert', files.path('x.wav'), files.path('y.wav'), '--force'])).code).toBe(0)
  })
})

describe('a file is replaced when the new one is whole', () => {
  const old = Buffer.from('what was there')

  test('the old one stays where the input fails, without a temporary file beside it', async () => {
    const files = folder('failing', { 'out.wav': old, 'in.wav': wav })
    const { code } = await packed.shell(
      `(head -c 60000 ${files.path('in.wav')}; sleep 0.3; echo) | wavespool convert - ${files.path('out.wav')} --force --channel 2`,
    )
    expect(code).toBe(2)
    expect(files.bytes('out.wav').equals(old)).toBe(true)
    expect(files.list()).toEqual(['in.wav', 'out.wav'])
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'the old one stays at %s, with or without --force',
    async (signal) => {
      for (const force of [true, false]) {
        const files = folder(`stopped-${signal}-${force}`, force ? { 'out.wav': old } : {})
        const child = packed.start(['convert', '-', files.path('out.wav'), ...(force ? ['--force'] : [])])
        child.stdin.write(wav)
        while (!files.list().some((name) => name.endsWith('.part'))) await sleep(10)
        const result = ended(child)
        child.kill(signal)
        expect((await result).code).toBeGreaterThan(128)
        expect(files.list()).toEqual(force ? ['out.wav'] : [])
        if (force) expect(files.bytes('out.wav').equals(old)).toBe(true)
      }
    },
  )

  test('the file keeps its permissions, and a link to it stays a link', async () => {
    const files = folder('kept', { 'in.wav': wav, 'out.wav': old })
    chmodSync(files.at('out.wav'), 0o640)
    symlinkSync('out.wav', files.at('link.wav'))
    const args = [files.path('in.wav'), files.path('link.wav'), '--to-rate', '8000', '--force']
    expect((await packed.run(['convert', ...args])).code).toBe(0)
    expect(statSync(files.at('out.wav')).mode & 0o777).toBe(0o640)
    expect(files.bytes('out.wav').toString('latin1', 0, 4)).toBe('RIFF')
    expect(files.list()).toEqual(['in.wav', 'link.wav', 'out.wav'])
  })

  test('a file that another program creates meanwhile stays', async () => {
    const files = folder('raced')
    const child = packed.start(['convert', '-', files.path('out.wav')])
    child.stdin.write(wav)
    while (files.list().length === 0) await sleep(10)
    writeFileSync(files.at('out.wav'), old)
    child.stdin.end()
    const { code, stderr } = await ended(child)
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/out\.wav is there already; --force replaces it/),
    })
    expect(files.list()).toEqual(['out.wav'])
    expect(files.bytes('out.wav').equals(old)).toBe(true)
  })
})

describe('split leaves whole parts alone', () => {
  const isWhole = (bytes: Buffer) => bytes.readUInt32LE(4) === bytes.length - 8 && bytes.length === 32_044

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('at %s', async (signal) => {
    const files = folder(`split-${signal}`)
    const child = packed.start(['split', '-', '--every', '1', '-o', `split-${signal}`])
    child.stdin.write(wav.subarray(0, 44 + 2.5 * 32_000))
    while (!files.list().includes('stdin-0002.wav')) await sleep(10)
    const result = ended(child)
    child.kill(signal)
    expect((await result).code).toBeGreaterThan(128)
    expect(files.list()).toEqual(['stdin-0001.wav', 'stdin-0002.wav'])
    for (const name of files.list()) expect(isWhole(files.bytes(name))).toBe(true)
  })

  test('existing parts stay unchanged until new ones are whole', async () => {
    const files = folder('split-again', { 'stdin-0001.wav': 'old 1', 'stdin-0003.wav': 'old 3' })
    const child = packed.start(['split', '-', '--every', '1', '-o', 'split-again', '--force'])
    child.stdin.write(wav.subarray(0, 44 + 2.5 * 32_000))
    while (!files.list().includes('stdin-0002.wav')) await sleep(10)
    const result = ended(child)
    child.kill('SIGTERM')
    await result
    expect(isWhole(files.bytes('stdin-0001.wav'))).toBe(true)
    expect(files.bytes('stdin-0003.wav').toString()).toBe('old 3')
  })
})

describe('repair --in-place', () => {
  const open = () => Buffer.concat([makeWavHeader(format), pcm])

  test('refuses a file that another process has open for writing', async () => {
    const files = folder('held', { 'x.wav': open() })
    const holder = hold(files.at('x.wav'), 'r+')
    await once(holder, 'spawn')
    while (readFileSync(`/proc/${holder.pid}/comm`, 'utf8') !== 'sleep\n') await sleep(10)
    const { code, stderr } = await packed.run(['repair', files.path('x.wav'), '--in-place'])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /x\.wav is being written by process \d+ \(sleep\): end the recording first/,
      ),
    })
    expect(files.bytes('x.wav').equals(open())).toBe(true)
    holder.kill()
    await once(holder, 'close')
    expect((await packed.run(['repair', files.path('x.wav'), '--in-place'])).code).toBe(0)
  })

  test('refuses a file that grows by writers who come and go', async () => {
    const files = folder('growing', { 'x.wav': open() })
    const timer = setInterval(() => appendFileSync(files.at('x.wav'), Buffer.alloc(3200, 1)), 100)
    const { code, stderr } = await packed.run(['repair', files.path('x.wav'), '--in-place'])
    clearInterval(timer)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/it has just changed/) })
    expect(files.bytes('x.wav').subarray(0, 44).equals(open().subarray(0, 44))).toBe(true)
  })

  test('does not refuse a file that another process only reads', async () => {
    const files = folder('read', { 'x.wav': open() })
    const holder = hold(files.at('x.wav'), 'r')
    expect((await packed.run(['repair', files.path('x.wav'), '--in-place'])).code).toBe(0)
    holder.kill()
    expect(files.bytes('x.wav').readUInt32LE(40)).toBe(pcm.length)
  })

  /** A process that has the file open, and does nothing. */
  function hold(path: string, flags: string) {
    const descriptor = openSync(path, flags)
    const holder = spawn('sleep', ['30'], { stdio: [descriptor, 'ignore', 'ignore'] })
    closeSync(descriptor)
    return holder
  }
})

describe('input that is piped into info and waveform', () => {
  test.each(['info -', 'waveform -'])('%s refuses at once input that is no WAV file', async (command) => {
    const temporary = mkdtempSync(`${tmpdir()}/wavespool-tmp-`)
    const env = { ...process.env, TMPDIR: temporary }
    const { code, stderr } = await packed.shell(`yes | wavespool ${command}`, env)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/stdin: .*WAV/) })
    expect(readdirSync(temporary)).toEqual([])
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('leaves no copy at %s', async (signal) => {
    const temporary = mkdtempSync(`${tmpdir()}/wavespool-tmp-`)
    const child = packed.start(['info', '-'], { ...process.env, TMPDIR: temporary })
    child.stdin.write(wav)
    while (readdirSync(temporary).length === 0) await sleep(10)
    await sleep(100)
    const result = ended(child)
    child.kill(signal)
    expect((await result).code).toBeGreaterThan(128)
    expect(readdirSync(temporary)).toEqual([])
  })
})

test('the next info - removes the copy of a killed one', async () => {
  const temporary = mkdtempSync(`${tmpdir()}/wavespool-tmp-`)
  const env = { ...process.env, TMPDIR: temporary }
  const child = packed.start(['info', '-'], env)
  child.stdin.on('error', () => {})
  child.stdin.write(wav)
  const copies = () =>
    readdirSync(temporary, { recursive: true }).filter((name) => `${name}`.endsWith('stdin'))
  while (copies().length === 0) await sleep(10)
  const result = ended(child)
  child.kill('SIGKILL')
  await result
  expect(readdirSync(temporary)).toHaveLength(1)
  // It sweeps while it reads, and may have read all before it comes to it.
  for (let tries = 0; tries < 20 && readdirSync(temporary).length > 0; tries++) {
    expect((await packed.run(['info', '-'], { input: wav, env })).code).toBe(0)
  }
  expect(readdirSync(temporary)).toEqual([])
})

describe('control characters are escaped on the terminal', () => {
  const evil = 'a\u001b]0;x\u0007\u009b31m\u202egnp\u2066\u200e\u007f'
  const isHarmless = (bytes: Buffer) => !/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(bytes.toString())
  const tagged = (text: string) => {
    const value = Buffer.from(`${text}\0`.padEnd(Math.ceil((Buffer.byteLength(text) + 1) / 2) * 2, '\0'))
    const size = (bytes: number) => Buffer.from(Uint32Array.of(bytes).buffer)
    const list = Buffer.concat([
      Buffer.from('INFOINAM'),
      size(value.length),
      value,
      Buffer.alloc(value.length % 2),
    ])
    const body = Buffer.concat([wav.subarray(12), Buffer.from('LIST'), size(list.length), list])
    return Buffer.concat([Buffer.from('RIFF'), size(body.length + 4), Buffer.from('WAVE'), body])
  }

  test('in a name, a tag and a fault, in text and in JSON', async () => {
    const name = `${evil}.wav`
    writeFileSync(packed.path(name), tagged(evil).subarray(0, -1))
    writeFileSync(packed.path('good.wav'), tagged(evil))
    for (const args of [
      ['info', name],
      ['info', name, 'good.wav', '--json'],
      ['info', `none${name}`],
      ['repair', name, `fixed${name}`, '--json'],
      ['repair', `fixed${name}`],
      ['convert', name, `none/${name}`],
      ['convert', name, `${evil}.mp3`],
      ['record', '--from', name, `recorded${name}`, '--json'],
      ['split', name, '--every', '2', '-o', `parts${evil}`, '--json'],
      [evil],
      ['help', evil],
      ['info', `--${evil}`],
      ['convert', 'a.wav', 'b.wav', '--to-encoding', evil],
      ['record', '--seconds', evil, '--debug'],
      ['devices', evil],
    ]) {
      const { stdout, stderr } = await packed.run(args)
      expect([args[0], isHarmless(stdout), isHarmless(Buffer.from(stderr))]).toEqual([args[0], true, true])
      if (args.includes('--json') && args[0] === 'info')
        expect(JSON.parse(stdout.toString()).map((info: { path: string }) => info.path)).toEqual([
          name,
          'good.wav',
        ])
    }
    const { stdout } = await packed.run(['info', 'good.wav', '--json'])
    expect(JSON.parse(stdout.toString())[0].tags.INAM).toBe(evil)
  })

  test('in the first bytes of a file that is no WAV', async () => {
    writeFileSync(packed.path('first.wav'), `${evil}${evil}`)
    const { code, stderr } = await packed.run(['info', 'first.wav'])
    expect({ code, isHarmless: isHarmless(Buffer.from(stderr)) }).toEqual({ code: 1, isHarmless: true })
  })
})

test('convert refuses to make gigabytes of a small file', async () => {
  const slow = pcmFormat({ sampleRate: 63, encoding: 'u8' })
  const samples = Buffer.alloc(2_000_000, 128)
  const files = folder('slow', {
    'in.wav': Buffer.concat([makeWavHeader(slow, { dataBytes: samples.length }), samples]),
  })
  const args = ['convert', files.path('in.wav'), files.path('out.wav'), '--to-rate', '16000']
  const { code, stderr } = await packed.run(args)
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/would become .* lower --to-rate/),
  })
  expect(files.list()).toEqual(['in.wav'])
})
