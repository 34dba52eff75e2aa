import { ArgumentTypeError, show } from '../errors.ts'
import { encodings } from '../format/encoding.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { WholeFrames } from '../format/wholeFrames.ts'
import { type Ports, passing } from '../neighbours.ts'
import { checkOptions } from '../options.ts'
import { type Kernel, type Output, Stage } from './stage.ts'

/** The options of `gate()`. */
export interface GateOptions {
  /** audio that comes while the gate is closed is left out, `'drop'` (default), or replaced by silence, `'silence'` */
  closed?: 'drop' | 'silence'
}

/**
 * A Transform that passes audio while it is open: push-to-talk, or pause and resume within one file. It begins open.
 *
 * @throws {ArgumentTypeError} for a wrong format or option
 */
export function gate(format: PcmFormat, options: GateOptions = {}): Gate {
  const checked = requireFormat(format, 'gate()')
  checkOptions(options, ['closed'], 'gate()')
  const { closed = 'drop' } = options
  if (closed !== 'drop' && closed !== 'silence') {
    throw new ArgumentTypeError(`gate(): closed must be 'drop' or 'silence', got ${show(closed)}`)
  }
  return new Gate(new GateKernel(checked, closed))
}

/** Opens and closes at bytes of its input, each rounded up to the next frame. */
export class GateKernel implements Kernel {
  /** a turn counts the bytes written into this stream, and must not be fused */
  readonly isApart = true
  readonly ports: Ports
  readonly #format: PcmFormat
  readonly #frames: WholeFrames
  readonly #isSilenceKept: boolean
  /** frames that have been dealt with */
  #taken = 0
  #isOpen = true
  /** where the gate turns, in frames that are still to come */
  #turns: number[] = []

  constructor(format: PcmFormat, closed: 'drop' | 'silence') {
    this.ports = passing('gate()', format)
    this.#format = format
    this.#frames = new WholeFrames(format)
    this.#isSilenceKept = closed === 'silence'
  }

  /** Whether it is open behind all the turns that it knows of. */
  get isOpen(): boolean {
    return this.#isOpen === (this.#turns.length % 2 === 0)
  }

  /** Opens it where it is closed, and closes it where it is open, at a byte of the input that is still to come. */
  turn(byte: number): void {
    const frame = Math.ceil(byte / this.#format.bytesPerFrame)
    // two turns at one place are none
    if (this.#turns.at(-1) === frame) this.#turns.pop()
    else this.#turns.push(frame)
  }

  push(bytes: Uint8Array, out: Output): void {
    this.#frames.push(bytes, { push: (whole) => this.#pass(whole, out) })
  }

  flush(): void {
    this.#frames.flush()
  }

  /** Takes whole frames. */
  #pass(bytes: Uint8Array, out: Output): void {
    const { bytesPerFrame, encoding } = this.#format
    for (let at = 0; at < bytes.length; ) {
      while (this.#turns[0] === this.#taken) {
        this.#turns.shift()
        this.#isOpen = !this.#isOpen
      }
      const until = ((this.#turns[0] ?? Number.POSITIVE_INFINITY) - this.#taken) * bytesPerFrame
      const piece = at === 0 && bytes.length <= until ? bytes : bytes.subarray(at, at + until)
      at += piece.length
      this.#taken += piece.length / bytesPerFrame
      if (this.#isOpen) out.push(piece)
      else if (this.#isSilenceKept) out.push(Buffer.alloc(piece.length, encodings[encoding].silentByte))
    }
  }
}

/** See {@link gate}. */
export class Gate extends Stage {
  readonly #kernel: GateKernel
  /** bytes of finished writes */
  #written = 0

  constructor(kernel: GateKernel) {
    super(kernel)
    this.#kernel = kernel
  }

  /** Whether audio that is written from now on passes. */
  get isOpen(): boolean {
    return this.#kernel.isOpen
  }

  /** Passes audio that is written from now on, exact to the frame; within a frame it begins at the next one. */
  open(): void {
    if (!this.isOpen) this.#turn()
  }

  /** Leaves out, or silences, audio that is written from now on; all that was written before passes. */
  close(): void {
    if (this.isOpen) this.#turn()
  }

  #turn(): void {
    this.#kernel.turn(this.#written + this.writableLength)
  }

  /** A write counts as long as it is held back, so it is counted here only when it is over. */
  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    super._write(chunk, encoding, (error) => {
      this.#written += chunk.length
      callback(error)
    })
  }
}
