import type { Clock } from '../streams/clock.ts'
import { ManualClock } from '../streams/manualClock.ts'

export type { Clock }
export { ManualClock }

/** A clock that stands still until the test moves it. */
export function manualClock(): ManualClock {
  return new ManualClock()
}
