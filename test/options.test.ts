import { describe, expect, test } from 'vitest'
import {
  chunk,
  convert,
  gate,
  idleTimeout,
  limit,
  listDevices,
  meter,
  pcmFormat,
  portAudio,
  prewarm,
  replay,
  segment,
  timeline,
  VirtualFile,
  wavHeader,
  wavReader,
} from 'wavespool'
import { recordingPage } from 'wavespool/serve'
import { assertRamp, ramp, script, silence, speech, tone } from 'wavespool/testing'
import { checkOptions, nearest } from '../src/options.ts'

const format = pcmFormat()
const second = { seconds: 1 }
const every = { every: second }
const bytes = Buffer.alloc(2)

type Options = Record<string, unknown>
/** Every public function that takes options, and a wrong name with the one that was meant. */
const calls: [name: string, wrong: string, right: string, call: (options: Options) => unknown][] = [
  ['pcmFormat()', 'samplerate', 'sampleRate', (options) => pcmFormat(options)],
  ['limit()', 'onlimit', 'onLimit', (options) => limit(format, second, options)],
  ['chunk()', 'overlap', 'hop', (options) => chunk(format, second, options)],
  ['chunk()', 'tails', 'tail', (options) => chunk(format, second, options)],
  ['segment()', 'maxlength', 'maxLength', (options) => segment(format, { silence: second, ...options })],
  ['segment()', 'highwatermark', 'highWaterMark', (options) => segment(format, { ...every, ...options })],
  ['wavReader()', 'onTruncate', 'onTruncated', (options) => wavReader(options)],
  ['wavReader()', 'channels', 'channel', (options) => wavReader({ to: format, ...options })],
  ['wavHeader()', 'rf46', 'rf64', (options) => wavHeader(format, options)],
  ['meter()', 'evry', 'every', (options) => meter(format, { ...every, ...options })],
  ['convert()', 'chan', 'channel', (options) => convert(format, format, options)],
  ['gate()', 'close', 'closed', (options) => gate(format, options)],
  ['idleTimeout()', 'second', 'seconds', (options) => idleTimeout(options as never)],
  ['timeline()', 'maxgap', 'maxGap', (options) => timeline(format, { tracks: ['a'], ...options })],
  ['portAudio()', 'devise', 'device', (options) => portAudio(format, options)],
  ['portAudio(): queue', 'second', 'seconds', (queue) => portAudio(format, { queue })],
  ['listDevices()', 'rate', 'rates', (options) => listDevices(options)],
  ['prewarm()', 'backends', 'backend', (options) => prewarm(options)],
  ['replay()', 'pase', 'pace', (options) => replay('nowhere.wav', options)],
  ['tone()', 'freq', 'frequency', (options) => tone(format, options)],
  ['ramp()', 'durations', 'duration', (options) => ramp(format, options)],
  ['silence()', 'stallafter', 'stallAfter', (options) => silence(format, options)],
  ['speech()', 'sentense', 'sentence', (options) => speech(format, options)],
  ['script()', 'evry', 'every', (options) => script([bytes], options)],
  ['new VirtualFile()', 'path', 'storage: { path }', (options) => new VirtualFile(options)],
  ['new VirtualFile()', 'maxbytes', 'maxBytes', (options) => new VirtualFile(options)],
  ['createReadStream()', 'folow', 'follow', (options) => new VirtualFile().createReadStream(options)],
  [
    'storage',
    'overwrites',
    'overwrite',
    (options) => new VirtualFile({ storage: { path: 'nowhere/a.wav', ...options } }),
  ],
  [
    'storage: spill',
    'directry',
    'directory',
    (options) => new VirtualFile({ storage: { spill: { after: 1, ...options } } }),
  ],
  ['recordingPage()', 'host', 'hosts', (options) => recordingPage('recordings', options)],
  ['recordingPage(): limits', 'file', 'files', (limits) => recordingPage('recordings', { limits })],
  ['assertRamp()', 'form', 'from', (options) => assertRamp(bytes, format, options)],
]

describe('an unknown option', () => {
  test.each(calls)('%s names the nearest for { %s }: %s', (caller, wrong, right, call) => {
    const thrown = (value: unknown) => {
      try {
        call({ [wrong]: value })
      } catch (error) {
        return error as Error & { code: string }
      }
    }
    for (const value of [1, undefined]) {
      const error = thrown(value)
      expect(error).toBeInstanceOf(TypeError)
      expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
      expect(error!.message).toContain(`${caller} has no option ${JSON.stringify(wrong)}; did you mean`)
      expect(error!.message.replace(/\?.*/, '')).toContain(right)
    }
  })

  test.each(calls)('%s takes only an object', (_caller, _wrong, _right, call) => {
    // where options are merged into others a primitive adds none
    if (/\.\.\./.test(String(call))) return
    for (const options of [null, 1, 'fast', [], () => {}]) {
      expect(() => call(options as never)).toThrow(
        expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE', name: 'ArgumentTypeError' }),
      )
    }
  })
})

test.each([
  ['toFloat32', { samplerate: 8000 }],
  ['toInt16', { chanel: 0 }],
] as const)('%s() rejects an unknown option', async (method, options) => {
  const file = new VirtualFile()
  await expect(file[method](options as never)).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
})

test('VirtualFile.from() rejects an unknown option before it opens anything', async () => {
  for (const options of [{ signals: 1 }, { path: 'a.wav' }, null, 'fast']) {
    await expect(VirtualFile.from('nowhere.wav', options as never)).rejects.toMatchObject({
      code: 'ERR_WAVESPOOL_ARG_TYPE',
    })
  }
})

describe('checkOptions()', () => {
  test('takes any number of known options, and does not change the object', () => {
    const options = Object.freeze({ hop: 1 })
    expect(() => checkOptions(options, ['hop', 'tail'], 'f()')).not.toThrow()
    expect(() => checkOptions({}, [], 'f()')).not.toThrow()
  })

  test('names the right option for a synonym', () => {
    expect(() => checkOptions({ Path: 'x' }, ['name'], 'f()', { path: '{ storage: { path } }' })).toThrow(
      'f() has no option "Path"; did you mean { storage: { path } }? It takes { name }',
    )
  })

  test('suggests no option where no name is near', () => {
    expect(() => checkOptions({ constructor: 1 }, ['hop', 'tail'], 'f()', {})).toThrow(
      'f() has no option "constructor". It takes { hop, tail }',
    )
  })
})

test('the nearest name has the fewest letters to change, in upper or lower case', () => {
  const known = ['sampleRate', 'channels', 'encoding', 'every', 'to']
  const meant = {
    samplerate: 'sampleRate',
    SampleRate: 'sampleRate',
    smapleRate: 'sampleRate',
    rate: 'sampleRate',
  }
  for (const [wrong, right] of Object.entries(meant)) expect(nearest(wrong, known)).toBe(right)
  expect(nearest('chanels', known)).toBe('channels')
  expect(nearest('eevry', known)).toBe('every')
  expect(nearest('xy', known)).toBeUndefined()
})
