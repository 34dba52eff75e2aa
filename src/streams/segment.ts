import { Transform, type TransformCallback } from 'node:stream'
import { VoiceListener } from '../dsp/voice/listener.ts'
import type { WithEvents } from '../emitting.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { checkWavHeaderOptions, makeWavHeader, type WavHeaderOptions } from '../format/wavHeader.ts'
import { OPEN_SIZE } from '../format/wavSizes.ts'
import { type Port, type Ports, pcmPort, ports } from '../neighbours.ts'
import { checkOptions } from '../options.ts'
import { setImmediate } from '../realTimers.ts'
import type { VirtualFile } from '../sinks/virtualFile.ts'
import { checkFiles, fileOptions, type SegmentFileOptions } from './segment/files.ts'
import { checkRule, type PauseRule, type Rule, ruleOptions, type TimeRule } from './segment/rule.ts'
import { Segmentation } from './segment/segmentation.ts'
import { SegmentOutput } from './segment/segmentOutput.ts'
import { type Work, WorkQueue } from './segment/workQueue.ts'
import type { Stoppable } from './stopping.ts'
import { Upstream } from './upstream.ts'

/** The options of `segment()`. */
export type SegmentOptions = (TimeRule | PauseRule) & SegmentFileOptions

/** A piece of the stream. */
export interface Segment {
  /** a finished WAV; it is the reader's, to be disposed when it is no longer needed */
  file: VirtualFile
  /** its first frame, counted in the stream */
  start: number
  /** the frame behind its last one */
  end: number
}

/** The argument of `'begin'`: the segment that has just begun. */
export type SegmentBegin = Omit<Segment, 'end'>

/**
 * A Transform that cuts PCM into segments, each a finished VirtualFile with its place in the stream: by time,
 * `{ every }`, or at pauses, `{ silence }`, with a voice detector, or by time at the best pause, `{ every, atPause }`. The
 * chunking of the input does not change where it cuts.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format or option
 *
 * @example
 * const sentences = segment(format, { silence: { seconds: 0.7 }, maxLength: { seconds: 30 } })
 * for await (const { file, start } of portAudio(format).pipe(sentences)) {
 *   console.log(start / format.sampleRate, await transcribe(await file.toFile()))
 *   await file.dispose()
 * }
 */
export function segment(format: PcmFormat, options: SegmentOptions): Segmenter {
  const checked = requireFormat(format, 'segment()')
  checkOptions(options, [...ruleOptions, ...fileOptions], 'segment()')
  const { header = {} } = options
  checkWavHeaderOptions(checked, header)
  const rule = checkRule(checked, options, header)
  const { makeFile, highWaterMark } = checkFiles(options)
  return new Segmenter(checked, rule, makeFile, highWaterMark, header)
}

interface SegmenterEvents {
  begin: [begin: SegmentBegin]
}

/**
 * See {@link segment}. Its readable side is in object mode and delivers a {@link Segment} a time. `'begin'` hands over
 * a {@link SegmentBegin}, whose file grows and can be followed; a listener that destroys or disposes the file leaves the
 * segment out.
 *
 * Nothing recorded is lost: where the stage fails, the segment that is being written is ended there, stays readable, and
 * is in {@link Segmenter.unread} together with the segments that had not been read.
 */
