/** One line of the doctor's report. */
export interface Finding {
  name: string
  ok: boolean
  /** false where something else does as well, so that it may be missing */
  isNeeded: boolean
  /** what was found; where it is bad, also what to do */
  detail: string
}

export function good(name: string, detail: string): Finding {
  return { name, ok: true, isNeeded: true, detail }
}

export function bad(name: string, detail: string): Finding {
  return { name, ok: false, isNeeded: true, detail }
}
