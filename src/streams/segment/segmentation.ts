import type { VoiceListener } from '../../dsp/voice/listener.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import { WholeFrames } from '../../format/wholeFrames.ts'
import { FrameQueue } from './frameQueue.ts'
import type { SegmentFile, SegmentOutput } from './segmentOutput.ts'
import type { Planner, Step } from './segmentPlanner.ts'
import type { Work } from './workQueue.ts'

/** Puts the frames of a stream into segments, as a planner decides by the times of speech and silence. */
export class Segmentation {
  readonly #bytesPerFrame: number
  readonly #frames: WholeFrames
  readonly #planner: Planner
  readonly #listener: VoiceListener | undefined
  readonly #output: SegmentOutput<SegmentFile>
  readonly #undecided: FrameQueue

  /** @param listener undefined: every frame counts as speech */
  constructor(
    format: PcmFormat,
    planner: Planner,
    listener: VoiceListener | undefined,
    output: SegmentOutput<SegmentFile>,
  ) {
    this.#bytesPerFrame = format.bytesPerFrame
    this.#frames = new WholeFrames(format)
    this.#planner = planner
    this.#listener = listener
    this.#output = output
    this.#undecided = new FrameQueue(format.bytesPerFrame)
  }

  /** Takes bytes in any chunking. */
  *hear(bytes: Uint8Array): Work {
    const pieces: Uint8Array[] = []
    this.#frames.push(bytes, pieces)
    for (const piece of pieces) yield* this.#hear(piece)
  }

  /** @throws {WavespoolError} `ERR_WAVESPOOL_PARTIAL_FRAME` where the bytes end within a frame */
  flush(): void {
    this.#frames.flush()
  }

  /** Takes whole frames. */
  *#hear(piece: Uint8Array): Work {
    const listener = this.#listener
    if (listener === undefined) {
      this.#undecided.add(piece)
      yield* this.#follow(this.#planner.hear(true, this.#undecided.end))
      return
    }
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + listener.wanted * this.#bytesPerFrame)
      at += part.length
      this.#undecided.add(part)
      const isSpeech = yield* listener.hear(part)
      if (isSpeech !== undefined) yield* this.#follow(this.#planner.hear(isSpeech, this.#undecided.end))
    }
  }

  /** Ends the open segment behind the latest frame. */
  *cut(): Work {
    yield* this.#follow(this.#planner.cut(this.#undecided.end))
  }

  *#follow(steps: Step[]): Work {
    for (const { action, at } of steps) {
      if (this.#output.isClosed) return // a listener of 'begin' may have destroyed the stage
      const pieces = this.#undecided.take(at)
      if (action === 'begin') this.#output.begin(at)
      else if (action === 'keep') yield* this.#output.write(pieces, at)
      else if (action === 'end') yield* this.#output.end()
    }
  }
}