export class Segmenter
  extends (Transform as WithEvents<typeof Transform, SegmenterEvents, Segment>)
  implements Stoppable
{
  readonly #upstream: Upstream
  readonly #takes: Port
  readonly #work = new WorkQueue(() => this.destroyed)
  readonly #listener: VoiceListener | undefined
  readonly #output: SegmentOutput<VirtualFile>
  readonly #segments: Segmentation
  #unread: Segment[] = []
  /** bytes that have been dealt with */
  #taken = 0
  /** where the user has cut, in bytes that are still to be dealt with */
  #cuts: number[] = []
  /** where the stream ends although more may come, in bytes */
  #stopAt = Number.POSITIVE_INFINITY

  constructor(
    format: PcmFormat,
    { planner, detector, maxLength }: Rule,
    makeFile: (number: number) => VirtualFile,
    highWaterMark: number,
    header: WavHeaderOptions,
  ) {
    const listener = detector && new VoiceListener(format, detector)
    super({
      readableObjectMode: true,
      readableHighWaterMark: highWaterMark,
      // as an option, so that a stage with nothing to open is ready at once
      ...(listener && {
        construct(callback: (error?: Error) => void) {
          listener.open().then(() => callback(), callback)
        },
      }),
    })
    this.#takes = pcmPort('segment()', format)
    this.#upstream = new Upstream(this, this.#takes)
    this.#listener = listener
    const longest = maxLength * format.bytesPerFrame
    const rf64 = longest > OPEN_SIZE - 100 && longest < Number.POSITIVE_INFINITY
    this.#output = new SegmentOutput(this, makeFile, makeWavHeader(format, { ...header, rf64 }))
    this.#segments = new Segmentation(format, planner, listener, this.#output)
  }

  /** @internal */
  get [ports](): Ports {
    return { takes: this.#takes }
  }

  /**
   * The unread segments of a stage that has failed, once it has closed: finished ones, and last the one that the error
   * interrupted. The caller disposes them. A stage that is destroyed without an error, as by `break` in a `for await`,
   * disposes them instead, but for files that `'begin'` handed over.
   */
  get unread(): readonly Segment[] {
    return this.#unread
  }

  /**
   * Ends the segment at once that is being written, behind all that has been written into the stage so far. By time,
   * the next one begins there; at pauses speech that goes on is in the next one, without a gap.
   */
  cut(): void {
    if (this.#isStopped || this.destroyed) return
    const at = this.#taken + this.writableLength
    if (this.writableLength === 0) this.#do(this.#segments.cut())
    else if (this.#cuts.at(-1) !== at) this.#cuts.push(at)
  }

  /**
   * Ends the stream gracefully: the request travels upstream to the source, which delivers what it has captured and
   * ends. Where the source has no `stop()`, this stage cuts the stream instead: the last segment holds all the audio that
   * has reached the stage, and the streams in front of it are closed.
   */
  stop(): void {
    if (this.#isStopped) return
    this.#upstream.stop(() => {
      this.#stopAt = this.#taken + this.writableLength
      if (this.writableLength === 0) this.#do(this.#stopHere())
    })
  }

  get #isStopped(): boolean {
    return this.#stopAt < Number.POSITIVE_INFINITY
  }

  #do(work: Work): void {
    this.#work.add(work, (error) => {
      if (error) this.destroy(error)
    })
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#work.add(this.#take(chunk), (error) => {
      this.#taken += chunk.length
      callback(error)
    })
  }

  override _flush(callback: TransformCallback): void {
    this.#work.add(this.#flush(), callback)
  }

  *#take(chunk: Buffer): Work {
    const bytes = chunk.subarray(0, Math.max(0, this.#stopAt - this.#taken))
    let at = 0
    do {
      const end = Math.min(bytes.length, (this.#cuts[0] ?? Number.POSITIVE_INFINITY) - this.#taken)
      yield* this.#segments.hear(bytes.subarray(at, end))
      at = end
      while (this.#cuts[0] === this.#taken + at) {
        this.#cuts.shift()
        yield* this.#segments.cut()
      }
    } while (at < bytes.length)
    if (this.#taken + chunk.length >= this.#stopAt) yield* this.#stopHere()
  }

  *#flush(): Work {
    if (this.#isStopped) return // half a frame at a cut is surplus
    yield* this.#segments.cut()
    try {
      this.#segments.flush()
    } catch (error) {
      yield* this.#output.drain()
      // A pipe ends its destination before the error; an iterator would take that end for a success.
      if (this.listenerCount('data') > 0) yield this.#ended()
      throw error
    }
  }

  #ended(): Promise<void> {
    this.push(null)
    return new Promise((resolve) => this.once('end', () => setImmediate(resolve)))
  }

  *#stopHere(): Work {
    yield* this.#segments.cut()
    this.push(null)
  }

  override read(size?: number): ReturnType<Transform['read']> {
    const segment = super.read(size)
    this.#output.wasRead()
    return segment
  }

  /**
   * A reader that leaves a `for await` early destroys the stage without an error, so that the unread segments are
   * disposed; Node would destroy it with an AbortError. A reader that throws leaves in the same way: the stage waits a
   * tick, in which a `pipeline()` destroys it with the reader's error.
   */
  override async *[Symbol.asyncIterator](): ReturnType<Transform[typeof Symbol.asyncIterator]> {
    const segments = super[Symbol.asyncIterator]()
    let isLeft = false
    try {
      for (let next = await segments.next(); next.done !== true; next = await segments.next()) {
        isLeft = true
        yield next.value
        isLeft = false
      }
    } finally {
      if (isLeft) setImmediate(() => this.destroy())
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#upstream.abandon()
    this.#listener?.close()
    if (error !== null) this.#unread = this.#output.unread // at once, as a pipeline rejects before this has closed
    this.#output.close(error).then(
      (unread) => {
        this.#unread = unread
        callback(error)
      },
      (fault) => callback(error ?? fault),
    )
  }
}
