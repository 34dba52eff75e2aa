import { ArgumentRangeError, ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import { checkOptions } from '../options.ts'
import { clearInterval, setInterval } from '../realTimers.ts'
import { identity, Stage } from './stage.ts'

/** The options of `idleTimeout()`. */
export interface IdleTimeoutOptions {
  /** how long nothing may come before the source is taken for dead */
  seconds: number
}

/** Ticks of one timeout. They are counted, so that a process that was suspended does not blame its source. */
const TICKS = 4

/**
 * A Transform that passes everything, and fails with `ERR_WAVESPOOL_IDLE` when nothing has come for so long, from when it
 * is made: a socket whose peer is gone, or a device whose driver hangs, gives no error of its own. All that came is
 * delivered first. A source that is held back by a slow consumer is not idle. `portAudio()` has `stallSeconds` instead.
 * Where the source is a generator that awaits for ever, a `pipeline()` of Node 22 and later does not settle
 * after any error.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for anything but a number of seconds above 0
 *
 * @example
 * await pipeline(socket, idleTimeout({ seconds: 5 }), limit(format, { seconds: 60 }), wavHeader(format), memo)
 */
export function idleTimeout(options: IdleTimeoutOptions): Stage {
  checkOptions(options, ['seconds'], 'idleTimeout()')
  const { seconds } = options
  if (typeof seconds !== 'number') {
    throw new ArgumentTypeError(`idleTimeout(): seconds must be a number, got ${show(seconds)}`)
  }
  if (!(seconds > 0 && seconds <= 86_400)) {
    throw new ArgumentRangeError(
      `idleTimeout(): seconds must be more than 0 and at most 86400, got ${seconds}`,
    )
  }
  return new IdleTimeout(seconds)
}

class IdleTimeout extends Stage {
  readonly #timer: NodeJS.Timeout
  #idleTicks = 0

  constructor(seconds: number) {
    super({ ...identity, isApart: true })
    const tick = () => {
      this.#idleTicks = this.writableLength > 0 ? 0 : this.#idleTicks + 1
      if (this.#idleTicks >= TICKS) this.#fail(seconds)
    }
    this.#timer = setInterval(tick, (seconds * 1000) / TICKS)
  }

  #fail(seconds: number): void {
    clearInterval(this.#timer)
    const error = new WavespoolError(
      'ERR_WAVESPOOL_IDLE',
      `nothing has come for ${seconds} s: the source gives no audio, no end and no error; all that came was delivered`,
    )
    this.failAfterEnd(error, (reason) => this.destroy(reason ?? undefined))
  }

  override _transform(...args: Parameters<Stage['_transform']>): void {
    this.#idleTicks = 0
    super._transform(...args)
  }

  override _flush(...args: Parameters<Stage['_flush']>): void {
    clearInterval(this.#timer)
    super._flush(...args)
  }

  override _destroy(...args: Parameters<Stage['_destroy']>): void {
    clearInterval(this.#timer)
    super._destroy(...args)
  }
}
