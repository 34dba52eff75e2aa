import type { Read } from '../backend.ts'
import type { GapCause } from '../protocol.ts'

/** The output of the detector. */
export interface LagOutput {
  pcm(bytes: Buffer): void
  gap(frames: number, cause: GapCause): void
}

/** Seconds of lag that are normal: at least twice the lag of a steady device. */
const THRESHOLD = 0.03
/** Seconds that a lag must stay before it counts as lost audio rather than late audio. */
const WINDOW = 1
/** Seconds within which two lags are the same. */
const STEADY = 0.01
/** Seconds by which a device's clock may fall behind ours in one window: 1,000 ppm, several times the drift of quartz. */
const DRIFT = 0.001

/**
 * Finds audio that a sound server swallowed without a word. Frames come at the device's rate, so that the lag
 * `elapsed − frames / rate` is steady: a busy machine makes it larger for a moment, lost audio for good.
 *
 * While the lag is suspicious, audio is held back, for a second at most after it has become steady again: then the
 * place of the gap is known, and it is reported there. Else everything passes at once.
 */
export class LagDetector {
  readonly #sampleRate: number
  readonly #bytesPerFrame: number
  readonly #out: LagOutput
  #frames = 0
  #startedAt: number | undefined
  /** the lag of a device that keeps up */
  #baseline: number | undefined
  #windowStart = 0
  #windowMin = Number.POSITIVE_INFINITY
  #held: { read: Read; lag: number; at: number }[] = []

  constructor(sampleRate: number, bytesPerFrame: number, out: LagOutput) {
    this.#sampleRate = sampleRate
    this.#bytesPerFrame = bytesPerFrame
    this.#out = out
  }

  /** The next read, and when it came, in seconds of a clock that only goes forward. */
  push(read: Read, now: number): void {
    const frames = read.bytes.length / this.#bytesPerFrame
    this.#startedAt ??= now - frames / this.#sampleRate
    this.#frames += frames
    const at = now - this.#startedAt
    const lag = at - this.#frames / this.#sampleRate
    if (this.#held.length > 0) {
      this.#held.push({ read, lag, at })
      this.#examine(lag, at)
    } else if (this.#baseline !== undefined && lag > this.#baseline + THRESHOLD) {
      this.#held.push({ read, lag, at })
      this.#windowStart = at
    } else {
      this.#pass(read)
      this.#follow(lag, at)
    }
  }

  /** Puts out the reads held back, with the gap where there is one. */
  flush(): void {
    if (this.#held.length > 0) this.#judge(Math.min(...this.#held.map(({ lag }) => lag)))
  }

  #follow(lag: number, at: number): void {
    this.#windowMin = Math.min(this.#windowMin, lag)
    if (at - this.#windowStart < WINDOW) return
    this.#baseline = Math.min(this.#windowMin, (this.#baseline ?? Number.POSITIVE_INFINITY) + DRIFT)
    this.#windowStart = at
    this.#windowMin = Number.POSITIVE_INFINITY
  }

  #examine(lag: number, at: number): void {
    if (lag <= this.#baseline! + THRESHOLD) {
      this.#judge(lag)
      return
    }
    if (at - this.#windowStart < WINDOW) return
    const middle = this.#windowStart + WINDOW / 2
    const lags = (from: number, to: number) =>
      Math.min(...this.#held.filter((held) => held.at >= from && held.at < to).map((held) => held.lag))
    const [early, late] = [lags(this.#windowStart, middle), lags(middle, at + 1)]
    if (Math.abs(early - late) <= STEADY) this.#judge(Math.min(early, late))
    else this.#windowStart = at
  }

  /** Lets everything go: with a gap in front of the first read that lags no more than `steady`, where that is much. */
  #judge(steady: number): void {
    const lost = steady - this.#baseline!
    const held = this.#held
    this.#held = []
    if (lost <= THRESHOLD) {
      for (const { read } of held) this.#pass(read)
    } else {
      const place = held.findIndex(({ lag }) => lag <= steady + STEADY)
      const cause = held.some(({ read }) => read.overflowed) ? 'overflow' : 'clock'
      held.forEach(({ read }, i) => {
        if (i === place) this.#out.gap(Math.round(lost * this.#sampleRate), cause)
        this.#out.pcm(read.bytes)
      })
      this.#baseline = steady
    }
    this.#windowStart = held.at(-1)!.at
    this.#windowMin = Number.POSITIVE_INFINITY
  }

  #pass(read: Read): void {
    if (read.overflowed) this.#out.gap(0, 'overflow')
    this.#out.pcm(read.bytes)
  }
}
