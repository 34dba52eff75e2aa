import type { Clock } from '../clock.ts'

/** How often silence flows. */
const STEP_MILLISECONDS = 20

/**
 * Where a timeline would stand if what speaks went on speaking: the end of the latest packet, and the time since that
 * came. Counted from each packet anew, so that the clock here and the one that made the packets do not drift apart.
 */
export class Pacer {
  readonly #clock: Clock
  readonly #sampleRate: number
  readonly #onStep: () => void
  #frame = 0
  /** when it stood there; undefined until something has come */
  #since: number | undefined
  #cancel: (() => void) | undefined

  constructor(clock: Clock, sampleRate: number, onStep: () => void) {
    this.#clock = clock
    this.#sampleRate = sampleRate
    this.#onStep = onStep
  }

  /** Something has come that ends at this frame. */
  mark(frame: number): void {
    const isFirst = this.#since === undefined
    this.#frame = frame
    this.#since = this.#clock.now()
    if (isFirst) this.#wait()
  }

  /** The first one counts alone. */
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
