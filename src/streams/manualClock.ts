import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import type { Clock } from './clock.ts'

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #now = 0
  readonly #alarms = new Set<{ at: number; callback: () => void }>()

  now(): number {
    return this.#now
  }

  wake(at: number, callback: () => void): () => void {
    const alarm = { at, callback }
    this.#alarms.add(alarm)
    return () => this.#alarms.delete(alarm)
  }

  /**
   * Moves the time on by `ms` milliseconds. Timers that fall due on the way run before this returns, in their order; the
   * streams behind a source then need a turn of the event loop to pass it on.
   *
   * @throws {ArgumentTypeError | ArgumentRangeError} for anything but a finite number from 0
   */
  advance(ms: number): void {
    if (typeof ms !== 'number') throw new ArgumentTypeError(`advance() takes milliseconds, got ${show(ms)}`)
    if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) {
      throw new ArgumentRangeError(`advance() takes milliseconds from 0, got ${ms}`)
    }
    const target = this.#now + ms
    for (;;) {
      let next: { at: number; callback: () => void } | undefined
      for (const alarm of this.#alarms) if (next === undefined || alarm.at < next.at) next = alarm
      if (next === undefined || next.at > target) break
      this.#alarms.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
    }
    this.#now = target
  }
}
