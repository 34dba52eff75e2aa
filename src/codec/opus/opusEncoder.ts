import { randomInt } from 'node:crypto'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import type { Output } from '../../format/wholeFrames.ts'
import type { EncoderKernel } from '../kernel.ts'
import { OggWriter } from '../ogg/oggWriter.ts'
import { OpusLibraryEncoder } from './libopus.ts'
import { writeOpusHead, writeOpusTags } from './opusHead.ts'

/** granule positions count at this rate for every input (RFC 7845) */
const GRANULE_RATE = 48_000
/** The delay of libopus's encoder with OPUS_APPLICATION_AUDIO: 6.5 ms. */
const PRE_SKIP = 312
const PACKET_SECONDS = 0.02
/** of 20 ms: a page each second, so that a player can seek and a listener is at most so late */
const PACKETS_PER_PAGE = 50

/** s16le at a rate that libopus takes into Opus in Ogg (RFC 7845). */
export class OpusEncoder implements EncoderKernel {
  readonly head = undefined
  readonly #library: OpusLibraryEncoder
  readonly #format: PcmFormat
  readonly #packet: Uint8Array
  #filled = 0
  #writer: OggWriter | undefined
  #out: Output = []
  #inputFrames = 0
  #fedFrames = 0
  /** kept back until it is known whether it is the last one */
  #held: Uint8Array | undefined

  static async create(format: PcmFormat, bitrate: number): Promise<OpusEncoder> {
    const { sampleRate, channels } = format
    const frames = sampleRate * PACKET_SECONDS
    const library = await OpusLibraryEncoder.create({ sampleRate, channels, bitrate, frames })
    return new OpusEncoder(library, format, frames)
  }

  private constructor(library: OpusLibraryEncoder, format: PcmFormat, frames: number) {
    this.#library = library
    this.#format = format
    this.#packet = new Uint8Array(frames * format.bytesPerFrame)
  }

  get #rateFactor(): number {
    return GRANULE_RATE / this.#format.sampleRate
  }

  push(pcm: Uint8Array, out: Output): void {
    this.#begin(out)
    this.#inputFrames += pcm.length / this.#format.bytesPerFrame
    this.#feed(pcm)
  }

  #begin(out: Output): OggWriter {
    this.#out = out
    if (this.#writer) return this.#writer
    const { channels, sampleRate } = this.#format
    const writer = new OggWriter(randomInt(2 ** 32), { push: (page) => this.#out.push(page) })
    writer.add(writeOpusHead(channels, PRE_SKIP, sampleRate), 0n)
    writer.flush()
    writer.add(writeOpusTags('wavespool'), 0n)
    writer.flush()
    this.#writer = writer
    return writer
  }

  #feed(pcm: Uint8Array): void {
    const packet = this.#packet
    for (let at = 0; at < pcm.length; ) {
      const count = Math.min(packet.length - this.#filled, pcm.length - at)
      packet.set(pcm.subarray(at, at + count), this.#filled)
      at += count
      this.#filled += count
      if (this.#filled < packet.length) return
      this.#filled = 0
      this.#release()
      this.#held = this.#library.encode(packet)
      this.#fedFrames += packet.length / this.#format.bytesPerFrame
    }
  }

  #release(): void {
    if (this.#held === undefined) return
    const writer = this.#writer!
    writer.add(this.#held, BigInt(this.#fedFrames * this.#rateFactor))
    if (writer.waiting >= PACKETS_PER_PAGE) writer.flush()
  }

  /** As many zeros behind the input as the encoder is late, and the granule position of the last sample that counts. */
  flush(out: Output): void {
    const writer = this.#begin(out)
    const { bytesPerFrame } = this.#format
    const late = PRE_SKIP / this.#rateFactor
    const frames = this.#packet.length / bytesPerFrame
    const missing = this.#inputFrames + late - this.#fedFrames - this.#filled / bytesPerFrame
    const zeros = Math.max(0, Math.ceil((missing + this.#filled / bytesPerFrame) / frames) * frames)
    this.#feed(new Uint8Array(zeros * bytesPerFrame - this.#filled))
    writer.add(this.#held!, BigInt(PRE_SKIP + this.#inputFrames * this.#rateFactor))
    writer.flush(true)
  }

  free(): void {
    this.#library.free()
  }
}
