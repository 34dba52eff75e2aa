/** One line of the doctor's report. */
export interface Finding {
  name: string
  ok: boolean
  /** false where something else does as well, so that it may be missing */
  isNeeded: boolean
  /** the finding; where it is bad, also the remedy */
  detail: string
}

export function good(name: string, detail: string): Finding {
  return { name, ok: true, isNeeded: true, detail }
}

export function bad(name: string, detail: string): Finding {
  return { name, ok: false, isNeeded: true, detail }
}
