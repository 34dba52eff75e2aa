import { Readable } from 'node:stream'
import type { WithEvents } from '../emitting.ts'
import { WavespoolError } from '../errors.ts'
import { failOnceRead } from '../failOnceRead.ts'
import { encodings } from '../format/encoding.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { Port, type Ports, ports } from '../neighbours.ts'
import { clearTimeout, setTimeout } from '../realTimers.ts'
import type { Source } from '../sources/source.ts'
import type { Carrier } from './message.ts'
import { RecordingLog } from './recordingLog.ts'
import type { RecordingSubject } from './recordingSubject.ts'
import { seek } from './seek.ts'

/** Audio that no recorder has sent. */
export interface RecordingGap {
  /** the byte of the recording at which it is missing */
  at: number
  /** bytes that are missing */
  bytes: number
  /** frames that are missing */
  frames: number
}

/** The options of `followRecording()`, checked: `past` is the byte behind the last one. */
export interface FollowerOptions {
  start: number | 'live'
  past: number
  onGap: 'report' | 'fill' | 'error'
  idleSeconds: number | undefined
}

/** Silence is made in pieces of this size. */
const SILENCE_BYTES = 64 * 1024

/** A message of a recorder whose turn it was not. */
export interface StrayMessage {
  /** the recorder that sent it */
  recorder: string
  /** bytes of the recording in front of the message */
  position: number
  /** bytes of the message */
  bytes: number
}

interface RecordingFollowerEvents {
  format: [format: PcmFormat]
  gap: [gap: RecordingGap]
  stray: [stray: StrayMessage]
}

/**
 * `followRecording()` returns one. It emits `'format'` with the {@link PcmFormat}, `'gap'` with a {@link RecordingGap}, and
 * `'stray'` with `{ recorder, position, bytes }` for a message of a recorder whose turn it was not: it is left out.
 */
