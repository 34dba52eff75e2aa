import { Readable } from 'node:stream'
import { ArgumentTypeError, show } from '../errors.ts'
import { failOnceRead } from '../failOnceRead.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { type Span, spanFrames } from '../format/span.ts'
import { type Port, type Ports, pcmPort, ports } from '../neighbours.ts'
import { checkOptions } from '../options.ts'
import { setImmediate } from '../realTimers.ts'
import type { Source } from '../sources/source.ts'
import { type Clock, clockOf } from '../streams/clock.ts'

/** The options of every mock source. */
export interface MockSourceOptions {
  /** `'fast'` (default): as fast as it is read; `'realtime'`: as a microphone would; or a clock that the test moves */
  pace?: 'fast' | 'realtime' | Clock
  /** length of a chunk (default 20 ms) */
  chunk?: Span
  /** where it ends by itself (default: never) */
  duration?: Span
  /** from there on nothing more comes, and no end either (default: never) */
  stallAfter?: Span
  /** where it fails, once everything up to there has been read (default: never) */
  errorAfter?: Span
  /** the error of the stream (default: an Error that says so) */
  error?: Error
}

/** The names of {@link MockSourceOptions}. */
export const mockSourceOptions = ['pace', 'chunk', 'duration', 'stallAfter', 'errorAfter', 'error'] as const

/** The audio of a mock source, counted in units of its own: frames, or the chunks of a script. */
export interface Material {
  readonly unitsPerMillisecond: number
  readonly unitsPerChunk: number
  /** the bytes from one unit to another, which the reader may keep and change */
  take(from: number, to: number): Buffer
}

/** In units, whole; Infinity is never. */
export interface Plan {
  end: number
  stallAt: number
  failAt: number
  error: Error | undefined
}

/** A Readable that behaves like a microphone, or misbehaves like one, when told. */
export class MockSource extends Readable implements Source {
  /** @internal */
  readonly [ports]: Ports
  readonly #material: Material
  readonly #clock: Clock | undefined
  readonly #startedAt: number
  #end: number
  #stallAt: number
  #failure: Error | undefined
  #sent = 0
  #isWanted = false
  #isFinished = false
  #cancelWake: (() => void) | undefined

  /** @param gives the output, where it is known */
  constructor(material: Material, clock: Clock | undefined, plan: Plan, gives?: Port) {
    super()
    this[ports] = { gives }
    this.#material = material
    this.#clock = clock
    this.#startedAt = clock?.now() ?? 0
    this.#stallAt = plan.stallAt
    this.#end = Math.min(plan.end, plan.failAt)
    if (plan.failAt <= plan.end && plan.failAt !== Number.POSITIVE_INFINITY) {
      this.#failure = plan.error ?? new Error('the mock source fails here, as it was told to')
    }
  }

  /** Ends the stream once the audio that its clock has brought so far is delivered. */
  stop(): void {
    if (this.#isFinished || this.destroyed) return
    const captured = this.#captured()
    if (captured < this.#end) this.#failure = undefined
    this.#end = Math.min(this.#end, captured)
    this.#deliver()
  }

  /**
   * Delivers the audio that its clock has brought so far, then neither audio nor end until stop(), fail() or destroy().
   */
  stall(): void {
    this.#stallAt = this.#captured()
  }

  /** Fails once the audio that its clock has brought so far has been read. @throws {ArgumentTypeError} for no Error */
  fail(error: Error = new Error('the mock source fails here, as it was told to')): void {
    if (!(error instanceof Error)) throw new ArgumentTypeError(`fail() takes an Error, got ${show(error)}`)
    if (this.#isFinished || this.destroyed) return
    this.#end = this.#captured()
    this.#failure = error
    this.#deliver()
  }

  override _read(): void {
    this.#isWanted = true
    if (this.#clock) this.#deliver()
    else setImmediate(() => this.#deliver()) // an endless source must leave the event loop its turns
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#cancelWake?.()
    callback(error)
  }

  /** How far the clock has come: where stop() ends it now. */
  #captured(): number {
    const reached = this.#clock === undefined ? this.#sent : this.#due(this.#clock)
    return Math.max(this.#sent, Math.min(reached, this.#end, this.#stallAt))
  }

  #due(clock: Clock): number {
    // a millionth of a unit makes up for fractions that binary floating point cannot hold, as in spans
    return Math.floor((clock.now() - this.#startedAt) * this.#material.unitsPerMillisecond + 1e-6)
  }

  #deliver(): void {
    this.#cancelWake?.()
    this.#cancelWake = undefined
    if (this.destroyed || this.#isFinished) return
    const { unitsPerChunk, unitsPerMillisecond } = this.#material
    while (this.#sent < this.#end) {
      const next = Math.min(this.#sent + unitsPerChunk, this.#end, this.#stallAt)
      if (!this.#isWanted || next <= this.#sent) return
      if (this.#clock && this.#due(this.#clock) < next) {
        const at = this.#startedAt + next / unitsPerMillisecond
        this.#cancelWake = this.#clock.wake(at, () => this.#deliver())
        return
      }
      const bytes = this.#material.take(this.#sent, next)
      this.#sent = next
      this.#isWanted = this.push(bytes)
      if (this.destroyed || this.#isFinished) return // by the reader of the chunk
    }
    this.#isFinished = true
    if (this.#failure) failOnceRead(this, this.#failure)
    else this.push(null)
  }
}

/**
 * A source of PCM from a function that makes the bytes between two frames.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option
 */
export function pcmSource(
  format: PcmFormat,
  options: MockSourceOptions,
  caller: string,
  take: (from: number, to: number) => Buffer,
): MockSource {
  const { pace = 'fast', chunk = { milliseconds: 20 }, duration, stallAfter, errorAfter, error } = options
  const framesOf = (span: Span | undefined, name: string) =>
    span === undefined ? Number.POSITIVE_INFINITY : spanFrames(format, span, `${caller}: ${name}`)
  const material = {
    unitsPerMillisecond: format.sampleRate / 1000,
    unitsPerChunk: framesOf(chunk, 'chunk'),
    take,
  }
  const plan = {
    end: framesOf(duration, 'duration'),
    stallAt: framesOf(stallAfter, 'stallAfter'),
    failAt: framesOf(errorAfter, 'errorAfter'),
    error: checkError(error, caller),
  }
  return new MockSource(material, clockOf(pace, caller), plan, pcmPort(caller, format))
}

export function checkError(error: unknown, caller: string): Error | undefined {
  if (error === undefined || error instanceof Error) return error
  throw new ArgumentTypeError(`${caller}: error must be an Error, got ${show(error)}`)
}

/** @throws {ArgumentTypeError} unless it is a format in one of these encodings, and the options are known ones */
export function checkArguments(
  format: PcmFormat,
  options: unknown,
  caller: string,
  known: readonly string[],
  encodings?: readonly string[],
): PcmFormat {
  const checked = requireFormat(format, caller)
  checkOptions(options, known, caller)
  if (encodings && !encodings.includes(checked.encoding)) {
    throw new ArgumentTypeError(`${caller} knows ${encodings.join(', ')}, not ${checked.encoding}`)
  }
  return checked
}
