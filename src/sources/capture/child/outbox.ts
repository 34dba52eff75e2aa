import type { Writable } from 'node:stream'
import { type CaptureMessage, encode, type GapCause } from '../protocol.ts'

export interface OutboxBound {
  /** most frames of audio that may wait */
  frames: number
  /** most bytes of audio that may wait */
  bytes: number
}

/** Bytes handed to the pipe that it has not taken yet: enough to keep it busy. */
const PIPE_BYTES = 64 * 1024

/**
 * The queue of the capture child, which the host reads. It is bounded: once it is full, it drops and counts whole
 * reads, and puts a gap notice in their place.
 */
export class Outbox {
  readonly #pipe: Writable
  readonly #bound: OutboxBound
  readonly #bytesPerFrame: number
  #waiting: CaptureMessage[] = []
  #next = 0
  #bytes = 0
  #droppedFrames = 0
  #onEmpty: (() => void) | undefined

  constructor(pipe: Writable, bound: OutboxBound, bytesPerFrame: number) {
    this.#pipe = pipe
    this.#bound = bound
    this.#bytesPerFrame = bytesPerFrame
    pipe.on('drain', () => this.#flush())
  }

  /** bytes of audio that wait here */
  get waitingBytes(): number {
    return this.#bytes
  }

  /** Audio, in whole frames. */
  pcm(bytes: Buffer): void {
    if (!this.#admits(bytes.length)) {
      this.#droppedFrames += bytes.length / this.#bytesPerFrame
      return
    }
    this.#noteDropped()
    this.#bytes += bytes.length
    this.#put({ type: 'pcm', bytes })
  }

  /** Reports frames that are missing in front of the next packet. */
  gap(frames: number, cause: GapCause): void {
    this.#noteDropped()
    this.#put({ type: 'gap', body: { frames, cause } })
  }

  /** Anything else; never dropped. */
  note(message: CaptureMessage): void {
    this.#noteDropped()
    this.#put(message)
  }

  /** Resolves when the pipe has taken everything. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve
      this.#flush()
    })
  }

  /** Once something was dropped, an eighth of the bound must be free again: one long gap rather than many short ones. */
  #admits(length: number): boolean {
    const share = this.#droppedFrames > 0 ? 7 / 8 : 1
    const bytes = this.#bytes + length
    return bytes <= this.#bound.bytes * share && bytes <= this.#bound.frames * this.#bytesPerFrame * share
  }

  #noteDropped(): void {
    if (this.#droppedFrames === 0) return
    const frames = this.#droppedFrames
    this.#droppedFrames = 0
    this.#put({ type: 'gap', body: { frames, cause: 'queue' } })
  }

  #put(message: CaptureMessage): void {
    this.#waiting.push(message)
    this.#flush()
  }

  #flush(): void {
    while (this.#next < this.#waiting.length && this.#pipe.writableLength < PIPE_BYTES) {
      const message = this.#waiting[this.#next]!
      this.#next += 1
      if (message.type === 'pcm') this.#bytes -= message.bytes.length
      this.#pipe.write(encode(message))
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = []
      this.#next = 0
      if (this.#onEmpty) this.#pipe.write('', this.#onEmpty)
      this.#onEmpty = undefined
    } else if (this.#next > 1024) {
      this.#waiting = this.#waiting.slice(this.#next)
      this.#next = 0
    }
  }
}
