/** What to do with the stream at a frame of it. */
export interface Step {
  /** throw away what lies before it; begin a segment; put what lies before it into the segment; end the segment */
  do: 'drop' | 'begin' | 'keep' | 'end'
  at: number
}

/** The steps that a planner has decided on, until somebody takes them. */
export class Steps {
  #steps: Step[] = []

  add(what: Step['do'], at: number): void {
    this.#steps.push({ do: what, at })
  }

  take(): Step[] {
    const steps = this.#steps
    this.#steps = []
    return steps
  }
}

/** Decides where segments begin and end, reckoned from what is heard. */
export interface Planner {
  /** Takes what was heard between the last time and `to`. */
  hear(isSpeech: boolean, to: number): Step[]
  /** Ends the segment that is open, the stream having come to `at`. */
  cut(at: number): Step[]
}

/** All in frames of the stream. */
export interface SegmentSpans {
  /** what is kept in front of the first speech */
  preRoll: number
  /** what is kept behind the last speech, at most `silence` */
  postRoll: number
  /** a segment opens when so much speech was heard within twice that time */
  minSpeech: number
  /** a segment closes when nothing was heard for so long */
  silence: number
  maxLength: number
}

/** Everything is kept, and only the length ends a segment: what tiles a stream by time, if all of it counts as speech. */
export const tiles = { preRoll: 0, postRoll: 0, minSpeech: 0, silence: Number.POSITIVE_INFINITY }

/**
 * Where segments begin and end, reckoned from what was heard: no audio, no stream. The steps go forward only, segments
 * never overlap, and none is longer than `maxLength`.
 */
export class SegmentPlanner implements Planner {
  readonly #spans: SegmentSpans
  readonly #steps = new Steps()
  /** up to where it was told what is heard */
  #heard = 0
  /** where the segment before ended */
  #floor = 0
  /** the latest speech that has not opened a segment yet */
  #onset: { from: number; to: number }[] = []
  /** end of the latest speech, from when it has opened a segment until silence has closed it */
  #speechEnd: number | undefined
  /** begin of the segment that is open; while speech goes on there is none for a moment behind a cut */
  #start: number | undefined

  constructor(spans: SegmentSpans) {
    this.#spans = spans
  }

  /** Takes what was heard between the last time and `to`. */
  hear(isSpeech: boolean, to: number): Step[] {
    const from = this.#heard
    this.#heard = to
    if (this.#speechEnd === undefined) this.#await(isSpeech, from, to)
    else if (isSpeech) this.#speak(to)
    else this.#pause(this.#speechEnd, to)
    return this.#steps.take()
  }

  /**
   * Ends the segment that is open, the stream having come to `at`; a little of it may not have been listened to yet,
   * and belongs to the segment where speech was the last that was heard. Speech that goes on before silence has closed
   * the segment is in the next one, without a gap.
   */
  cut(at: number): Step[] {
    if (this.#speechEnd === undefined) return []
    const isSpeaking = this.#speechEnd === this.#heard
    const end = isSpeaking ? at : Math.min(at, this.#speechEnd + this.#spans.postRoll)
    this.#keep(end)
    this.#end(end)
    return this.#steps.take()
  }

  /** No segment is open, and none goes on behind a cut. */
  #await(isSpeech: boolean, from: number, to: number): void {
    const { preRoll, minSpeech } = this.#spans
    const onset = this.#onset.filter((speech) => speech.from >= to - 2 * minSpeech)
    this.#onset = onset
    if (isSpeech) {
      onset.push({ from, to })
      if (onset.reduce((sum, speech) => sum + speech.to - speech.from, 0) >= minSpeech) {
        this.#onset = []
        this.#begin(Math.max(this.#floor, onset[0]!.from - preRoll))
        this.#speak(to)
        return
      }
    }
    this.#drop((onset[0]?.from ?? to) - preRoll)
  }

  #speak(to: number): void {
    this.#speechEnd = to
    this.#keep(to)
    while (this.#start === undefined && this.#floor < to) {
      this.#begin(this.#floor)
      this.#keep(to)
    }
  }

  #pause(speechEnd: number, to: number): void {
    const end = speechEnd + this.#spans.postRoll
    this.#keep(Math.min(to, end))
    if (to - speechEnd < this.#spans.silence) return
    this.#end(end)
    this.#speechEnd = undefined
    this.#drop(to - this.#spans.preRoll)
  }

  #begin(at: number): void {
    this.#start = at
    this.#steps.add('begin', at)
  }

  #keep(to: number): void {
    if (this.#start === undefined) return
    const longest = this.#start + this.#spans.maxLength
    this.#steps.add('keep', Math.min(to, longest))
    if (to >= longest) this.#end(longest)
  }

  #end(at: number): void {
    if (this.#start === undefined) return
    this.#start = undefined
    this.#floor = at
    this.#steps.add('end', at)
  }

  #drop(at: number): void {
    if (at > this.#floor) this.#steps.add('drop', at)
  }
}
