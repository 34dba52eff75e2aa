import { WavespoolError } from '../../errors.ts'
import { pcmFormat } from '../../format/pcmFormat.ts'
import { interleave } from '../interleave.ts'
import type { DecoderOutput } from '../kernel.ts'
import { loadPeer } from '../peer.ts'
import { type OpusHead, opusPacketSamples } from './opusHead.ts'

/** What is used of the package opus-decoder. */
interface LibraryDecoder {
  ready: Promise<void>
  free(): void
  decodeFrame(packet: Uint8Array): {
    channelData: Float32Array[]
    samplesDecoded: number
    errors: { message: string }[]
  }
}

/** the rate at which Opus counts, and at which it is decoded */
export const OPUS_RATE = 48_000

/** Packets of one Opus stream into f32le at 48 kHz, without the pre-skip. */
export class OpusTrack {
  readonly #decoder: LibraryDecoder
  readonly #head: OpusHead
  #toSkip: number
  #isFirst = true

  static async create(head: OpusHead): Promise<OpusTrack> {
    const { channels, streamCount, coupledStreamCount, channelMapping } = head
    const decoder = await loadPeer('opus-decoder', 'decoding Opus', async () => {
      const { OpusDecoder } = await import('opus-decoder')
      const made = new OpusDecoder({
        channels,
        streamCount,
        coupledStreamCount,
        channelMappingTable: channelMapping,
        preSkip: 0,
      })
      await made.ready
      return made as LibraryDecoder
    })
    return new OpusTrack(decoder, head)
  }

  private constructor(decoder: LibraryDecoder, head: OpusHead) {
    this.#decoder = decoder
    this.#head = head
    this.#toSkip = head.preSkip
  }

  begin(out: DecoderOutput): void {
    const { channels } = this.#head
    out.begin(pcmFormat({ sampleRate: OPUS_RATE, channels, encoding: 'f32le' }), 'opus')
  }

  /**
   * @param trim samples at the end that are no part of the recording
   * @returns how many were decoded, those that were skipped and trimmed included
   */
  decode(packet: Uint8Array, trim: number, out: DecoderOutput): number {
    const expected = opusPacketSamples(packet)
    if (expected === 0) throw corrupt('an Opus packet of no length')
    const { channelData, samplesDecoded, errors } = this.#decoder.decodeFrame(packet)
    if (errors.length > 0) throw corrupt(errors[0]!.message)
    if (this.#isFirst) this.begin(out)
    this.#isFirst = false
    const start = Math.min(this.#toSkip, samplesDecoded)
    this.#toSkip -= start
    const end = Math.max(start, samplesDecoded - trim)
    if (end > start) out.push(interleave(channelData, start, end, this.#head.gain))
    return samplesDecoded
  }

  free(): void {
    this.#decoder.free()
  }
}

function corrupt(reason: string): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_CODEC',
    `this Opus stream cannot be decoded any further: ${reason}; what came before it was delivered`,
  )
}
