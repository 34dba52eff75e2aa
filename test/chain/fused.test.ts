import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import { chunk, limit, meter, type Stage, wavHeader } from '../../src/index.ts'
import { pattern } from '../format/arbitraries.ts'
import { Ticking } from '../streams/ticking.ts'
import { firstToTell, forgive, format, inputs, listen, rows } from './rows.ts'

/** The bytes that came out, the events on the way, and the code of the error at the end. */
async function outcome(
  chunks: readonly Uint8Array[],
  stages: Stage[],
  told: number,
  join: (stages: Stage[]) => object[],
) {
  const events = listen(stages, told)
  const bytes: Buffer[] = []
  const sink = new Writable({
    write(piece, _encoding, callback) {
      bytes.push(piece)
      callback()
    },
  })
  const source = Readable.from(chunks, { objectMode: false })
  const error = await pipeline([source, ...join(stages), sink] as never).then(
    () => undefined,
    (error) => error.code ?? error,
  )
  return {
    bytes: Buffer.concat(bytes).toString('hex'),
    events: events.map((event) => JSON.stringify(event)).sort(),
    error,
  }
}

test('a row of stages gives the same bytes, events and errors in one Transform', async () => {
  await fc.assert(
    fc.asyncProperty(inputs, rows, async (chunks, makers) => {
      const told = firstToTell(makers)
      const row = () => makers.map(({ make }) => make())
      const apart = await outcome(chunks, row(), told, (stages) => stages)
      const fused = await outcome(chunks, row(), told, (stages) => [chain(stages)])
      forgive(apart, fused, told > 0)
      expect(fused).toEqual(apart)
    }),
    { numRuns: 300 },
  )
})

describe('a fused row', () => {
  test('is one Transform, unless it contains a foreign stage', () => {
    const row = chain([limit(format, { seconds: 1 }), wavHeader(format)])
    expect(row.constructor.name).toBe('Stage')
    const mixed = chain([
      limit(format, { seconds: 1 }),
      meter(format, { every: { seconds: 1 } }),
      new PassThrough(),
    ])
    expect(mixed.constructor.name).not.toBe('Stage')
    expect(chain([row]).constructor.name).toBe('Stage')
  })

  test('gives windows one at a time where chunk comes last', async () => {
    const row = chain([meter(format, { every: { seconds: 1 } }), chunk(format, { frames: 30 })])
    const sizes: number[] = []
    for await (const window of Readable.from([pattern(200)]).pipe(row)) sizes.push(window.length)
    expect(sizes).toEqual([60, 60, 60, 20])
  })

  test('is stopped by each of its stages, and closes them with it', async () => {
    const source = new Ticking()
    const stages = [
      meter(format, { every: { seconds: 1 } }),
      chunk(format, { frames: 30 }),
      wavHeader(format),
    ]
    setTimeout(() => stages[1]!.stop(), 30)
    await pipeline(source, chain(stages), new PassThrough().resume())
    expect([source, ...stages].map(({ destroyed }) => destroyed)).toEqual([true, true, true, true])
  })

  test('stops the source that a limit in it names', async () => {
    const source = new Ticking()
    async function* generator(input: AsyncIterable<Buffer>) {
      yield* input
    }
    const capped = limit(format, { bytes: 1000 }, { source })
    const row = chain([meter(format, { every: { seconds: 1 } }), capped, wavHeader(format)])
    const bytes: Buffer[] = []
    await pipeline(source, generator, row, async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) bytes.push(piece)
    })
    expect(Buffer.concat(bytes).length).toBe(1044)
    expect(source.destroyed).toBe(true)
  })

  test('passes the output of a stage to listeners that the stage had before', async () => {
    const tapped = meter(format, { every: { seconds: 1 } })
    const heard: Buffer[] = []
    tapped.on('data', (bytes) => heard.push(bytes))
    const row = chain([tapped, wavHeader(format)])
    row.end(pattern(100))
    expect(Buffer.concat(await row.toArray()).length).toBe(144)
    expect(Buffer.concat(heard).equals(pattern(100))).toBe(true)
  })
})
