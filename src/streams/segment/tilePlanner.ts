import { type Planner, type Step, Steps } from './segmentPlanner.ts'

/** All in frames. */
export interface TileSpans {
  /** no tile is longer */
  every: number
  /** so far in front of its longest end a tile may be cut */
  within: number
  /** the least pause that a tile is cut in */
  silence: number
}

/**
 * Plans tiles, which lose no frame: each ends at the best pause within its last `within` frames, or else at its longest
 * length. The best pause is the one with the longest part in that range, the later of two equal ones; the cut lies in
 * the middle of that part.
 */
export class TilePlanner implements Planner {
  readonly #spans: TileSpans
  readonly #steps = new Steps()
  /** the frame up to which speech and silence are known */
  #heard = 0
  /** where the open tile begins, and the next one where none is open */
  #start = 0
  #isOpen = false
  /** the pauses that may count, the last of which may go on */
  #pauses: { from: number; to: number }[] = []

  constructor(spans: TileSpans) {
    this.#spans = spans
  }

  hear(isSpeech: boolean, to: number): Step[] {
    const from = this.#heard
    this.#heard = to
    if (!isSpeech) {
      const last = this.#pauses.at(-1)
      if (last?.to === from) last.to = to
      else this.#pauses.push({ from, to })
    }
    this.#goOn(to)
    return this.#steps.take()
  }

  /** Ends the open tile at `at`; the last frames may not have been classified yet. */
  cut(at: number): Step[] {
    this.#goOn(at)
    if (this.#isOpen) this.#end(at)
    return this.#steps.take()
  }

  #goOn(to: number): void {
    const { every, within } = this.#spans
    if (to > this.#start && !this.#isOpen) this.#begin()
    while (to >= this.#start + every) {
      this.#end(this.#bestCut())
      if (to > this.#start) this.#begin()
      else return
    }
    if (this.#isOpen) this.#steps.add('keep', Math.min(to, this.#start + every - within))
  }

  #bestCut(): number {
    const { every, within, silence } = this.#spans
    const limit = this.#start + every
    let best = limit
    let longest = 0
    for (const { from, to } of this.#pauses) {
      const [first, last] = [Math.max(from, limit - within), Math.min(to, limit)]
      if (Math.min(to, limit) - from < silence || last - first < longest || last <= first) continue
      longest = last - first
      best = first + Math.ceil(longest / 2)
    }
    return best
  }

  #begin(): void {
    this.#isOpen = true
    this.#steps.add('begin', this.#start)
  }

  #end(at: number): void {
    this.#steps.add('keep', at)
    this.#steps.add('end', at)
    this.#isOpen = false
    this.#start = at
    this.#pauses = this.#pauses.filter(({ to }) => to > at || to === this.#heard)
  }
}
