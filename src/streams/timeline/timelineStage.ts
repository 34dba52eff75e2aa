import type { TransformCallback } from 'node:stream'
import type { WithEvents } from '../../emitting.ts'
import { ArgumentRangeError, ArgumentTypeError, show } from '../../errors.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import { checkOptions } from '../../options.ts'
import { nextTick } from '../../realTimers.ts'
import type { Clock } from '../clock.ts'
import { Stage } from '../stage.ts'
import type { TimelineGap, TimelineItem, TimelineKernel, TimelineLate } from './kernel.ts'
import { Pacer } from './pacer.ts'
import { TrackInput, type TrackPort } from './trackInput.ts'
import { Turns } from './turns.ts'

/** Frames of silence that go out at once. */
const BLOCK = 16_384
/** {@link Timeline.gaps} keeps so many, so that a call of any length has its bounds. */
const MOST_GAPS = 100_000

interface TimelineEvents {
  gap: [gap: TimelineGap]
  late: [late: TimelineLate]
}

/** See {@link timeline}. It orders items, continuous streams, reads and time. */
export class Timeline extends (Stage as WithEvents<typeof Stage, TimelineEvents>) {
  /** the format of the output */
  readonly format: PcmFormat
  /** the latest 100,000 that `'gap'` has told */
  readonly gaps: TimelineGap[] = []
  readonly #kernel: TimelineKernel
  readonly #trackFormat: PcmFormat
  readonly #ahead: number
  readonly #pacer: Pacer | undefined
  readonly #inputs = new Set<TrackInput>()
  readonly #unopened: Set<string>
  readonly #port: TrackPort = {
    place: (input, bytes, done) => this.#place(input, bytes, done),
    ended: (input) => this.#inputEnded(input),
  }
  /** work that waits for a read, and work that waits for other tracks or the time */
  readonly #forReader = new Turns()
  readonly #forOthers = new Turns()
  /** a read has asked for bytes, and got none since */
  #isAsked = false
  /** the end of the newest item; undefined where none has come */
  #itemsEnd: number | undefined
  #isStopping = false
  #isOver = false

  constructor(
    kernel: TimelineKernel,
    trackFormat: PcmFormat,
    tracks: readonly string[],
    window: number,
    clock: Clock | undefined,
  ) {
    super(kernel, { writableObjectMode: true })
    this.#kernel = kernel
    this.#trackFormat = trackFormat
    this.format = kernel.format
    this.#unopened = new Set(tracks)
    this.#ahead = Math.max(1, Math.floor(window / 2))
    this.#pacer = clock && new Pacer(clock, trackFormat.sampleRate, () => this.#step())
    kernel.onGap = (gap) => {
      this.gaps.push(gap)
      if (this.gaps.length > MOST_GAPS) this.gaps.shift()
      this.#report('gap', gap)
    }
    kernel.onLate = (late) => this.#report('late', late)
  }

  /** Throws an error of a listener in the next tick, as the timeline is in the middle of its work. */
  #report(event: 'gap' | 'late', told: TimelineGap | TimelineLate): void {
    try {
      this.emit(event, told)
    } catch (error) {
      nextTick(() => {
        throw error
      })
    }
  }

  /**
   * A Writable of mono PCM for a stream without packets: a microphone, a synthetic voice. Streams that are written at the
   * same time wait for each other, so that a fast one is never more than half a window ahead. With a pace they wait for
   * the time instead, and one that had nothing to say goes on where the timeline stands.
   *
   * The timeline ends by itself when every track has had such a stream and all have ended, unless items are written into
   * it: then it ends with them, and its streams with it.
   *
   * @param options `at`: the frame at which it begins (default: where the timeline stands at the time of the call)
   * @throws {ArgumentTypeError | ArgumentRangeError} for a track that it has not, or a wrong place
   */
  track(name: string, options: { at?: number } = {}): TrackInput {
    const caller = 'timeline.track()'
    checkOptions(options, ['at'], caller)
    if (!this.#kernel.has(name)) {
      throw new ArgumentTypeError(`${caller} takes the name of one of its tracks, got ${show(name)}`)
    }
    const { at = Math.max(this.#kernel.newest, this.#pacer?.stand ?? 0) } = options
    if (typeof at !== 'number')
      throw new ArgumentTypeError(`${caller}: at must be a number of frames, got ${show(at)}`)
    if (!Number.isSafeInteger(at) || at < 0) {
      throw new ArgumentRangeError(`${caller}: at must be a whole number of frames from 0, got ${at}`)
    }
    const input = new TrackInput(this.#port, this.#trackFormat, name, at)
    if (this.#isOver || this.writableEnded || this.destroyed) input.endInput()
    else {
      this.#inputs.add(input)
      this.#unopened.delete(name)
      this.#pacer?.start(at)
    }
    return input
  }

  override stop(): void {
    if (this.#isOver || this.writableEnded || this.destroyed) return
    const hadInputs = this.#inputs.size > 0
    this.#isStopping = true
    for (const input of [...this.#inputs]) input.stop()
    if (this.#takesItems || !hadInputs) super.stop()
  }

  get #takesItems(): boolean {
    return this.#itemsEnd !== undefined || this.upstream.wasPiped
  }

  override _transform(chunk: never, _encoding: BufferEncoding, callback: TransformCallback): void {
    const item: TimelineItem = chunk
    if (this.#isOver) {
      callback()
      return
    }
    try {
      this.#kernel.check(item)
    } catch (error) {
      this.#fail(error as Error, callback)
      return
    }
    this.#emit(
      this.#kernel.before(item),
      () => {
        this.#kernel.put(item, this)
        const end = item.at + item.data.length / this.#trackFormat.bytesPerSample
        if (end >= (this.#itemsEnd ?? 0)) {
          this.#itemsEnd = end
          this.#pacer?.mark(end)
        }
        callback()
        this.#forOthers.wake()
      },
      callback,
    )
  }

  override _flush(callback: TransformCallback): void {
    this.#end()
    for (const input of [...this.#inputs]) input.endInput()
    super._flush(callback)
  }

  override _read(size: number): void {
    super._read(size)
    this.#isAsked = true
    this.#forReader.wake()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#end()
    for (const input of [...this.#inputs]) {
      input.destroy(input.isHeard && error !== null ? error : undefined)
    }
    super._destroy(error, callback)
  }

  protected override endOutput(): void {
    this.#end()
    super.endOutput()
  }

  #fail(error: Error, callback: TransformCallback): void {
    this.#kernel.flush(this)
    this.#end()
    this.failAfterEnd(error, callback)
  }

  #end(): void {
    this.#isOver = true
    this.#pacer?.stop()
    this.#forOthers.wake()
    this.#forReader.wake()
  }

  /** Puts out all frames before `to`, as fast as they are read. */
  #emit(to: number, done: () => void, isOver: () => void): void {
    while (this.#kernel.floor < to && !this.#isOver) {
      this.#kernel.emit(Math.min(to, this.#kernel.floor + BLOCK), this)
      if (this.#isFull && this.#kernel.floor < to) {
        this.#forReader.wait(() => this.#emit(to, done, isOver))
        return
      }
    }
    if (this.#isOver) isOver()
    else done()
  }

  /** Node calls _read() again only after a push, and may call it while the buffer still holds the bytes of this read. */
  get #isFull(): boolean {
    return this.readableLength >= this.readableHighWaterMark && !this.#isAsked
  }

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    this.#isAsked = false
    return super.push(chunk, encoding)
  }

  /** Puts out the silence that is due; a reader that is behind gets it once it has caught up. */
  #step(): void {
    if (this.#isOver || this.#isFull) return
    const to = this.#kernel.reach(this.#pacer?.stand ?? 0)
    this.#kernel.emit(Math.min(to, this.#kernel.floor + BLOCK), this)
    this.#forOthers.wake()
  }

  #place(input: TrackInput, bytes: Uint8Array, done: () => void): void {
    const size = this.#trackFormat.bytesPerSample
    let rest = bytes
    while (rest.length > 0 && !this.#isOver) {
      if (this.#isFull) {
        this.#forReader.wait(() => this.#place(input, rest, done))
        return
      }
      const stand = this.#pacer?.stand
      // a pause longer than the window: silence went out in its place
      if (stand !== undefined && input.position < this.#kernel.floor)
        input.position = Math.max(stand, this.#kernel.floor)
      const limit = stand ?? this.#limitOf(input)
      const frames = Math.min(rest.length / size, limit - input.position, BLOCK)
      if (frames <= 0) {
        this.#forOthers.wait(() => this.#place(input, rest, done))
        return
      }
      const item = { track: input.track, at: input.position, data: rest.subarray(0, frames * size) }
      const before = this.#kernel.before(item)
      if (before > this.#kernel.floor + BLOCK) {
        this.#kernel.emit(this.#kernel.floor + BLOCK, this)
        continue
      }
      this.#kernel.emit(before, this)
      this.#kernel.put(item, this)
      input.position += frames
      rest = rest.subarray(frames * size)
      this.#forOthers.wake()
    }
    done()
  }

  /** The frame up to which a stream may come now, where the others are the clock. */
  #limitOf(input: TrackInput): number {
    let slowest = this.#itemsEnd ?? Number.POSITIVE_INFINITY
    for (const other of this.#inputs) {
      if (other.track !== input.track) slowest = Math.min(slowest, other.position)
    }
    return slowest + this.#ahead
  }

  #inputEnded(input: TrackInput): void {
    if (!this.#inputs.delete(input)) return
    this.#forOthers.wake()
    if (this.#isOver || this.writableEnded || this.destroyed || this.#inputs.size > 0) return
    if (this.#takesItems || (this.#unopened.size > 0 && !this.#isStopping)) return
    this.end()
  }
}
