import type { JetStreamClient } from '@nats-io/jetstream'
import { WavespoolError } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { codeOf, REQUEST_TIMEOUT_MS, type Retrying, TRANSIENT, WRONG_LAST_SEQUENCE } from './client.ts'
import { entryHeaders } from './message.ts'
import { type LogEntry, RecordingLog, type Verdict } from './recordingLog.ts'
import type { RecordingSubject } from './recordingSubject.ts'

const NOTHING = new Uint8Array(0)

/**
 * Appends to a recording, one message after another: each names the message that it expects to be the last one, so
 * that a server refuses a second recorder. A message that is refused, or answered late, is looked up: it may be there.
 */
export class RecordingAppender {
  readonly #js: JetStreamClient
  readonly #subject: RecordingSubject
  readonly #retrying: Retrying
  readonly #id: string
  readonly #recorder: string
  readonly #format: PcmFormat
  #log = new RecordingLog()
  /** the sequence of the last message on the subject, as far as it is known here */
  #sequence = 0
  /** recorders that came too late, and do not know it yet */
  readonly #outpaced = new Set<string>()
  /** the verdict on our own `begin`, once it has been read */
  #begun: Verdict | undefined

  constructor(
    js: JetStreamClient,
    subject: RecordingSubject,
    retrying: Retrying,
    id: string,
    recorder: string,
    format: PcmFormat,
  ) {
    this.#js = js
    this.#subject = subject
    this.#retrying = retrying
    this.#id = id
    this.#recorder = recorder
    this.#format = format
  }

  /** bytes of the recording that are stored */
  get position(): number {
    return this.#log.position
  }

  /**
   * Takes the turn. A `position` says that the recording may be there already, and where the audio to come belongs.
   *
   * @returns bytes of audio that are missing between the end of the recording and `position`
   */
  async begin(position: number | undefined): Promise<number> {
    const known = await this.#subject.known()
    if (known) {
      checkContinuation(known.log, known.format, this.#format, this.#id, position)
      this.#log = known.log
      this.#sequence = known.sequence
    }
    const begin: LogEntry = {
      kind: 'begin',
      recorder: this.#recorder,
      position: position ?? 0,
      bytes: 0,
      follows: this.#log.recorder,
    }
    // Without expecting anything: a recorder that goes on could always be faster. The order tells which one has the turn.
    const verdict = await this.#retrying.run(async () => {
      await this.#js.publish(this.#subject.subject, NOTHING, {
        msgID: `${this.#id}:begin:${this.#recorder}`,
        timeout: REQUEST_TIMEOUT_MS,
        headers: entryHeaders(begin, this.#format),
        expect: { streamName: this.#subject.stream },
      })
      await this.#catchUp()
      if (this.#begun === undefined) throw notYetReadable()
      return this.#begun
    })
    if (verdict.is === 'begin') return verdict.gap
    if (this.#log.isEnded) throw endedError(this.#id)
    throw this.#superseded()
  }

  /** Stores the next audio of the recording. */
  append(bytes: Uint8Array): Promise<void> {
    const { position } = this.#log
    return this.#store({ kind: 'audio', recorder: this.#recorder, position, bytes: bytes.length }, bytes)
  }

  /** Stores the end mark. */
  end(): Promise<void> {
    return this.#store(
      { kind: 'end', recorder: this.#recorder, position: this.#log.position, bytes: 0 },
      NOTHING,
    )
  }

  async #store(entry: LogEntry, bytes: Uint8Array): Promise<void> {
    const id = `${this.#id}:${entry.position}:${this.#recorder}${entry.kind === 'end' ? ':end' : ''}`
    const isStored = () =>
      entry.kind === 'end' ? this.#log.isEnded : this.#log.position >= entry.position + entry.bytes
    while (!isStored()) {
      if (await this.#publish(entry, bytes, id)) this.#log.take(entry)
      else if (this.#log.recorder !== this.#recorder) throw this.#superseded()
    }
  }

  /** @returns whether it is stored now, and was expected; if not, the messages stored instead have been read */
  #publish(entry: LogEntry, bytes: Uint8Array, msgID: string): Promise<boolean> {
    return this.#retrying.run(async () => {
      try {
        const { seq, duplicate } = await this.#js.publish(this.#subject.subject, bytes, {
          msgID,
          timeout: REQUEST_TIMEOUT_MS,
          headers: entryHeaders(entry, this.#format),
          expect: { lastSubjectSequence: this.#sequence, streamName: this.#subject.stream },
        })
        if (!duplicate) {
          this.#sequence = seq
          return true
        }
        if (await this.#catchUp()) return false
        throw notYetReadable()
      } catch (error) {
        if (codeOf(error) === WRONG_LAST_SEQUENCE && (await this.#catchUp())) return false
        throw error
      }
    })
  }

  /** Reads the messages stored behind the last known one; returns whether there were any. */
  async #catchUp(): Promise<boolean> {
    const before = this.#sequence
    for (;;) {
      const found = await this.#subject.next(this.#sequence + 1)
      if (found === undefined) return this.#sequence > before
      const verdict = this.#log.take(found.entry)
      const { recorder } = this.#log
      if (
        verdict.is === 'stray' &&
        recorder === this.#recorder &&
        !this.#outpaced.has(found.entry.recorder)
      ) {
        await this.#readAgain(found.entry.recorder)
        continue
      }
      if (found.entry.kind === 'begin' && found.entry.recorder === this.#recorder) this.#begun ??= verdict
      this.#sequence = found.sequence
    }
  }

  /**
   * Another recorder goes on as if it had the turn. Servers that check the expected sequence in no common order can have
   * stored its beginning in front of a message of ours that they had acknowledged: only the whole order tells.
   */
  async #readAgain(other: string): Promise<void> {
    const known = await this.#subject.known()
    if (known === undefined) throw notYetReadable()
    this.#log = known.log
    this.#sequence = Math.max(this.#sequence, known.sequence)
    if (known.log.recorder === this.#recorder) this.#outpaced.add(other)
  }

  #superseded(): WavespoolError {
    return new WavespoolError(
      'ERR_WAVESPOOL_SUPERSEDED',
      `another recorder has taken over the recording ${this.#id}, at byte ${this.#log.position}; audio from here ` +
        'is no longer part of it',
    )
  }
}

/** The error of a new leader that knows of a message that it cannot show yet. */
const notYetReadable = () =>
  Object.assign(new Error('a message that is stored cannot be read yet'), { name: TRANSIENT })

const endedError = (id: string) =>
  new WavespoolError('ERR_WAVESPOOL_RECORDING', `the recording ${id} has ended; take another id`)

function checkContinuation(
  log: RecordingLog,
  format: PcmFormat,
  wanted: PcmFormat,
  id: string,
  position: number | undefined,
): void {
  const refuse = (message: string) => {
    throw new WavespoolError('ERR_WAVESPOOL_RECORDING', message)
  }
  if (log.isEnded) throw endedError(id)
  if (position === undefined) {
    refuse(
      `there is a recording ${id} already, of ${log.position} bytes; to continue it, say where the audio to come ` +
        'belongs: publishRecording(js, id, format, { position }), with resumeRecording(js, id) for the place',
    )
  }
  const same = (key: 'sampleRate' | 'channels' | 'encoding') => format[key] === wanted[key]
  if (!same('sampleRate') || !same('channels') || !same('encoding')) {
    const describe = (f: PcmFormat) => `${f.sampleRate} Hz, ${f.channels} channels, ${f.encoding}`
    refuse(
      `the recording ${id} is in ${describe(format)}, not in ${describe(wanted)}; put convert() in front`,
    )
  }
}
