import { show, WavespoolError } from '../../errors.ts'
import { type PcmFormat, pcmFormat } from '../../format/pcmFormat.ts'
import { Port, type Ports, pcmPort } from '../../neighbours.ts'
import type { Kernel, Output } from '../stage.ts'
import { type Combine, interleave, mix } from './interleave.ts'
import { Lane } from './lane.ts'

/** A packet of a track. */
export interface TimelineItem {
  /** the track that it belongs to */
  track: string
  /** the place of its first frame in the timeline */
  at: number
  /** mono PCM, whole frames */
  data: Uint8Array
}

/** A stretch of a track, in frames of the timeline. */
export interface TimelineGap {
  /** the track in which audio is missing */
  track: string
  /** frames from the start of the timeline */
  at: number
  /** its length in frames */
  frames: number
}

/** Audio that was left out: it came when its place had gone out, or its place was taken. */
export interface TimelineLate extends TimelineGap {
  /** why it was left out */
  cause: 'late' | 'duplicate'
}

export interface TimelineSpans {
  /** frames */
  window: number
  maxGap: number
}

/**
 * Puts packets of several tracks in their places. Frames go out once every track has them, or once they lie more than
 * `window` behind the newest end, with silence in the holes. It has no clock and no stream.
 */
export class TimelineKernel implements Kernel<TimelineItem> {
  readonly isApart = true
  /** the format of the output */
  readonly format: PcmFormat
  readonly ports: Ports
  onGap: (gap: TimelineGap) => void = () => {}
  onLate: (late: TimelineLate) => void = () => {}
  readonly #spans: TimelineSpans
  readonly #bytesPerSample: number
  readonly #bytesPerFrame: number
  readonly #lanes: Lane[]
  readonly #byName: Map<string, Lane>
  readonly #combine: Combine
  #floor = 0
  #newest = 0

  constructor(
    format: PcmFormat,
    tracks: readonly string[],
    output: 'channels' | 'mix',
    spans: TimelineSpans,
  ) {
    const { sampleRate, encoding } = format
    this.format = pcmFormat({ sampleRate, encoding, channels: output === 'mix' ? 1 : tracks.length })
    this.ports = {
      takes: new Port('timeline()', { kind: 'items', format }),
      gives: pcmPort('timeline()', this.format),
    }
    this.#spans = spans
    this.#bytesPerSample = format.bytesPerSample
    this.#bytesPerFrame = this.format.bytesPerFrame
    this.#lanes = tracks.map((name) => new Lane(name, format))
    this.#byName = new Map(this.#lanes.map((lane) => [lane.name, lane]))
    this.#combine = output === 'mix' ? mix(format) : interleave(format)
  }

  /** The first frame that has not gone out. */
  get floor(): number {
    return this.#floor
  }

  /** The frame behind the latest one that has come. */
  get newest(): number {
    return this.#newest
  }

  has(track: string): boolean {
    return this.#byName.has(track)
  }

  /** Checks an item, puts it in its place, and emits what is complete. @throws as {@link check} */
  push(item: TimelineItem, out: Output): void {
    this.check(item)
    this.emit(this.before(item), out)
    this.put(item, out)
  }

  /** @throws {WavespoolError} `ERR_WAVESPOOL_TIMELINE` for a chunk that is no item of this timeline, or jumps too far */
  check(item: TimelineItem): void {
    const { track, at, data } = (item ?? {}) as TimelineItem
    if (!this.#byName.has(track)) {
      const names = this.#lanes.map(({ name }) => show(name)).join(', ')
      throw timelineError(`an item's track must be one of ${names}, got ${show(track)}`)
    }
    if (!Number.isSafeInteger(at)) {
      throw timelineError(`an item's place, at, must be a whole number of frames, got ${show(at)}`)
    }
    if (!(data instanceof Uint8Array) || data.length % this.#bytesPerSample !== 0) {
      const got = data instanceof Uint8Array ? `${data.length} bytes` : show(data)
      throw timelineError(`an item's data must be whole samples of ${this.#bytesPerSample} bytes, got ${got}`)
    }
    const jump = at - this.#newest
    if (jump > this.#spans.maxGap) {
      throw timelineError(
        `an item of ${show(track)} jumps ${jump} frames ahead, to ${at}; where that is no fault, allow more with { maxGap }`,
      )
    }
  }

