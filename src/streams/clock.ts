import { ArgumentTypeError, show } from '../errors.ts'
import * as realTimers from '../realTimers.ts'
import { ManualClock } from './manualClock.ts'

/** The clock that paces a stream. */
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
function realTime(): Clock {
  let reached = 0
  let beats: Clock | undefined
  const faked = () => {
    if (areTimersFaked()) beats ??= beatingClock(Math.max(reached, performance.now()))
    else beats = undefined
    return beats
  }
  faked() // from now on, even where no stream uses it yet
  const now = () => faked()?.now() ?? Math.max(reached, performance.now())
  return {
    now,
    wake(at, callback) {
      if (beats) return beats.wake(at, callback)
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

/** Whether timers are faked, and no clock tells their time. */
function areTimersFaked(): boolean {
  return (
    (globalThis.setInterval !== realTimers.setInterval || globalThis.setTimeout !== realTimers.setTimeout) &&
    performance.now === performanceNow
  )
}

const performanceNow = performance.now

/** Milliseconds. */
const BEAT = 5
const BEATS_AHEAD = 2000

/**
 * A clock of faked timers alone. `tick(100)` of node:test moves its time by 100 ms first and then calls what has fallen
 * due, so that a timer which was set meanwhile comes 100 ms late: only an interval, or timers that were all set
 * beforehand, fire as often as in 100 ms of real time. They keep no process alive.
 */
function beatingClock(startedAt: number): Clock {
  const clock = new ManualClock()
  clock.advance(startedAt)
  const beat = () => clock.advance(BEAT)
  if (globalThis.setInterval !== realTimers.setInterval) unref(setInterval(beat, BEAT))
  else {
    const ahead = () => {
      for (let i = 1; i <= BEATS_AHEAD; i++) unref(setTimeout(beat, i * BEAT))
      unref(setTimeout(ahead, BEATS_AHEAD * BEAT))
    }
    ahead()
  }
  return clock
}

function unref(timer: { unref?(): unknown }): void {
  timer.unref?.()
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
