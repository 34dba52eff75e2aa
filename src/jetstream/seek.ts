import type { Carrier } from './message.ts'
import type { RecordingSubject } from './recordingSubject.ts'

/** Reading begins so much earlier than asked, so that a message of another recorder shows up before it matters. */
const LEAD_SECONDS = 1

export interface Place {
  /** the byte of the recording */
  byte: number
  /** the message to read from on; 1 is the first one */
  sequence: number
}

/**
 * Where reading has to begin for a byte of the recording, found by bisection: messages of all recordings are numbered
 * through, and their positions grow with their numbers.
 */
export async function seek(subject: RecordingSubject, start: number | 'live'): Promise<Place> {
  if (start === 0) return { byte: 0, sequence: 1 }
  const last = await subject.last()
  if (last === undefined) return { byte: start === 'live' ? 0 : start, sequence: 1 }
  if (start === 'live') return { byte: endOf(last), sequence: last.sequence }
  const wanted = start - LEAD_SECONDS * last.format.bytesPerSecond
  let low = 1
  let high = last.sequence
  while (high > low) {
    const middle = Math.ceil((low + high) / 2)
    const found = await subject.next(middle)
    if (found === undefined || found.entry.position > wanted) high = middle - 1
    else low = found.sequence
  }
  return { byte: start, sequence: low }
}

const endOf = ({ entry }: Carrier) => entry.position + entry.bytes
