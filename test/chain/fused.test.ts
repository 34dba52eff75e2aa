import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { chunk, convert, limit, meter, pcmFormat, type Stage, wavHeader, wavReader } from '../../src/index.ts'
import { type Content, disagreement, Port, portsOf } from '../../src/neighbours.ts'
import { chunkings, pattern } from '../format/arbitraries.ts'
import { Ticking } from '../streams/ticking.ts'

const format = pcmFormat()
const stereo = pcmFormat({ channels: 2, encoding: 'f32le' })
const low = pcmFormat({ sampleRate: 8000 })

const frames = fc.integer({ min: 1, max: 300 }).map((n) => ({ frames: n }))
/** Every stage in every way, some of which fail on what the one in front of it makes. */
const maker: fc.Arbitrary<{ isCap?: true; make: () => Stage }> = fc.oneof(
  fc.tuple(frames, fc.constantFrom('stop' as const, 'error' as const)).map(([span, onLimit]) => {
    return { isCap: true as const, make: () => limit(format, span, { onLimit }) }
  }),
  fc.tuple(frames, fc.constantFrom('keep' as const, 'pad' as const, 'drop' as const)).map(([span, tail]) => {
    return { make: () => chunk(format, span, { tail }) }
  }),
  frames.map((hop) => ({ make: () => chunk(format, { frames: hop.frames + 3 }, { hop }) })),
  fc
    .constantFrom([format, low], [low, format], [format, stereo], [stereo, format])
    .map(([from, to]) => ({ make: () => convert(from!, to!) })),
  frames.map((every) => ({ make: () => meter(format, { every }) })),
  fc.constant({ make: () => wavHeader(format) }),
  frames.map((span) => ({ make: () => wavHeader(format, { dataBytes: span.frames * 2 }) })),
  fc.constantFrom('keep' as const, 'error' as const).map((onTruncated) => {
    return { make: () => wavReader({ onTruncated }) }
  }),
)
/** Neighbours that disagree are refused at once: of those the second is left out. What reads a header finds `format`. */
const rows = fc
  .array(maker, { minLength: 2, maxLength: 8 })
  .map((makers) => {
    let given: Content | undefined
    return makers.filter(({ make }) => {
      const { takes, gives } = portsOf(make())
      if (takes && given && disagreement(new Port('', given), takes)) return false
      given = gives?.content ?? { kind: 'pcm', format }
      return true
    })
  })
  .filter(({ length }) => length >= 2)
const inputs = fc
  .tuple(fc.nat(1500), fc.constantFrom(new Uint8Array(0), makeWavHeader(format, { dataBytes: 900 })))
  .chain(([length, header]) => chunkings(Buffer.concat([header, pattern(length)])))

/** What came out, what was told on the way, and how it ended. */
async function outcome(
  chunks: readonly Uint8Array[],
  stages: Stage[],
  told: number,
  join: (stages: Stage[]) => object[],
) {
  const events: unknown[] = []
  stages.slice(told).forEach((stage, i) => {
    for (const name of ['level', 'format', 'truncated']) {
      stage.on(name, (event) => events.push([i, name, event]))
    }
  })
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

test('a row of stages does the same in one Transform: bytes, events, errors', async () => {
  await fc.assert(
    fc.asyncProperty(inputs, rows, async (chunks, makers) => {
      // What lies in front of a cap also tells of what is surplus, as far as it came: apart, that is more.
      const told = makers.findLastIndex(({ isCap }) => isCap) + 1
      const row = () => makers.map(({ make }) => make())
      const apart = await outcome(chunks, row(), told, (stages) => stages)
      const fused = await outcome(chunks, row(), told, (stages) => [chain(stages)])
      // In front of what fails, too: how far a stage of its own has come by then is a matter of buffers.
      if (fused.error) apart.events = apart.events.filter((event) => fused.events.includes(event))
      // Where a cap ends the row while another stage fails, which of the two is first is such a matter too.
      if (told > 0 && fused.error !== apart.error) {
        expect(apart.error).toBeDefined()
        apart.error = fused.error
      }
      expect(fused).toEqual(apart)
    }),
    { numRuns: 300 },
  )
})

describe('what was fused', () => {
  test('is one Transform, and in front of and behind a foreign one another', () => {
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

  test('stops the source that a limit was told of, which begins a row', async () => {
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

  test('leaves alone what is a stream for somebody', async () => {
    const tapped = meter(format, { every: { seconds: 1 } })
    const heard: Buffer[] = []
    tapped.on('data', (bytes) => heard.push(bytes))
    const row = chain([tapped, wavHeader(format)])
    row.end(pattern(100))
    expect(Buffer.concat(await row.toArray()).length).toBe(144)
    expect(Buffer.concat(heard).equals(pattern(100))).toBe(true)
  })
})
