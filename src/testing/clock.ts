import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'

/** What paces a mock source. */
export interface Clock {
  /** milliseconds since some moment */
  now(): number
  /** Calls back once, when `now()` has reached `at`; returns how to take that back. */
  wake(at: number, callback: () => void): () => void
}

/** A clock that stands still until the test moves it. */
export function manualClock(): ManualClock {
  return new ManualClock()
}

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
   * Moves the time on by `ms` milliseconds. What falls due on the way happens before this returns, in its order; the
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

/**
 * The time of the machine. It looks up its functions when it needs them, so that the fake timers of a test framework
 * move it; and since not every framework fakes `performance` too, a timer that fired is proof enough of the time.
 */
export function realTime(): Clock {
  let reached = 0
  const now = () => Math.max(reached, performance.now())
  return {
    now,
    wake(at, callback) {
      const timer = setTimeout(
        () => {
          reached = Math.max(reached, at)
          callback()
        },
        Math.max(0, at - now()),
      )
      return () => clearTimeout(timer)
    },
  }
}

/** @throws {ArgumentTypeError} for anything but `'fast'`, `'realtime'` and a clock */
export function clockOf(pace: unknown, caller: string): Clock | undefined {
  if (pace === 'fast') return undefined
  if (pace === 'realtime') return realTime()
  const { now, wake } = (pace ?? {}) as Partial<Clock>
  if (typeof now === 'function' && typeof wake === 'function') return pace as Clock
  throw new ArgumentTypeError(
    `${caller}: pace must be 'fast', 'realtime' or a clock such as manualClock(), got ${show(pace)}`,
  )
}
