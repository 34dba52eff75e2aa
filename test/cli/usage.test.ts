import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Packed } from './packed.ts'
import { Window, whyNoWindow } from './window.ts'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const commands = ['record', 'devices', 'info', 'waveform', 'split', 'convert', 'repair', 'serve', 'doctor']

let packed: Packed
beforeAll(() => {
  packed = Packed.install()
})
afterAll(() => packed?.[Symbol.asyncDispose]())

test('--version', async () => {
  const { code, stdout, stderr } = await packed.run(['--version'])
  expect({ code, stdout: stdout.toString(), stderr }).toEqual({
    code: 0,
    stdout: `${manifest.version}\n`,
    stderr: '',
  })
})

test('npx finds it', async () => {
  const { stdout } = await packed.shell('npx --offline wavespool --version')
  expect(stdout.toString()).toBe(`${manifest.version}\n`)
})

test('the help names every command; without a command it goes to stderr', async () => {
  const asked = await packed.run(['--help'])
  expect(asked.code).toBe(0)
  for (const command of commands) expect(asked.stdout.toString()).toMatch(new RegExp(`^  ${command} `, 'm'))
  const { code, stdout, stderr } = await packed.run([])
  expect({ code, stdout: stdout.length, stderr }).toEqual({
    code: 2,
    stdout: 0,
    stderr: asked.stdout.toString(),
  })
})

