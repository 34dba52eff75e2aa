import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Step } from '../../../src/streams/segment/segmentPlanner.ts'
import { TilePlanner } from '../../../src/streams/segment/tilePlanner.ts'

const spans = fc.integer({ min: 2, max: 60 }).chain((every) =>
  fc.record({
    every: fc.constant(every),
    within: fc.integer({ min: 1, max: every - 1 }),
    silence: fc.integer({ min: 1, max: 20 }),
  }),
)

/** Stretches of speech and of pauses. */
const heard = fc.array(fc.record({ isSpeech: fc.boolean(), frames: fc.integer({ min: 1, max: 15 }) }), {
  maxLength: 40,
})

/** Tiles by looking at the whole stream at once. */
function model(
  speech: boolean[],
  { every, within, silence }: { every: number; within: number; silence: number },
) {
  const tiles: [number, number][] = []
  let start = 0
  while (speech.length - start >= every) {
    const limit = start + every
    let [cut, longest] = [limit, 0]
    for (let from = 0; from < limit; from++) {
      if (speech[from] || (from > 0 && !speech[from - 1])) continue
      let to = from
      while (to < limit && !speech[to]) to++
      const first = Math.max(from, limit - within)
      if (to - from < silence || to <= first || to - first < longest) continue
      longest = to - first
      cut = first + Math.ceil(longest / 2)
    }
    tiles.push([start, cut])
    start = cut
  }
  if (start < speech.length) tiles.push([start, speech.length])
  return tiles
}

function tilesOf(steps: Step[]): [number, number][] {
  const tiles: [number, number][] = []
  let at = 0
  for (const step of steps) {
    expect(step.at).toBeGreaterThanOrEqual(at)
    at = step.at
    if (step.action === 'begin') tiles.push([at, at])
    else tiles.at(-1)![1] = at
  }
  return tiles
}

test('cuts each tile at the best pause in its last stretch, else at its longest end', () => {
  fc.assert(
    fc.property(spans, heard, (spans, stretches) => {
      const planner = new TilePlanner(spans)
      const speech = stretches.flatMap(({ isSpeech, frames }) => new Array<boolean>(frames).fill(isSpeech))
      const steps: Step[] = []
      let to = 0
      for (const { isSpeech, frames } of stretches) {
        // one frame at a time, as a stretch that goes beyond the limit is known only up to there
        for (let i = 0; i < frames; i++) steps.push(...planner.hear(isSpeech, ++to))
      }
      steps.push(...planner.cut(to))
      expect(tilesOf(steps)).toEqual(model(speech, spans))
    }),
    { numRuns: 2000 },
  )
})

test('any stretches and cuts give tiles without a gap, none longer than allowed', () => {
  const cuts = fc.array(fc.nat(40), { maxLength: 5 })
  fc.assert(
    fc.property(spans, heard, cuts, (spans, stretches, cuts) => {
      const planner = new TilePlanner(spans)
      const steps: Step[] = []
      let to = 0
      for (const [i, { isSpeech, frames }] of stretches.entries()) {
        to += frames
        steps.push(...planner.hear(isSpeech, to))
        if (cuts.includes(i)) steps.push(...planner.cut(to))
      }
      steps.push(...planner.cut(to))
      let at = 0
      for (const [start, end] of tilesOf(steps)) {
        expect(start).toBe(at)
        expect(end).toBeGreaterThan(start)
        expect(end - start).toBeLessThanOrEqual(spans.every)
        at = end
      }
      expect(at).toBe(to)
    }),
    { numRuns: 1000 },
  )
})
