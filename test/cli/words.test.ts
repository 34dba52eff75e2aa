import { describe, expect, test } from 'vitest'
import { foreignInput } from '../../src/cli/foreignInput.ts'
import { nearest } from '../../src/cli/nearest.ts'
import { exactLength } from '../../src/cli/terminal/units.ts'
import { rateOf, sizeOf, timeOf } from '../../src/cli/values.ts'

describe('values on the command line', () => {
  test.each([
    ['5', 5],
    ['.5', 0.5],
    ['1.5s', 1.5],
    ['200ms', 0.2],
    ['2m', 120],
    ['1:30', 90],
    ['90:00', 5400],
    ['0:00.250', 0.25],
    ['1:02:03.5', 3723.5],
  ])('%s is a time', (text, seconds) => expect(timeOf('every', text)).toBeCloseTo(seconds, 9))

  test.each([
    '',
    '0',
    '0:00',
    '1:60',
    '1:2',
    ':30',
    '1:',
    '1:60:00',
    '1:2:03',
    '-1:30',
    '1:30s',
    '1:30:00:00',
    '1e3',
  ])('%j is none', (text) => expect(() => timeOf('every', text)).toThrow(/--every takes a time/))

  test.each([
    ['8k', 8000],
    ['25M', 25_000_000],
    ['25MB', 25_000_000],
    ['1G', 1_000_000_000],
    ['1.5MiB', 1_572_864],
    ['500kB', 500_000],
    ['960000', 960_000],
    ['12B', 12],
  ])('%s is a size', (text, bytes) => expect(sizeOf('bytes', text)).toBe(bytes))

  test.each(['', 'k', '0', '0.5', '8q', '8kk', '-8k', '8i'])('%j is none', (text) =>
    expect(() => sizeOf('bytes', text)).toThrow(/--bytes takes a size/),
  )

  test.each([
    ['8k', 8000],
    ['44.1k', 44_100],
    ['22.05K', 22_050],
    ['11.025k', 11_025],
    ['16000', 16_000],
  ])('%s is a rate', (text, hz) => expect(rateOf('rate', text)).toBe(hz))

  test.each(['', 'k', '0k', '8kHz', '1.5', '0.0001k'])('%j is none', (text) =>
    expect(() => rateOf('rate', text)).toThrow(/--rate takes a whole number/),
  )
})

test.each([
  [0, '0.000 s'],
  [59.9994, '59.999 s'],
  [59.9996, '1:00.000'],
  [3569, '59:29.000'],
  [3600.5, '1:00:00.500'],
  [360_061.25, '100:01:01.250'],
])('%d seconds are %s', (seconds, text) => expect(exactLength(seconds)).toBe(text))

describe('a wrong name', () => {
  const known = ['seconds', 'bytes', 'rate', 'to-rate', 'channels', 'to-channels', 'force', 'json', 'help']
  test.each([
    ['secnods', ['seconds']],
    ['sample-rate', ['to-rate', 'rate']],
    ['ar', ['to-rate', 'rate']],
    ['stereo', ['to-channels', 'channels']],
    ['to-rat', ['to-rate']],
    ['overwrite', ['force']],
    ['jsn', ['json']],
    ['x', []],
    ['nonsense', []],
  ])('%s is near %j', (wrong, near) => expect(nearest(wrong, known)).toEqual(near))
})

describe('an input that only other programs read', () => {
  test.each([
    ['an AIFF file', [...Buffer.from('FORM\0\0\0\0AIFC')]],
    ['an AMR file', [...Buffer.from('#!AMR')]],
    ['an AAC file without a container', [0xff, 0xf1, 0x50, 0x80]],
  ])('is named: %s', (kind, head) => {
    expect(foreignInput(Uint8Array.from(head), 'talk.x')).toBe(
      `talk.x is ${kind}, which wavespool does not read: convert it first, by ffmpeg -i talk.x talk.wav`,
    )
    expect(foreignInput(Uint8Array.from(head), 'stdin')).toMatch(/by ffmpeg -i - -f wav - in front of it$/)
  })

  test('the named command runs unchanged, and overwrites no file of any name', () => {
    const named = (name: string) => /by (.*)$/.exec(foreignInput(Buffer.from('#!AMR'), name)!)![1]
    expect(named('talk.wav')).toBe('ffmpeg -i talk.wav talk-converted.wav')
    expect(named('calls/talk.wav')).toBe('ffmpeg -i calls/talk.wav talk.wav')
    expect(named("our first 'talk'.mp3")).toBe(
      "ffmpeg -i 'our first '\\''talk'\\''.mp3' 'our first '\\''talk'\\''.wav'",
    )
  })

  test.each([
    [[]],
    [[0xff, 0xff, 0xff, 0xff]],
    [[0xff, 0xfb, 0x90, 0x64]],
    [[...Buffer.from('RIFF')]],
    [[...Buffer.from('fLaC')]],
    [[...Buffer.from('text')]],
  ])('is not assumed for %j', (head) => expect(foreignInput(Uint8Array.from(head), 'x')).toBeUndefined())
})
