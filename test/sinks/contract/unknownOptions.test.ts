import { expect, test } from 'vitest'
import { VirtualFile } from '../../../src/index.ts'
import { settles } from './outcomes.ts'

const file = () => new VirtualFile()
const follow = (options: object) => () => file().createReadStream(options)

/** A call with an unknown option, and the option that the error names: the nearest one, or the unknown one itself. */
const calls: [string, () => unknown, string][] = [
  ['new VirtualFile({ path })', () => new VirtualFile({ path: 'call.wav' } as never), 'path'],
  ['new VirtualFile({ maxbytes })', () => new VirtualFile({ maxbytes: 1000 } as never), 'maxBytes'],
  ['new VirtualFile({ nmae })', () => new VirtualFile({ nmae: 'a.wav' } as never), 'name'],
  ['new VirtualFile({ mimeType })', () => new VirtualFile({ mimeType: 'audio/wav' } as never), 'mimeType'],
  [
    '{ path, overwite }',
    () => new VirtualFile({ storage: { path: '/tmp/never.wav', overwite: true } as never }),
    'overwrite',
  ],
  [
    '{ path, fSync }',
    () => new VirtualFile({ storage: { path: '/tmp/never.wav', fSync: true } as never }),
    'fsync',
  ],
  ['{ spill: { afer } }', () => new VirtualFile({ storage: { spill: { afer: 1000 } as never } }), 'after'],
  [
    '{ spill: { dir } }',
    () => new VirtualFile({ storage: { spill: { dir: '/tmp' } as never } }),
    'directory',
  ],
  [
    '{ spill, directory }',
    () => new VirtualFile({ storage: { spill: {}, directory: '/tmp' } as never }),
    'directory',
  ],
  ['createReadStream({ folow })', follow({ folow: true }), 'follow'],
  ['createReadStream({ Start })', follow({ Start: 4 }), 'start'],
  ['createReadStream({ highWatermark })', follow({ highWatermark: 4 }), 'highWaterMark'],
  ['createReadStream({ headers })', follow({ headers: false }), 'header'],
  ['stream({ folow })', () => file().stream({ folow: true } as never), 'follow'],
  ['toFloat32({ samplerate })', () => file().toFloat32({ samplerate: 8000 } as never), 'sampleRate'],
  ['toInt16({ chanels })', () => file().toInt16({ chanels: 1 } as never), 'channels'],
]

test.each(calls)('%s is refused, and the option that was meant is named', async (_label, call, meant) => {
  const attempt = async () => call()
  const error = await settles(
    attempt().then(
      () => undefined,
      (fault) => fault as TypeError & { code: string },
    ),
    'the call',
  )
  expect(error).toBeInstanceOf(TypeError)
  expect(error!.code).toBe('ERR_WAVESPOOL_ARG_TYPE')
  expect(error!.message).toContain(meant)
})

const values: [string, object][] = [
  ['follow', { follow: 'no' }],
  ['follow', { follow: 1 }],
  ['header', { header: 'yes' }],
  ['start', { start: 'now', follow: true }],
  ['start', { start: null }],
]

test.each(values)('%s of another kind is refused: %o', (option, options) => {
  expect(follow(options)).toThrow(
    expect.objectContaining({
      code: 'ERR_WAVESPOOL_ARG_TYPE',
      message: expect.stringContaining(option),
    }),
  )
})

test('options that are undefined count as missing', async () => {
  const made = new VirtualFile({
    name: undefined,
    type: undefined,
    maxBytes: undefined,
    storage: undefined,
  } as never)
  made.createReadStream({ start: undefined, end: undefined, follow: undefined } as never)
  await made.dispose()
})

test('an inherited member of an options object is no unknown option', async () => {
  class Options {
    get name(): string {
      return 'a.wav'
    }
    describe(): string {
      return 'a user’s own class'
    }
  }
  const made = new VirtualFile(new Options())
  expect(made.name).toBe('a.wav')
  await made.dispose()
})
