import { type Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { type Level, type Meter, meter } from '../streams/meter.ts'

/** A picture of the samples: the lowest and the highest of each stretch, as signed bytes. */
export class Peaks {
  /** of each stretch */
  readonly frames: number
  length = 0
  #bytes = new Int8Array(2048)

  constructor({ sampleRate }: PcmFormat) {
    this.frames = Math.ceil(sampleRate / PEAKS_PER_SECOND)
  }

  add({ min, max }: Level): void {
    if (this.length * 2 === this.#bytes.length) {
      const longer = new Int8Array(this.#bytes.length * 2)
      longer.set(this.#bytes)
      this.#bytes = longer
    }
    this.#bytes[this.length * 2] = Math.round(Math.max(-1, min) * 127)
    this.#bytes[this.length * 2 + 1] = Math.round(Math.min(1, max) * 127)
    this.length++
  }

  /** Those from `start` to `end` (exclusive), in base64. */
  slice(start: number, end: number): string {
    return Buffer.from(this.#bytes.buffer, start * 2, Math.max(0, end - start) * 2).toString('base64')
  }

  /** A stage that measures the audio that passes. */
  meter(format: PcmFormat): Meter {
    const stage = meter(format, { every: { frames: this.frames } })
    stage.on('level', (level) => this.add(level))
    return stage
  }

  static async of(samples: Readable, format: PcmFormat): Promise<Peaks> {
    const peaks = new Peaks(format)
    const nowhere = new Writable({ write: (_bytes, _encoding, done) => done() })
    await pipeline(samples, peaks.meter(format), nowhere)
    return peaks
  }
}

const PEAKS_PER_SECOND = 20
