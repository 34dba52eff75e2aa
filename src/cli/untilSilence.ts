import { VoiceFrames } from '../dsp/voice/frames.ts'
import { LibfvadDetector } from '../dsp/voice/libfvad.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { type Span, spanFrames } from '../format/span.ts'
import { WholeFrames } from '../format/wholeFrames.ts'
import { SegmentPlanner } from '../streams/segment/segmentPlanner.ts'
import { type Kernel, type Output, Stage } from '../streams/stage.ts'

/** Speech so short is a click. */
const MIN_SPEECH = { milliseconds: 160 }

/**
 * A Transform that passes everything until speech is followed by `silence`, then stops the source.
 *
 * @returns a promise of it, once the voice detector is loaded
 */
export async function untilSilence(format: PcmFormat, silence: Span): Promise<Stage> {
  const detector = new LibfvadDetector(format.sampleRate)
  await detector.open()
  const stage = new Stage(new SilenceKernel(format, silence, detector))
  return stage.once('close', () => detector.close())
}

class SilenceKernel implements Kernel {
  end: 'stop' | undefined
  readonly #bytesPerFrame: number
  readonly #frames: WholeFrames
  readonly #voice: VoiceFrames
  readonly #detector: LibfvadDetector
  readonly #plan: SegmentPlanner
  #heard = 0

  constructor(format: PcmFormat, silence: Span, detector: LibfvadDetector) {
    this.#bytesPerFrame = format.bytesPerFrame
    this.#frames = new WholeFrames(format)
    this.#detector = detector
    this.#voice = new VoiceFrames(format, detector)
    const frames = spanFrames(format, silence, '--until-silence')
    const minSpeech = spanFrames(format, MIN_SPEECH)
    const maxLength = Number.MAX_SAFE_INTEGER
    this.#plan = new SegmentPlanner({ preRoll: 0, postRoll: frames, minSpeech, silence: frames, maxLength })
  }

  push(bytes: Uint8Array, out: Output): void {
    this.#frames.push(bytes, { push: (whole) => this.#listen(whole, out) })
  }

  #listen(bytes: Uint8Array, out: Output): void {
    let at = 0
    while (at < bytes.length && this.end === undefined) {
      const piece = bytes.subarray(at, at + this.#voice.wanted * this.#bytesPerFrame)
      at += piece.length
      this.#heard += piece.length / this.#bytesPerFrame
      const voice = this.#voice.push(piece)
      if (voice === undefined) continue
      for (const step of this.#plan.hear(this.#detector.isSpeech(voice), this.#heard)) {
        if (step.action === 'end') this.end = 'stop'
      }
    }
    if (at > 0) out.push(bytes.subarray(0, at))
  }

  flush(): void {
    if (this.end === undefined) this.#frames.flush()
  }
}