export class RecordingFollower
  extends (Readable as WithEvents<typeof Readable, RecordingFollowerEvents>)
  implements Source
{
  /** of the recording */
  readonly id: string
  /** @internal */
  readonly [ports]: Ports & { gives: Port } = { gives: new Port('followRecording()') }
  readonly #options: FollowerOptions
  readonly #subject: RecordingSubject
  readonly #gaps: RecordingGap[] = []
  readonly #ending = new AbortController()
  #format: PcmFormat | undefined
  #position = 0
  #wake: (() => void) | undefined
  #isReading = false
  #idle: NodeJS.Timeout | undefined

  /** @internal */
  constructor(
    id: string,
    options: FollowerOptions,
    makeSubject: (isStopped: () => boolean) => RecordingSubject,
  ) {
    super({
      construct: (callback) => {
        callback()
        this.read(0) // a caller needs the format before it can pipe this stream
      },
    })
    this.id = id
    this.#options = options
    this.#subject = makeSubject(() => this.#ending.signal.aborted)
  }

  /** undefined until `'format'` */
  get format(): PcmFormat | undefined {
    return this.#format
  }

  /** Every gap so far. */
  get gaps(): readonly RecordingGap[] {
    return this.#gaps
  }

  /** The byte of the recording behind the last one that was delivered. */
  get position(): number {
    return this.#position
  }

  /** Ends the stream once the audio that has arrived until now is delivered. */
  stop(): void {
    this.#ending.abort()
    this.#wake?.()
  }

  override _read(): void {
    this.#wake?.()
    if (this.#isReading) return
    this.#isReading = true
    this.#deliver().then(
      () => this.push(null),
      (error) => failOnceRead(this, error),
    )
  }

  async #deliver(): Promise<void> {
    this.#watch()
    const place = await seek(this.#subject, this.#options.start)
    this.#position = place.byte
    // In the middle of a recording a turn is taken on trust, until a message of another recorder shows up.
    const isSure = await this.#follow(place.sequence, place.sequence > 1)
    if (!isSure) await this.#follow(1, false)
    clearTimeout(this.#idle)
  }

  /** @returns false where it has to be read from the start to know whose turn it is */
  async #follow(sequence: number, isTrusting: boolean): Promise<boolean> {
    const { signal } = this.#ending
    let log: RecordingLog | undefined
    for await (const carrier of this.#subject.read(sequence, { signal })) {
      this.#watch()
      log ??= RecordingLog.from(carrier.entry)
      const { recorder, position } = carrier.entry
      if (isTrusting && log.recorder !== '' && (recorder !== log.recorder || position > log.position))
        return false
      const isOver = await this.#take(carrier, log)
      if (isOver || signal.aborted || this.#position >= this.#options.past) break
    }
    return true
  }

  /** @returns whether the recording is over */
  async #take(carrier: Carrier, log: RecordingLog): Promise<boolean> {
    const { entry, format, data } = carrier
    const before = log.position
    const verdict = log.take(entry)
    if (this.#format === undefined && verdict.is !== 'stray') {
      this.#format = format
      this[ports].gives.know({ kind: 'pcm', format })
      this.emit('format', format)
    }
    switch (verdict.is) {
      case 'audio':
        await this.#push(entry.position, data, verdict.skip)
        return false
      case 'begin':
        if (verdict.gap > 0) await this.#gap(before, verdict.gap, format)
        return false
      case 'hole':
        if (entry.position > this.#position) throw holeError(this.id, this.#position, entry.position)
        log.skipTo(entry)
        return this.#take(carrier, log)
      case 'stray':
        this.emit('stray', { recorder: entry.recorder, position: entry.position, bytes: entry.bytes })
        return false
      default:
        return verdict.is === 'end'
    }
  }

  /** Delivers audio that belongs at `at`, without its first `skip` bytes and those in front of the start. */
  async #push(at: number, data: Uint8Array, skip = 0): Promise<void> {
    const from = Math.max(skip, this.#position - at, 0)
    const to = Math.min(data.length, this.#options.past - at)
    if (to <= from) return
    if (at + from > this.#position) throw holeError(this.id, this.#position, at + from)
    this.#position = at + to
    if (this.push(data.subarray(from, to)) || this.#ending.signal.aborted) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
  }

  async #gap(at: number, bytes: number, format: PcmFormat): Promise<void> {
    const end = at + bytes
    const from = Math.max(at, this.#position)
    if (end <= from) return
    const gap = Object.freeze({ at: from, bytes: end - from, frames: (end - from) / format.bytesPerFrame })
    this.#gaps.push(gap)
    this.emit('gap', gap)
    if (this.#options.onGap === 'error') throw gapError(this.id, gap)
    if (this.#options.onGap === 'report') {
      this.#position = end
      return
    }
    const silence = Buffer.alloc(Math.min(bytes, SILENCE_BYTES), encodings[format.encoding].silentByte)
    for (let next = from; next < end; next += silence.length) {
      await this.#push(next, silence.subarray(0, end - next))
    }
  }

  #watch(): void {
    clearTimeout(this.#idle)
    const { idleSeconds } = this.#options
    if (idleSeconds === undefined || this.#ending.signal.aborted) return
    this.#idle = setTimeout(() => {
      this.#ending.abort()
      this.destroy(idleError(this.id, idleSeconds, this.#position))
    }, idleSeconds * 1000)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#idle)
    this.#ending.abort()
    this.#wake?.()
    callback(error)
  }
}

function holeError(id: string, at: number, end: number): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_HOLE',
    `the recording ${id} has a hole of ${end - at} bytes at byte ${at}: the stream does not hold them (any more); to ` +
      `read the bytes behind it, followRecording(js, id, { start: ${end} })`,
  )
}

function gapError(id: string, { at, bytes, frames }: RecordingGap): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_GAP',
    `the recording ${id} lacks ${frames} frames (${bytes} bytes) at byte ${at}, which no recorder has sent`,
  )
}

function idleError(id: string, seconds: number, position: number): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_IDLE',
    `nothing has come of the recording ${id} for ${seconds} s, at byte ${position}; its recorder may have died: ` +
      'another one can continue it, or end it',
  )
}
