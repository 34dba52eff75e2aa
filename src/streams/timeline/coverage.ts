/** Which frames of a track have come: sorted ranges that neither touch nor overlap. */
export class Coverage {
  #starts: number[] = []
  #ends: number[] = []

  /**
   * Adds the range from `start` to `end`, and calls back for each part of it with whether that was there before.
   */
  add(start: number, end: number, part: (start: number, end: number, isKnown: boolean) => void): void {
    const starts = this.#starts
    const ends = this.#ends
    const last = starts.length - 1
    // nearly always behind all others
    if (last < 0 || start > ends[last]!) {
      starts.push(start)
      ends.push(end)
      part(start, end, false)
      return
    }
    if (start === ends[last]) {
      ends[last] = end
      part(start, end, false)
      return
    }
    let first = 0
    while (ends[first]! < start) first++
    let at = start
    let past = first
    for (; past < starts.length && starts[past]! <= end; past++) {
      const from = starts[past]!
      const to = Math.min(end, ends[past]!)
      if (from > at) part(at, from, false)
      if (to > Math.max(at, from)) part(Math.max(at, from), to, true)
      at = Math.max(at, to)
    }
    if (at < end) part(at, end, false)
    const union = [Math.min(start, starts[first] ?? start), Math.max(end, ends[past - 1] ?? end)]
    starts.splice(first, past - first, union[0]!)
    ends.splice(first, past - first, union[1]!)
  }

  /** The frame up to which all frames from `start` on have come; earlier ones must have been taken. */
  endFrom(start: number): number {
    return this.#starts.length > 0 && this.#starts[0]! <= start ? this.#ends[0]! : start
  }

  /** Removes the frames before `to`, and calls back for each range of them. */
  take(to: number, range: (start: number, end: number) => void): void {
    const starts = this.#starts
    const ends = this.#ends
    let whole = 0
    while (whole < starts.length && ends[whole]! <= to) {
      range(starts[whole]!, ends[whole]!)
      whole++
    }
    if (whole > 0) {
      starts.splice(0, whole)
      ends.splice(0, whole)
    }
    if (starts.length > 0 && starts[0]! < to) {
      range(starts[0]!, to)
      starts[0] = to
    }
  }
}
