import fc from 'fast-check'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { chunk, convert, limit, meter, pcmFormat, type Stage, wavHeader, wavReader } from '../../src/index.ts'
import { type Content, disagreement, Port, portsOf } from '../../src/neighbours.ts'
import { chunkings, pattern } from '../format/arbitraries.ts'

export const format = pcmFormat()
const stereo = pcmFormat({ channels: 2, encoding: 'f32le' })
const low = pcmFormat({ sampleRate: 8000 })

const frames = fc.integer({ min: 1, max: 300 }).map((n) => ({ frames: n }))
/** Every stage with every option; some fail on the output of the stage in front of them. */
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
/** Neighbours that disagree are refused at once: of those the second is left out. A stage that reads a header finds `format`. */
export const rows = fc
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
export const inputs = fc
  .tuple(fc.nat(1500), fc.constantFrom(new Uint8Array(0), makeWavHeader(format, { dataBytes: 900 })))
  .chain(([length, header]) => chunkings(Buffer.concat([header, pattern(length)])))

/** Records the events of the stages from `first` on. */
export function listen(stages: readonly Stage[], first: number): unknown[] {
  const events: unknown[] = []
  stages.slice(first).forEach((stage, i) => {
    for (const name of ['level', 'format', 'truncated']) {
      stage.on(name, (event) => events.push([i, name, event]))
    }
  })
  return events
}

/**
 * The first stage from which on the events are the same, fused or not: stages in front of a cap also report surplus
 * audio, of which more comes where they are not fused.
 */
export function firstToTell(makers: readonly { isCap?: true }[]): number {
  return makers.findLastIndex(({ isCap }) => isCap) + 1
}

interface Outcome {
  events: string[]
  error: unknown
}

/** Removes differences that depend on buffers, which stages have only where they are not fused. */
export function forgive(apart: Outcome, fused: Outcome, hasCap: boolean): void {
  // In front of a stage that fails: the events up to then, which depend on how far the others have come.
  if (fused.error) apart.events = apart.events.filter((event) => fused.events.includes(event))
  // Where a cap ends the row while another stage fails: the first of the two.
  if (hasCap && fused.error !== apart.error) apart.error &&= fused.error
}
