import { readMpegFrame } from '../../format/mpegFrame.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import type { Output } from '../../format/wholeFrames.ts'
import type { EncoderKernel } from '../kernel.ts'
import { loadPeer } from '../peer.ts'
import { infoFrame } from './infoFrame.ts'

/** The part of the package wasm-media-encoders, which holds LAME, that is used. */
interface Lame {
  configure(options: {
    sampleRate: number
    outputSampleRate: number
    channels: number
    bitrate: number
  }): void
  /** the bytes are overwritten by the next call */
  encode(channels: readonly Float32Array[]): Uint8Array
  finalize(): Uint8Array
}

/** LAME's encoder is late by so many samples */
const DELAY = 576

/** f32le at a rate that MPEG audio has into MP3 of a constant bitrate, behind an {@link infoFrame}. */
export class Mp3Encoder implements EncoderKernel {
  head: Uint8Array | undefined
  readonly #lame: Lame
  readonly #format: PcmFormat
  readonly #bitrate: number
  #frames = 0
  #inputFrames = 0
  #bytes = 0
  #samplesPerFrame = 0
  /** bytes until the next frame begins */
  #untilFrame = 0
  /** a header of which only a part has come */
  #rest = new Uint8Array(0)

  static async create(format: PcmFormat, bitrate: number): Promise<Mp3Encoder> {
    const name = 'wasm-media-encoders'
    const lame = await loadPeer(name, 'encoding MP3', async () =>
      (await import('wasm-media-encoders')).createMp3Encoder(),
    )
    return new Mp3Encoder(lame as unknown as Lame, format, bitrate)
  }

  private constructor(lame: Lame, format: PcmFormat, bitrate: number) {
    const { sampleRate, channels } = format
    lame.configure({ sampleRate, outputSampleRate: sampleRate, channels, bitrate: bitrate / 1000 })
    this.#lame = lame
    this.#format = format
    this.#bitrate = bitrate
  }

  push(pcm: Uint8Array, out: Output): void {
    this.#begin(out)
    const frames = pcm.length / this.#format.bytesPerFrame
    this.#inputFrames += frames
    const encoded = this.#lame.encode(channelsOf(pcm, frames, this.#format.channels))
    if (encoded.length > 0) this.#put(encoded.slice(), out)
  }

  #begin(out: Output): void {
    if (this.#bytes > 0) return
    const frame = this.#info(undefined)
    this.#bytes = frame.length
    out.push(frame)
  }

  #info(length: Parameters<typeof infoFrame>[2]): Uint8Array {
    return infoFrame({ ...this.#format, bitrate: this.#bitrate }, DELAY, length)
  }

  #put(encoded: Uint8Array, out: Output): void {
    this.#bytes += encoded.length
    this.#count(encoded)
    out.push(encoded)
  }

  #count(encoded: Uint8Array): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, encoded]) : encoded
    let at = this.#untilFrame
    for (let frame = readMpegFrame(bytes, at); frame; frame = readMpegFrame(bytes, at)) {
      this.#frames += 1
      this.#samplesPerFrame = frame.samples
      at += frame.bytes
    }
    this.#rest = at < bytes.length ? Uint8Array.from(bytes.subarray(at)) : new Uint8Array(0)
    this.#untilFrame = Math.max(0, at - bytes.length)
  }

  flush(out: Output): void {
    this.#begin(out)
    // Of a file of a single frame ffmpeg says that its size is wrong.
    const { sampleRate, channels } = this.#format
    if (this.#inputFrames === 0 && sampleRate >= 32_000) {
      this.#put(this.#lame.encode(Array(channels).fill(new Float32Array(1152))).slice(), out)
    }
    const encoded = this.#lame.finalize()
    if (encoded.length > 0) this.#put(encoded.slice(), out)
    const padding = Math.max(0, this.#frames * this.#samplesPerFrame - DELAY - this.#inputFrames)
    this.head = this.#info({ frames: this.#frames, bytes: this.#bytes, padding })
  }

  free(): void {} // the garbage collector takes the instance with its memory
}

/** One Float32Array a channel, of interleaved f32le. */
function channelsOf(pcm: Uint8Array, frames: number, channels: number): Float32Array[] {
  const isAligned = pcm.byteOffset % 4 === 0
  const bytes = isAligned ? pcm : pcm.slice()
  const samples = new Float32Array(bytes.buffer, bytes.byteOffset, frames * channels)
  if (channels === 1) return [samples]
  return Array.from({ length: channels }, (_, channel) => {
    const one = new Float32Array(frames)
    for (let i = 0, at = channel; i < frames; i++, at += channels) one[i] = samples[at]!
    return one
  })
}
