import { LevelMeter, type Levels } from '../dsp/levels.ts'
import type { Emitting } from '../emitting.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { type Span, spanFrames } from '../format/span.ts'
import { WholeFrames } from '../format/wholeFrames.ts'
import { type Ports, passing } from '../neighbours.ts'
import { checkOptions } from '../options.ts'
import { type Kernel, type Output, Stage } from './stage.ts'

/** The options of `meter()`. */
export interface MeterOptions {
  /** how much audio each level is measured over */
  every: Span
}

/** The argument of `'level'`: the {@link Levels} of the frames from `start` up to `end` of the stream. */
export interface Level extends Levels {
  /** frames from the beginning of the stream */
  start: number
  /** the frame behind the last one */
  end: number
}

interface MeterEvents {
  level: [level: Level]
}

/** See {@link meter}. */
export type Meter = Emitting<MeterEvents, Buffer> & Stage

/**
 * A Transform that passes everything untouched and emits `'level'` with a {@link Level}, one for every stretch of
 * `every` and one for the rest at the end, each before the audio that completes it goes on.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format, or an `every` that is no span
 */
export function meter(format: PcmFormat, options: MeterOptions): Meter {
  const checked = requireFormat(format, 'meter()')
  checkOptions(options, ['every'], 'meter()')
  const kernel = new MeterKernel(checked, spanFrames(checked, options.every, 'meter(): every'))
  const stage = new Stage(kernel)
  kernel.onLevel = (level) => stage.emit('level', level)
  return stage as Meter
}

export class MeterKernel implements Kernel {
  onLevel: (level: Level) => void = () => {}
  readonly ports: Ports
  readonly #everyFrames: number
  readonly #bytesPerFrame: number
  readonly #frames: WholeFrames
  readonly #meter: LevelMeter
  /** frame of the stream at which the level being measured began */
  #start = 0

  constructor(format: PcmFormat, everyFrames: number) {
    this.ports = passing('meter()', format)
    this.#everyFrames = everyFrames
    this.#bytesPerFrame = format.bytesPerFrame
    this.#frames = new WholeFrames(format)
    this.#meter = new LevelMeter(format)
  }

  push(bytes: Uint8Array, out: Output): void {
    this.#frames.push(bytes, {
      push: (whole) => {
        this.#measure(whole)
        out.push(whole)
      },
    })
  }

  #measure(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const missing = (this.#everyFrames - this.#meter.frames) * this.#bytesPerFrame
      const piece = at === 0 && bytes.length <= missing ? bytes : bytes.subarray(at, at + missing)
      this.#meter.add(piece)
      at += piece.length
      if (piece.length === missing) this.#report()
    }
  }

  #report(): void {
    const start = this.#start
    const end = start + this.#meter.frames
    this.#start = end
    this.onLevel(Object.assign(this.#meter.take(), { start, end }))
  }

  flush(): void {
    if (this.#meter.frames > 0) this.#report()
    this.#frames.flush()
  }
}
