/** An action at a frame of the stream. */
export interface Step {
  /** drop the frames before it; begin a segment; put the frames before it into the segment; end the segment */
  action: 'drop' | 'begin' | 'keep' | 'end'
  at: number
}

/** The steps that a planner has decided on, and its caller has not taken yet. */
export class Steps {
  #steps: Step[] = []

  add(action: Step['action'], at: number): void {
    this.#steps.push({ action, at })
  }

  take(): Step[] {
    const steps = this.#steps
    this.#steps = []
    return steps
  }
}

/** Decides where segments begin and end, from the times of speech and silence. */
export interface Planner {
  /** Tells whether the frames between the call before and `to` are speech. */
  hear(isSpeech: boolean, to: number): Step[]
  /** Ends the open segment; `at` is the frame that the stream has reached. */
  cut(at: number): Step[]
}

/** All in frames of the stream. */
export interface SegmentSpans {
  /** frames kept in front of the first speech */
  preRoll: number
  /** frames kept behind the last speech, at most `silence` */
  postRoll: number
  /** a segment opens at so many frames of speech within twice that time */
  minSpeech: number
  /** a segment closes at so many frames without speech */
  silence: number
  maxLength: number
}

/** Spans that keep every frame and end a segment by its length alone: all of the stream counts as speech. */
export const tiles = { preRoll: 0, postRoll: 0, minSpeech: 0, silence: Number.POSITIVE_INFINITY }

/**
 * Plans segments of speech. It sees times only, neither audio nor a stream. Steps go forward, segments never overlap, and
 * none is longer than `maxLength`.
 */
export class SegmentPlanner implements Planner {
  readonly #spans: SegmentSpans
  readonly #steps = new Steps()
  /** the frame up to which speech and silence are known */
  #heard = 0
  /** where the segment before ended */
  #floor = 0
  /** recent speech, too short to open a segment so far */
  #onset: { from: number; to: number }[] = []
  /** end of the latest speech, from when it has opened a segment until silence has closed it */
  #speechEnd: number | undefined
  /** begin of the segment that is open; while speech goes on there is none for a moment behind a cut */
  #start: number | undefined

  constructor(spans: SegmentSpans) {
    this.#spans = spans
  }

  hear(isSpeech: boolean, to: number): Step[] {
    const from = this.#heard
    this.#heard = to
    if (this.#speechEnd === undefined) this.#await(isSpeech, from, to)
    else if (isSpeech) this.#speak(to)
    else this.#pause(this.#speechEnd, to)
    return this.#steps.take()
  }

  /**
   * Ends the open segment at `at`. The last frames may not have been classified yet; they belong to the segment if the
   * frames before them are speech. Speech that goes on before silence has closed the segment is in the next one,
   * without a gap.
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
