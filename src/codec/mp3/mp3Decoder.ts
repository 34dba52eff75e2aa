import { WavespoolError } from '../../errors.ts'
import { type MpegFrame, readMpegFrame } from '../../format/mpegFrame.ts'
import { pcmFormat } from '../../format/pcmFormat.ts'
import { decodingError } from '../decodingError.ts'
import { interleave } from '../interleave.ts'
import type { DecoderKernel, DecoderOutput } from '../kernel.ts'
import { Mpg123 } from './libmpg123.ts'

/** A file whose first frame comes later than this is no MP3. */
const MAX_JUNK_BYTES = 2 ** 17

/** MPEG audio (layers I to III) into f32le, without the encoder's delay and padding where its tag tells them. */
export class Mp3Decoder implements DecoderKernel {
  readonly #library: Mpg123
  #start: Buffer = Buffer.alloc(0)
  #isFound = false
  #frame: MpegFrame | undefined

  static async create(): Promise<Mp3Decoder> {
    return new Mp3Decoder(await Mpg123.load())
  }

  private constructor(library: Mpg123) {
    this.#library = library
  }

  push(bytes: Uint8Array, out: DecoderOutput): void {
    if (this.#isFound) this.#decode(bytes, out)
    else this.#find(bytes, out, false)
  }

  /** Looks for the first frame that another one follows. */
  #find(bytes: Uint8Array, out: DecoderOutput, isEnd: boolean): void {
    this.#start = Buffer.concat([this.#start, bytes])
    const start = this.#start
    for (let at = start.indexOf(0xff); at >= 0; at = start.indexOf(0xff, at + 1)) {
      const frame = readMpegFrame(start, at)
      if (frame === undefined) continue
      if (at + frame.bytes + 4 > start.length && !isEnd) return
      const next = readMpegFrame(start, at + frame.bytes)
      if (next ? next.sampleRate !== frame.sampleRate || next.layer !== frame.layer : !isEnd) continue
      this.#frame = frame
      this.#isFound = true
      this.#start = Buffer.alloc(0)
      const { sampleRate, channels, layer } = frame
      out.begin(pcmFormat({ sampleRate, channels, encoding: 'f32le' }), `mp${layer}`)
      this.#decode(start.subarray(at), out)
      return
    }
    if (isEnd || start.length > MAX_JUNK_BYTES) {
      throw new WavespoolError('ERR_WAVESPOOL_CODEC', 'this is no MP3 file: no frame was found in it')
    }
  }

  #decode(bytes: Uint8Array, out: DecoderOutput): void {
    const { channels, sampleRate } = this.#frame!
    this.#library.decode(bytes, (left, right, rate) => {
      if (rate !== sampleRate) {
        throw decodingError(`the sample rate of this MP3 file changes from ${sampleRate} to ${rate} Hz`)
      }
      out.push(interleave(channels === 1 ? [left] : [left, right], 0, left.length))
    })
  }

  flush(out: DecoderOutput): void {
    if (!this.#isFound) this.#find(new Uint8Array(0), out, true)
  }

  free(): void {
    this.#library.free()
  }
}