test('the page about it names every command, and only options that exist', async () => {
  const page = readFileSync(new URL('../../docs/command.md', import.meta.url), 'utf8')
  const named = [...page.matchAll(/wavespool ([a-z]+)|^\| `([a-z]+)/gm)].map(
    ([, ran, listed]) => ran ?? listed,
  )
  expect([...new Set(named)].toSorted()).toEqual(commands.toSorted())
  const helps = await Promise.all(commands.map((command) => packed.run([command, '--help'])))
  const options = helps.map(({ stdout }) => stdout.toString()).join()
  for (const [option] of page.matchAll(/--[a-z][-a-z]+/g)) expect(options).toContain(option)
})

test.each(commands)('%s --help lists its options, in 40 columns too', async (command) => {
  const { code, stdout, stderr } = await packed.run([command, '--help'], {
    env: { ...process.env, COLUMNS: '41' },
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = stdout.toString().split('\n')
  expect(lines.filter((line) => line.length > 40)).toEqual([])
  expect(lines).toEqual(expect.arrayContaining([expect.stringContaining('--help')]))
  expect((await packed.run(['help', command])).stdout.toString()).toContain(`wavespool ${command} `)
})

describe('a wrong command line is one sentence on stderr, and exit code 2', () => {
  test.each([
    [['nonsense'], /no command nonsense; the commands are record/],
    [['recrod'], /did you mean record\?/],
    [['resample'], /did you mean convert\?/],
    [['--nonsense'], /no option --nonsense/],
    [['record', '--nonsense'], /no option --nonsense; see/],
    [['record', '--second', '5'], /did you mean --seconds\?/],
    [['record', '--duration', '5'], /did you mean --seconds\?/],
    [['convert', 'a.wav', 'b.wav', '--to-rat', '8k'], /did you mean --to-rate\?/],
    [['convert', 'a.wav', 'b.wav', '-r', '8k'], /no option -r; did you mean --to-rate or --rate\?/],
    [['split', 'a.wav', '--size', '25MB'], /did you mean --max-size\?/],
    [['record', '--seconds'], /'-s, --seconds <value>' needs a value/],
    [['record', '--seconds', '-1'], /'--seconds' needs a value/],
    [['record', '--seconds', '0'], /--seconds takes a time such as/],
    [['record', '--seconds', '1x'], /--seconds takes a time such as/],
    [['record', '--seconds', '1:60'], /or 1:30, not 1:60/],
    [['record', '--bytes', '0.5'], /--bytes takes a size/],
    [['record', '--rate', '0'], /--rate takes a whole number/],
    [['record', '--encoding', 'mp3'], /--encoding is one of u8, s16le/],
    [['record', '--to-encoding', 'mp3'], /--to-encoding is one of u8, s16le/],
    [['record', '--backend', 'jack'], /naudiodon or koffi/],
    [['record', 'a.wav', 'b.wav'], /\[out \| -\].*got a.wav b.wav/],
    [['record', 'a.m4a'], /writes .wav, .flac, .mp3, .ogg and .opus, not .m4a: pipe into ffmpeg/],
    [['record', 'a.mp3', '--codec', 'opus'], /--codec opus goes with a name that ends in .ogg/],
    [['record', 'a.wav', '--codec', 'mp3'], /--codec mp3 goes with a name that ends in .mp3/],
    [['record', '-', '--codec', 'aac'], /--codec is flac, mp3 or opus, not aac/],
    [['record', 'a.wav', '--bitrate', '64k'], /--bitrate goes with MP3 and Opus/],
    [['record', 'a.flac', '--bitrate', '64k'], /FLAC is lossless/],
    [['record', 'a.mp3', '--bitrate', 'high'], /--bitrate takes a whole number/],
    [['split', 'a.wav', '--max-size', '25MB', '--codec', 'opus'], /say --every, not --max-size/],
    [['record', '--json', '-'], /--json and -/],
    [['record', '--from', 'a.wav', '--device', '1', 'b.wav'], /two sources/],
    [['record', '.'], /is a folder/],
    [['info'], /got nothing/],
    [['devices', 'all'], /got all/],
    [['waveform', 'a.wav', '--output', 'a.gif'], /\.svg or \.png/],
    [['convert', 'a.wav'], /<out \| ->/],
    [['split', 'a.wav'], /either --every, or --silence/],
    [['split', 'a.wav', '--every', '1', '--silence', '1'], /either --every, or --silence/],
    [['split', 'a.wav', '--every', '1', '--pre-roll', '1'], /either --every, or --silence/],
    [['repair', 'a.wav', 'b.wav', '--in-place'], /two outputs/],
  ])('%j', async (args, sentence) => {
    const { code, stdout, stderr } = await packed.run(args)
    expect(stderr).toMatch(sentence)
    expect({ code, stdout: stdout.length, lines: stderr.split('\n').length }).toEqual({
      code: 2,
      stdout: 0,
      lines: 2,
    })
    expect(stderr).toMatch(/^wavespool[a-z ]*: .*[;?] see wavespool [a-z ]*--help\n$/)
  })
})

test('--debug adds the stack, which is not printed without it', async () => {
  const args = ['record', '--from', 'none.wav', 'x.wav']
  const plain = await packed.run(args)
  expect(plain).toMatchObject({
    code: 1,
    stderr: 'wavespool record: cannot open none.wav: no such file or directory\n',
  })
  const { code, stderr } = await packed.run([...args, '--debug'])
  expect({ code, starts: stderr.startsWith(plain.stderr) }).toEqual({ code: 1, starts: true })
  expect(stderr).toMatch(/ENOENT/)
})

test('without an audio package an error names the packages to install', async () => {
  for (const args of [['record', 'x.wav'], ['devices']]) {
    const { code, stderr } = await packed.run(args)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^wavespool \w+: .*install.*\n$/)
  }
  const { code, stdout } = await packed.run(['doctor'])
  expect(code).toBe(1)
  expect(stdout.toString()).toMatch(/^✓ Node: v\d+/m)
  expect(stdout.toString()).toMatch(/^✗ naudiodon: .*install/m)
})

describe.skipIf(whyNoWindow)('in a terminal', () => {
  test('the help fills 40 columns without a break in a word', async () => {
    await using window = new Window(packed, { columns: 40, rows: 70 })
    const { screen } = await window.run('wavespool record --help')
    expect(screen).toContain('  --until-silence TIME\n      stop when speech is followed by')
  })

  test('samples are not written to it', async () => {
    await using window = new Window(packed)
    expect((await window.run('wavespool record -')).code).toBe(2)
    expect((await window.run('wavespool record --from - a.wav')).screen).toMatch(/stdin, which is a terminal/)
  })

  test('a waveform is as wide as the window, and in colour, unless NO_COLOR', async () => {
    await packed.shell('head -c 16000 /dev/urandom | wavespool convert --rate 8000 - noise.wav')
    await using window = new Window(packed, { columns: 40, env: { ...process.env, NO_COLOR: undefined } })
    const { screen } = await window.run('wavespool waveform noise.wav')
    const lines = screen.split('\n').filter((line) => /[\u2801-\u28ff]/.test(line))
    expect(lines.map((line) => line.length)).toEqual(Array(8).fill(39))
    expect(window.screen({ escapes: true })).toContain('[36m')
    await window.run('NO_COLOR=1 wavespool waveform noise.wav')
    expect(window.screen({ escapes: true })).not.toContain('[36m')
  })
})

test('text that is written to a closed pipe is no failure', async () => {
  await packed.shell('head -c 16000 /dev/urandom | wavespool convert --rate 8000 - noise.wav')
  for (const line of ['--help', 'record --help', 'info noise.wav', 'waveform noise.wav']) {
    const { stdout, stderr } = await packed.shell(`wavespool ${line} | true; echo \${PIPESTATUS[0]}`)
    expect([stdout.toString(), stderr], line).toEqual(['0\n', ''])
  }
})

test('the help mentions the microphone only for commands that use it', async () => {
  const { stdout } = await packed.run(['convert', '--help'])
  expect(stdout.toString()).not.toMatch(/microphone/)
  expect((await packed.run(['split', '--help'])).stdout.toString()).not.toMatch(/microphone/)
  expect((await packed.run(['record', '--help'])).stdout.toString()).toMatch(/microphone/)
})
