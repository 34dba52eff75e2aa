import { ArgumentTypeError, show } from '../errors.ts'

/** What paces a stream. */
export interface Clock {
  /** milliseconds since some moment */
  now(): number
  /** Calls back once, when `now()` has reached `at`; returns how to take that back. */
  wake(at: number, callback: () => void): () => void
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
