import type { Clock } from '../clock.ts'

/** The time between two steps of silence. */
const STEP_MILLISECONDS = 20

/**
 * The frame that a timeline has reached by the clock: the end of the latest packet, plus the time since it came. It counts
 * from each packet anew, so that this clock and the sender's do not drift apart.
 */
export class Pacer {
  readonly #clock: Clock
  readonly #sampleRate: number
  readonly #onStep: () => void
  #frame = 0
  /** when that was; undefined before the first packet */
  #since: number | undefined
  #cancel: (() => void) | undefined

  constructor(clock: Clock, sampleRate: number, onStep: () => void) {
    this.#clock = clock
    this.#sampleRate = sampleRate
    this.#onStep = onStep
  }

  /** Counts from this frame, at which a packet has ended, and from now. */
  mark(frame: number): void {
    const isFirst = this.#since === undefined
    this.#frame = frame
    this.#since = this.#clock.now()
    if (isFirst) this.#wait()
  }

  /** As {@link mark}, unless it has begun. */
  start(frame: number): void {
    if (this.#since === undefined) this.mark(frame)
  }

  /** The frame up to which time has gone on; undefined before it has begun. */
  get stand(): number | undefined {
    if (this.#since === undefined) return undefined
    const milliseconds = this.#clock.now() - this.#since
    return this.#frame + Math.floor((milliseconds * this.#sampleRate) / 1000 + 1e-6)
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#since = undefined
  }

  #wait(): void {
    this.#cancel = this.#clock.wake(this.#clock.now() + STEP_MILLISECONDS, () => {
      this.#cancel = undefined
      if (this.#since === undefined) return
      this.#onStep()
      if (this.#since !== undefined) this.#wait()
    })
  }
}
