/** The content of one message of a recording. */
export interface LogEntry {
  kind: 'begin' | 'audio' | 'end'
  /** which recorder sent it: a name that no other one has */
  recorder: string
  /** `begin`: where this recorder's audio begins, if not before the end of the recording; `audio`: where these bytes belong; `end`: where the recording ends */
  position: number
  /** bytes of audio in it */
  bytes: number
  /** `begin` alone: the recorder whose audio this one continues; `''` where it is the first one */
  follows?: string
}

/**
 * The meaning of an entry at its place in the stream. `audio`: leave out its first `skip` bytes. `begin`: a recorder took
 * over, and `gap` bytes are missing in front of it. `repeated`: it is there already. `stray`: of a recorder whose turn it is not.
 * `hole`: `bytes` of audio are missing in front of it.
 */
export type Verdict =
  | { is: 'audio'; skip: number }
  | { is: 'begin'; gap: number }
  | { is: 'end' }
  | { is: 'repeated' }
  | { is: 'stray' }
  | { is: 'hole'; bytes: number }

/**
 * Tells the one true recording from all that stands in its subject, by the order in which the server stored it:
 * every reader comes to the same bytes, also where a server accepts messages of two recorders at a time.
 *
 * A recorder says whom it continues. It has the turn if that one still had it when the message was stored; of two that
 * continue the same one, the first has it. From then on nothing that the older one sends counts. Within a turn the
 * byte position is the identity: bytes before it are there already, a distance behind it is a hole.
 */
export class RecordingLog {
  #recorder = ''
  #position = 0
  #isEnded = false

  /**
   * A log that begins with this entry, which is still to be taken: at the beginning of the recording, or in the middle,
   * where the turn of its recorder is taken on trust.
   */
  static from(entry: LogEntry): RecordingLog {
    const log = new RecordingLog()
    if (entry.follows === '') return log
    log.#recorder = entry.recorder
    log.#position = entry.position
    return log
  }

  /** the recorder that has the turn; `''` before the first one */
  get recorder(): string {
    return this.#recorder
  }

  /** bytes of the recording so far: where the next ones belong */
  get position(): number {
    return this.#position
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Goes on behind a hole, at the entry that told it and is still to be taken. */
  skipTo({ position }: LogEntry): void {
    this.#position = position
  }

  take(entry: LogEntry): Verdict {
    if (entry.kind === 'begin') return this.#begin(entry)
    if (entry.recorder !== this.#recorder) return { is: 'stray' }
    if (this.#isEnded) return { is: 'repeated' }
    const { position, bytes, kind } = entry
    if (position > this.#position) return { is: 'hole', bytes: position - this.#position }
    if (kind === 'end') {
      if (position < this.#position) return { is: 'stray' }
      this.#isEnded = true
      return { is: 'end' }
    }
    const skip = this.#position - position
    if (skip >= bytes) return { is: 'repeated' }
    this.#position = position + bytes
    return { is: 'audio', skip }
  }

  #begin({ recorder, position, follows }: LogEntry): Verdict {
    if (recorder === this.#recorder) return { is: 'repeated' }
    if (follows !== this.#recorder || this.#isEnded) return { is: 'stray' }
    const gap = Math.max(0, position - this.#position)
    this.#recorder = recorder
    this.#position += gap
    return { is: 'begin', gap }
  }
}
