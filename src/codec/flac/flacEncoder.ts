import { WavespoolError } from '../../errors.ts'
import { viewOf } from '../../format/fields.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import type { Output } from '../../format/wholeFrames.ts'
import type { EncoderKernel } from '../kernel.ts'
import { type LibFlac, loadLibFlac, type StreamInfo } from './libflac.ts'
import { FLAC_HEAD_BYTES, finalHead } from './streamInfo.ts'

/** libFLAC's own default, from 0 (fast) to 8 (small) */
const LEVEL = 5

/** Integers of 8, 16 or 24 bits into FLAC. */
export class FlacEncoder implements EncoderKernel {
  head: Uint8Array | undefined
  readonly #flac: LibFlac
  readonly #format: PcmFormat
  readonly #encoder: number
  #out: Output = []
  /** the first bytes of the output, until they are as many as the head has */
  #first: Uint8Array[] = []
  #info: StreamInfo | undefined
  #isFinished = false

  static async create(format: PcmFormat): Promise<FlacEncoder> {
    return new FlacEncoder(await loadLibFlac('encoding FLAC'), format)
  }

  private constructor(flac: LibFlac, format: PcmFormat) {
    const { sampleRate, channels, bytesPerSample } = format
    this.#flac = flac
    this.#format = format
    this.#encoder = flac.create_libflac_encoder(sampleRate, channels, bytesPerSample * 8, LEVEL, 0, false, 0)
    const status = flac.init_encoder_stream(
      this.#encoder,
      (data) => this.#put(data),
      (info) => {
        this.#info = info
      },
    )
    if (status !== 0) {
      throw new WavespoolError('ERR_WAVESPOOL_CODEC', `libFLAC cannot encode this format (status ${status})`)
    }
  }

  #held: Uint8Array[] = []

  #put(data: Uint8Array): void {
    const bytes = Uint8Array.from(data)
    const firstBytes = this.#first.reduce((sum, { length }) => sum + length, 0)
    if (firstBytes < FLAC_HEAD_BYTES) this.#first.push(bytes)
    this.#held.push(bytes)
  }

  #release(out: Output): void {
    this.#out = out
    for (const bytes of this.#held.splice(0)) this.#out.push(bytes)
  }

  push(pcm: Uint8Array, out: Output): void {
    const samples = integersOf(pcm, this.#format.bytesPerSample)
    const frames = samples.length / this.#format.channels
    if (!this.#flac.FLAC__stream_encoder_process_interleaved(this.#encoder, samples, frames)) {
      throw new WavespoolError('ERR_WAVESPOOL_CODEC', 'libFLAC refused the samples')
    }
    this.#release(out)
  }

  flush(out: Output): void {
    this.#isFinished = true
    this.#flac.FLAC__stream_encoder_finish(this.#encoder)
    this.#release(out)
    if (this.#info) this.head = finalHead(Buffer.concat(this.#first), this.#info)
  }

  free(): void {
    if (!this.#isFinished) this.#flac.FLAC__stream_encoder_finish(this.#encoder)
    this.#held = []
    this.#flac.FLAC__stream_encoder_delete(this.#encoder)
  }
}

/** libFLAC takes each sample in 32 bits. */
function integersOf(pcm: Uint8Array, bytesPerSample: number): Int32Array {
  const samples = new Int32Array(pcm.length / bytesPerSample)
  const view = viewOf(pcm)
  if (bytesPerSample === 1) for (let i = 0; i < samples.length; i++) samples[i] = pcm[i]! - 128
  else if (bytesPerSample === 2) {
    for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(i * 2, true)
  } else {
    for (let i = 0, at = 0; i < samples.length; i++, at += 3) {
      samples[i] = view.getUint16(at, true) | (view.getInt8(at + 2) << 16)
    }
  }
  return samples
}