  /**
   * The frame up to which the caller has to {@link emit} before it puts such an item, which has been checked.
   */
  before({ at, data }: TimelineItem): number {
    if (data.length === 0) return this.#floor
    const end = at + data.length / this.#bytesPerSample
    return Math.max(this.#floor, Math.min(at, Math.max(end, this.#newest) - this.#spans.window))
  }

  /** Puts an item in its place, and emits the frames that it makes complete or older than the window. */
  put({ track, at, data }: TimelineItem, out: Output): void {
    const lane = this.#byName.get(track)!
    const size = this.#bytesPerSample
    const end = at + data.length / size
    const start = Math.max(at, this.#floor)
    // A frame within the window has gone out only where every track had it.
    const windowStart = Math.max(0, Math.min(this.#floor, this.#newest - this.#spans.window))
    this.#leaveOut(track, at, Math.min(end, windowStart), 'late')
    this.#leaveOut(track, Math.max(at, windowStart), Math.min(end, this.#floor), 'duplicate')
    if (end <= start) return
    lane.coverage.add(start, end, (from, to, isKnown) => {
      if (isKnown) this.#leaveOut(track, from, to, 'duplicate')
      else lane.put(this.#floor, from, data.subarray((from - at) * size, (to - at) * size))
    })
    if (end > this.#newest) this.#newest = end
    this.emit(Math.max(this.#newest - this.#spans.window, this.#complete()), out)
  }

  #leaveOut(track: string, at: number, end: number, cause: TimelineLate['cause']): void {
    if (end > at) this.onLate({ track, at, frames: end - at, cause })
  }

  /** The frame up to which every track is complete. */
  #complete(): number {
    let end = this.#newest
    for (const { coverage } of this.#lanes) end = Math.min(end, coverage.endFrom(this.#floor))
    return end
  }

  /** Moves the newest end to a frame, without audio. @returns the frame up to which the caller has to {@link emit} */
  reach(frame: number): number {
    if (frame > this.#newest) this.#newest = frame
    return this.#newest - this.#spans.window
  }

  /** Puts out all frames before `to`. */
  emit(to: number, out: Output): void {
    const from = this.#floor
    if (to <= from) return
    for (const lane of this.#lanes) this.#reportGaps(lane, from, to)
    const bytes = Buffer.allocUnsafeSlow((to - from) * this.#bytesPerFrame)
    this.#combine(
      this.#lanes.map((lane) => lane.read(from, to)),
      bytes,
    )
    this.#floor = to
    out.push(bytes)
  }

  /** Puts out all frames that have come. */
  flush(out: Output): void {
    this.emit(this.#newest, out)
    for (const lane of this.#lanes) {
      if (lane.hole !== undefined) this.#reportGap(lane, this.#floor)
    }
  }

  /** A hole is told when it is over. */
  #reportGaps(lane: Lane, from: number, to: number): void {
    let at = from
    lane.coverage.take(to, (start, end) => {
      if (start > at) lane.hole ??= at
      this.#reportGap(lane, start)
      at = end
    })
    if (at < to) lane.hole ??= at
  }

  #reportGap(lane: Lane, end: number): void {
    const { name: track, hole } = lane
    lane.hole = undefined
    if (hole !== undefined && end > hole) this.onGap({ track, at: hole, frames: end - hole })
  }
}

function timelineError(message: string): WavespoolError {
  return new WavespoolError('ERR_WAVESPOOL_TIMELINE', message)
}
