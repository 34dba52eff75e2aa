import { once } from 'node:events'
import * as stream from 'node:stream'
import { PassThrough, Readable, Transform, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import {
  chunk,
  convert,
  decode,
  encode,
  gate,
  limit,
  meter,
  type PcmFormat,
  pcmFormat,
  RollingBuffer,
  replay,
  segment,
  timeline,
  VirtualFile,
  wavHeader,
  wavReader,
} from '../../src/index.ts'
import { openaiRealtime, twilioMedia } from '../../src/telephony/index.ts'
import { ramp, script, silence, speech, tone } from '../../src/testing/index.ts'

const studio = pcmFormat({ sampleRate: 48_000 })
const wanted = pcmFormat()
const second = { duration: { seconds: 1 } }
const milliseconds = { milliseconds: 20 }

/** Not in the declarations of Node yet. */
const { compose } = stream as unknown as { compose(...streams: stream.Duplex[]): stream.Duplex }

const disagree = (takes: PcmFormat, gives: PcmFormat) =>
  expect.objectContaining({
    code: 'ERR_WAVESPOOL_FORMAT',
    message: expect.stringMatching(
      new RegExp(
        `${takes.encoding}, .*${takes.sampleRate} Hz.*${gives.encoding}, .*${gives.sampleRate} Hz.*convert\\(`,
      ),
    ),
  })

/** Everything that takes PCM in a format. */
const takers: Record<string, (format: PcmFormat) => Writable> = {
  limit: (format) => limit(format, { seconds: 1 }),
  chunk: (format) => chunk(format, milliseconds),
  meter: (format) => meter(format, { every: milliseconds }),
  gate: (format) => gate(format),
  convert: (format) => convert(format, format),
  wavHeader: (format) => wavHeader(format),
  encode: (format) => encode(format, { codec: 'flac' }),
  segment: (format) => segment(format, { every: { seconds: 1 } }),
  'timeline.track': (format) => timeline(format, { tracks: ['a'] }).track('a'),
  RollingBuffer: (format) => new RollingBuffer(format, { seconds: 1 }),
  'chain, fused': (format) => chain([limit(format, { seconds: 1 }), meter(format, { every: milliseconds })]),
  'chain with a foreign stage': (format) => chain([limit(format, { seconds: 1 }), new PassThrough()]),
}

/** Everything that gives PCM in a format, and ends the pipeline that it stands in. */
const givers: Record<string, (format: PcmFormat) => (NodeJS.ReadableStream | NodeJS.ReadWriteStream)[]> = {
  tone: (format) => [tone(format, second)],
  silence: (format) => [silence(format, second)],
  ramp: (format) => [ramp(format, second)],
  speech: (format) => [speech(format, second)],
  limit: (format) => [script([Buffer.alloc(960)]), limit(format, { seconds: 1 })],
  chunk: (format) => [script([Buffer.alloc(960)]), chunk(format, milliseconds)],
  meter: (format) => [script([Buffer.alloc(960)]), meter(format, { every: milliseconds })],
  gate: (format) => [script([Buffer.alloc(960)]), gate(format)],
  convert: (format) => [
    tone(pcmFormat({ sampleRate: 8000 }), second),
    convert(pcmFormat({ sampleRate: 8000 }), format),
  ],
  'wavReader, once it has read the header': (format) => [
    tone(format, second),
    wavHeader(format),
    wavReader(),
  ],
  'wavReader({ to })': (format) => [tone(wanted, second), wavHeader(wanted), wavReader({ to: format })],
  'decode, once it has read the header': (format) => [tone(format, second), wavHeader(format), decode()],
  'decode({ to })': (format) => [tone(wanted, second), wavHeader(wanted), decode({ to: format })],
  'chain, fused': (format) => [
    script([Buffer.alloc(960)]),
    chain([limit(format, { seconds: 1 }), meter(format, { every: milliseconds })]),
  ],
  'chain with a foreign stage': (format) => [
    script([Buffer.alloc(960)]),
    chain([new PassThrough(), gate(format)]),
  ],
  timeline: ({ sampleRate, encoding }) => {
    const calls = timeline(pcmFormat({ sampleRate, encoding }), { tracks: ['a'] })
    tone(pcmFormat({ sampleRate, encoding }), second).pipe(calls.track('a'))
    return [calls]
  },
}

const drained = () => new Writable({ write: (_chunk, _encoding, callback) => callback() })

async function run(streams: readonly unknown[]): Promise<void> {
  const last = streams.at(-1) as Partial<Readable>
  const needsReader = typeof last.pipe === 'function' && last.readable
  const end = new Writable({ objectMode: true, write: (_chunk, _encoding, callback) => callback() })
  await pipeline([...streams, ...(needsReader ? [end] : [])] as never)
}

describe('neighbours that know their formats', () => {
  test.each(Object.keys(takers))('%s fails at once behind a source in another format', async (name) => {
    const source = tone(studio)
    await expect(run([source, takers[name]!(wanted)])).rejects.toEqual(disagree(wanted, studio))
    expect(source.destroyed).toBe(true)
  })

  test.each(Object.keys(givers))('%s fails in front of a stage of another format', async (name) => {
    const streams = givers[name]!(studio)
    await expect(run([...streams, limit(wanted, { seconds: 1 })])).rejects.toEqual(disagree(wanted, studio))
    for (const stream of streams) expect((stream as Readable).destroyed).toBe(true)
  })

  test.each(Object.keys(givers))('%s runs into a stage of its own format', async (name) => {
    await run([...givers[name]!(studio), limit(studio, { milliseconds: 10 })])
  })

  test('each field of a format counts', async () => {
    const others = [{ sampleRate: 8000 }, { channels: 2 }, { encoding: 's24le' as const }]
    for (const other of others) {
      const from = pcmFormat(other)
      await expect(run([tone(from, second), wavHeader(wanted)])).rejects.toEqual(disagree(wanted, from))
    }
    const same = { sampleRate: 16_000, channels: 1, encoding: 's16le' as const }
    await run([tone(wanted, second), wavHeader(same as PcmFormat)])
  })

  test('by pipe() the stage fails, and the source is closed', async () => {
    const source = tone(studio, { pace: 'realtime' })
    const stage = source.pipe(wavHeader(wanted))
    const [error] = await once(stage, 'error')
    expect(error).toEqual(disagree(wanted, studio))
    if (!source.closed) await once(source, 'close')
    expect(stage.readableLength).toBe(0)
  })

  test('each of two pipes is checked separately', async () => {
    const source = tone(studio, second)
    const wrong = source.pipe(wavHeader(wanted))
    const right = source.pipe(wavHeader(studio)).pipe(drained())
    const [error] = await once(wrong, 'error')
    expect(error).toEqual(disagree(wanted, studio))
    await finished(right)
  })

  test('a pipe that is gone before the format is known does no harm', async () => {
    const reader = wavReader()
    const stage = limit(wanted, { seconds: 1 })
    reader.pipe(stage)
    reader.unpipe(stage)
    reader.pipe(drained())
    await pipeline(tone(studio, second), wavHeader(studio), reader)
    expect(stage.destroyed).toBe(false)
  })

  test('compose() refuses them too', async () => {
    const both = compose(limit(studio, { seconds: 1 }), wavHeader(wanted))
    await expect(run([script([Buffer.alloc(960)]), both])).rejects.toEqual(disagree(wanted, studio))
  })

  test('a replay and a follower of a recording know their format once they have read it', async () => {
    await using memo = await VirtualFile.from(tone(studio, second).pipe(wavHeader(studio)))
    await expect(run([replay(memo, { pace: 'fast' }), wavHeader(wanted)])).rejects.toEqual(
      disagree(wanted, studio),
    )
    const samples = () => memo.createReadStream({ header: false })
    await expect(run([samples(), wavHeader(wanted)])).rejects.toEqual(disagree(wanted, studio))
    await run([samples(), wavHeader(studio)])

    await using live = new VirtualFile()
    const follower = live.createReadStream({ header: false, follow: true })
    const failing = expect(run([follower, wavHeader(wanted)])).rejects.toEqual(disagree(wanted, studio))
    await pipeline(tone(studio, second), wavHeader(studio), live)
    await failing
  })
})

describe('chain()', () => {
  test('refuses neighbours that disagree before anything runs', () => {
    const stages = [limit(studio, { seconds: 1 }), wavHeader(wanted)]
    expect(() => chain(stages)).toThrow(disagree(wanted, studio) as never)
    expect(() => chain([gate(studio), segment(wanted, { every: { seconds: 1 } })])).toThrow(/convert\(/)
    expect(() => chain([chain([new PassThrough(), gate(studio)]), gate(wanted)])).toThrow(/convert\(/)
    for (const stage of stages) expect(stage.destroyed).toBe(false)
  })

  test.each([
    ['fused', []],
    ['with a stage apart', [gate(wanted)]],
  ])('fails once the format of a header inside it is known (%s)', async (_name, more) => {
    const row = chain([wavReader(), limit(wanted, { seconds: 1 }), ...more])
    await expect(run([tone(studio, second), wavHeader(studio), row])).rejects.toEqual(
      disagree(wanted, studio),
    )
  })
})

describe('input that is no PCM', () => {
  test.each(Object.keys(takers))('%s refuses a WAV file in place of samples', async (name) => {
    const whole = [tone(wanted, second), wavHeader(wanted)]
    const fault = {
      code: 'ERR_WAVESPOOL_FORMAT',
      message: expect.stringMatching(/WAV file.*in front of wavHeader\(\)/),
    }
    await expect(run([...whole, takers[name]!(wanted)])).rejects.toMatchObject(fault)
  })

  test('wavHeader() refuses a compressed file', async () => {
    const encoded = encode(wanted, { codec: 'flac' })
    const fault = { code: 'ERR_WAVESPOOL_FORMAT', message: expect.stringMatching(/FLAC file.*decode\(\)/) }
    await expect(run([tone(wanted, second), encoded, wavHeader(wanted)])).rejects.toMatchObject(fault)
  })

  test('a WAV file that is read back is refused in place of samples', async () => {
    await using memo = await VirtualFile.from(tone(wanted, second).pipe(wavHeader(wanted)))
    const fault = { code: 'ERR_WAVESPOOL_FORMAT', message: expect.stringContaining('wavReader()') }
    await expect(run([memo.createReadStream(), wavHeader(wanted)])).rejects.toMatchObject(fault)
    await run([memo.createReadStream(), wavReader(), wavHeader(wanted)])
  })
})

describe('a stream of unknown format', () => {
  test.each([
    ['a foreign source', () => [Readable.from([Buffer.alloc(960)]), wavHeader(wanted)]],
    ['a script', () => [script([Buffer.alloc(960)]), wavHeader(wanted)]],
    ['a foreign stage between', () => [tone(studio, second), new PassThrough(), wavHeader(wanted)]],
    [
      'a resampler of the user',
      () => [
        tone(studio, second),
        new Transform({ transform: (c, _e, cb) => cb(null, c) }),
        wavHeader(wanted),
      ],
    ],
    [
      'a generator between',
      () => [
        tone(studio, second),
        async function* (chunks: AsyncIterable<Buffer>) {
          yield* chunks
        },
        wavHeader(wanted),
      ],
    ],
  ])('%s is no error', async (_name, make) => {
    await run(make())
  })
})

describe('the messages of a call', () => {
  const start = JSON.stringify({
    event: 'start',
    start: { tracks: ['inbound'], mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 } },
  })
  const phone = pcmFormat({ sampleRate: 8000, encoding: 'mulaw' })

  test('a timeline in another format fails when the call names its own', async () => {
    const calls = timeline(wanted, { tracks: ['inbound'] })
    await expect(run([Readable.from([start]), twilioMedia(), calls])).rejects.toMatchObject({
      code: 'ERR_WAVESPOOL_FORMAT',
      message: expect.stringMatching(/timeline\(\) takes s16le.*twilioMedia\(\) gives mulaw.*convert\(/),
    })
    await run([Readable.from([start]), twilioMedia(), timeline(phone, { tracks: ['inbound'] })])
  })

  test('a timeline fails at once where the parser has a fixed format', async () => {
    const calls = timeline(wanted, { tracks: ['user', 'assistant'] })
    await expect(run([Readable.from([]), openaiRealtime(), calls])).rejects.toMatchObject({
      code: 'ERR_WAVESPOOL_FORMAT',
    })
  })
})
