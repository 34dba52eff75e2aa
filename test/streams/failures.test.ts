import { once } from 'node:events'
import { PassThrough, Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { chunk } from '../../src/streams/chunk.ts'
import { convert } from '../../src/streams/convert.ts'
import { meter } from '../../src/streams/meter.ts'
import type { Stage } from '../../src/streams/stage.ts'
import { wavHeader } from '../../src/streams/wavHeader.ts'
import { wavReader } from '../../src/streams/wavReader.ts'

const format = pcmFormat()
const PARTIAL = 'ERR_WAVESPOOL_PARTIAL_FRAME'
const WAV = 'ERR_WAVESPOOL_WAV'

type Consume = (source: Readable, stage: Stage, take: (bytes: Uint8Array) => void) => Promise<unknown>

/** Every way to consume a stage; each hands over the bytes that it gets and rejects with the error. */
const consumers: Record<string, Consume> = {
  async 'for await'(source, stage, take) {
    for await (const bytes of source.pipe(stage)) {
      await new Promise(setImmediate)
      take(bytes)
    }
  },
  'a function at the end of pipeline()': (source, stage, take) =>
    pipeline(source, stage, async (pieces: AsyncIterable<Buffer>) => {
      for await (const bytes of pieces) take(bytes)
    }),
  'a stage behind it in pipeline()'(source, stage, take) {
    const behind = new Transform({
      transform(bytes, _encoding, callback) {
        take(bytes)
        callback()
      },
    })
    return pipeline(source, stage, behind, new PassThrough().resume())
  },
  "'data' and 'error'": (source, stage, take) => once(source.pipe(stage).on('data', take), 'close'),
  "'readable' and read()": (source, stage, take) =>
    once(
      source.pipe(stage).on('readable', () => {
        for (let bytes = stage.read(2); bytes !== null; bytes = stage.read(2)) take(bytes)
      }),
      'close',
    ),
  async 'Readable.toWeb()'(source, stage, take) {
    for await (const bytes of Readable.toWeb(source.pipe(stage))) take(bytes as Uint8Array)
  },
}

describe.each(Object.entries(consumers))('an error in a stage reaches %s', (_, consume) => {
  const noise = Array<Buffer>(99).fill(Buffer.alloc(1001))
  test.each<[string, () => Stage, Uint8Array[], number, string]>([
    ['behind all that was put out', () => chunk(format, { frames: 2 }), [Buffer.alloc(9)], 8, PARTIAL],
    ['behind many chunks', () => meter(format, { every: { frames: 7 } }), noise, 99_098, PARTIAL],
    ['behind a resampler', () => convert(format, pcmFormat({ sampleRate: 8000 })), noise, 49_550, PARTIAL],
    ['behind a header', () => wavHeader(format), [Buffer.alloc(1)], 44, PARTIAL],
    ['where nothing was put out', () => wavReader(), [Buffer.from('no WAV file')], 0, WAV],
    [
      'behind our stages in chain()',
      () =>
        chain([
          meter(format, { every: { frames: 7 } }),
          chunk(format, { frames: 2 }),
          wavHeader(format),
        ]) as Stage,
      noise,
      99_142,
      PARTIAL,
    ],
    ['of an empty stream', () => wavReader(), [], 0, WAV],
  ])('%s', async (_case, make, input, expectedBytes, code) => {
    let bytes = 0
    const consumed = consume(Readable.from(input), make(), (piece) => {
      bytes += piece.length
    })
    await expect(consumed).rejects.toMatchObject({ code })
    expect(bytes).toBe(expectedBytes)
  })
})
