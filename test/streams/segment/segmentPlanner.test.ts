import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  SegmentPlanner,
  type SegmentSpans,
  type Step,
  tiles,
} from '../../../src/streams/segment/segmentPlanner.ts'

interface Piece {
  start: number
  end: number
}

/** Follows the steps as a stage does, and holds that they go forward and make sense one after another. */
class Follower {
  readonly pieces: Piece[] = []
  #at = 0
  #open: Piece | undefined

  follow(steps: Step[], received: number): void {
    for (const { action, at } of steps) {
      expect(at).toBeGreaterThanOrEqual(this.#at)
      expect(at).toBeLessThanOrEqual(received)
      if (action === 'drop' || action === 'begin') expect(this.#open).toBeUndefined()
      else expect(this.#open).toBeDefined()
      if (action === 'begin') this.#open = { start: at, end: at }
      if (action === 'keep') this.#open!.end = at
      if (action === 'end') {
        expect(at).toBe(this.#open!.end)
        this.pieces.push(this.#open!)
        this.#open = undefined
      }
      this.#at = at
    }
  }

  /** Nothing is open behind a cut. */
  cut(steps: Step[], received: number): void {
    this.follow(steps, received)
    expect(this.#open).toBeUndefined()
  }
}

const FRAME = 4

/** The rule once more, as it is written down, with all of the answers at hand at once. */
function expected(heard: boolean[], spans: SegmentSpans): Piece[] {
  const { preRoll, postRoll, minSpeech, silence, maxLength } = spans
  const pieces: Piece[] = []
  let floor = 0
  let i = 0
  for (;;) {
    // the first place at which enough speech lies within the window
    let first = -1
    let closedAt = i
    for (; i < heard.length && first < 0; i++) {
      if (!heard[i]) continue
      const window = heard
        .map((isSpeech, k) => (isSpeech && k >= closedAt && k <= i ? k : -1))
        .filter((k) => k >= 0 && k * FRAME >= (i + 1) * FRAME - 2 * minSpeech)
      if (window.length === 0) window.push(i)
      if (window.length * FRAME >= minSpeech) first = window[0]!
    }
    if (first < 0) return pieces
    let last = i - 1
    while (i < heard.length && (i - last - 1) * FRAME < silence) {
      if (heard[i]) last = i
      i++
    }
    const start = Math.max(floor, first * FRAME - preRoll)
    const speechEnd = (last + 1) * FRAME
    const end = Math.min(speechEnd + postRoll, heard.length * FRAME)
    // a piece that is too long is cut; the next one begins there if there is speech behind it
    let from = start
    while (end - from >= maxLength && from + maxLength <= end) {
      pieces.push({ start: from, end: from + maxLength })
      from += maxLength
      if (from >= speechEnd) break
    }
    if (from < speechEnd) pieces.push({ start: from, end })
    floor = pieces.at(-1)!.end
    closedAt = i
  }
}

const spansOf = fc
  .record({
    preRoll: fc.nat(30),
    postRoll: fc.nat(20),
    minSpeech: fc.integer({ min: 1, max: 24 }),
    more: fc.nat(20),
    maxLength: fc.oneof(fc.integer({ min: 1, max: 90 }), fc.constant(Number.POSITIVE_INFINITY)),
  })
  .map(({ more, ...spans }): SegmentSpans => ({ ...spans, silence: spans.postRoll + more + 1 }))

/** Runs of speech and of none, as they occur, and single answers in between. */
const answers = fc
  .array(
    fc.record({ isSpeech: fc.boolean(), count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 14 })) }),
    {
      maxLength: 24,
    },
  )
  .map((runs) => runs.flatMap(({ isSpeech, count }) => new Array<boolean>(count).fill(isSpeech)))

test('any stretches of speech give the segments of the rule', () => {
  fc.assert(
    fc.property(answers, spansOf, (heard, spans) => {
      const planner = new SegmentPlanner(spans)
      const follower = new Follower()
      for (const [i, isSpeech] of heard.entries()) {
        follower.follow(planner.hear(isSpeech, (i + 1) * FRAME), (i + 1) * FRAME)
      }
      follower.cut(planner.cut(heard.length * FRAME), heard.length * FRAME)
      expect(follower.pieces).toEqual(expected(heard, spans))
    }),
    { numRuns: 1000 },
  )
})

test('with cuts anywhere nothing overlaps, nothing is too long, and speech that has opened a segment is kept', () => {
  const cuts = fc.array(fc.nat(400), { maxLength: 6 })
  fc.assert(
    fc.property(answers, spansOf, cuts, (heard, spans, cuts) => {
      const total = heard.length * FRAME
      const planner = new SegmentPlanner(spans)
      const follower = new Follower()
      for (const [i, isSpeech] of heard.entries()) {
        const from = i * FRAME
        const inside = cuts.filter((at) => at > from && at < from + FRAME).sort((a, b) => a - b)
        for (const at of inside) follower.cut(planner.cut(at), at)
        follower.follow(planner.hear(isSpeech, from + FRAME), from + FRAME)
        if (cuts.includes(from + FRAME)) follower.cut(planner.cut(from + FRAME), from + FRAME)
      }
      follower.cut(planner.cut(total), total)
      const pieces = follower.pieces
      let end = 0
      for (const piece of pieces) {
        expect(piece.start).toBeGreaterThanOrEqual(end)
        expect(piece.end).toBeGreaterThan(piece.start)
        expect(piece.end - piece.start).toBeLessThanOrEqual(spans.maxLength)
        end = piece.end
      }
      for (const [i, isSpeech] of heard.entries()) {
        const isInside = (at: number) => pieces.some((piece) => at >= piece.start && at < piece.end)
        const opened = pieces.some((piece) => piece.start <= i * FRAME - 1 && piece.end >= i * FRAME)
        if (isSpeech && opened) expect(isInside(i * FRAME)).toBe(true)
      }
    }),
    { numRuns: 1000 },
  )
})

test('endless speech is tiled by time, from each cut on', () => {
  const planner = new SegmentPlanner({ ...tiles, maxLength: 10 })
  const follower = new Follower()
  follower.follow(planner.hear(true, 7), 7)
  follower.follow(planner.hear(true, 10), 10)
  expect(follower.pieces).toEqual([{ start: 0, end: 10 }]) // at once, not with the next sample
  follower.follow(planner.hear(true, 23), 23)
  follower.cut(planner.cut(23), 23)
  follower.cut(planner.cut(23), 23)
  follower.follow(planner.hear(true, 33), 33)
  follower.cut(planner.cut(33), 33)
  expect(follower.pieces).toEqual([
    { start: 0, end: 10 },
    { start: 10, end: 20 },
    { start: 20, end: 23 },
    { start: 23, end: 33 },
  ])
})
