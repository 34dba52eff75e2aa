import type { WavespoolError } from '../../errors.ts'
import { pcmFormat } from '../../format/pcmFormat.ts'
import { decodingError } from '../decodingError.ts'
import { interleave } from '../interleave.ts'
import type { DecoderOutput } from '../kernel.ts'
import { loadPeer } from '../peer.ts'
import { type OpusHead, opusPacketSamples } from './opusHead.ts'

/** The inside of the decoder of opus-decoder, whose own `decodeFrame()` prints where a packet is broken. */
interface LibraryDecoder {
  ready: Promise<void>
  free(): void
  _common: {
    wasm: {
      /** @returns samples of each channel, or a negative code of libopus */
      opus_frame_decode_float_deinterleaved(
        decoder: number,
        input: number,
        bytes: number,
        output: number,
      ): number
    }
  }
  /** 0 where libopus refused to make one */
  _decoder: number
  _input: { ptr: number; buf: Uint8Array }
  _output: { ptr: number; buf: Float32Array }
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
      return made as unknown as LibraryDecoder
    })
    if (decoder._decoder === 0) throw corrupt('libopus has no decoder for its channels')
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
    const { _common, _decoder, _input, _output } = this.#decoder
    if (packet.length > _input.buf.length) throw corrupt('an Opus packet is too long')
    _input.buf.set(packet)
    const samplesDecoded = _common.wasm.opus_frame_decode_float_deinterleaved(
      _decoder,
      _input.ptr,
      packet.length,
      _output.ptr,
    )
    if (samplesDecoded < 0) throw corrupt(`libopus says ${samplesDecoded} of a packet`)
    const channelData = Array.from({ length: this.#head.channels }, (_, channel) =>
      _output.buf.subarray(channel * samplesDecoded, (channel + 1) * samplesDecoded),
    )
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
  return decodingError(`this Opus stream cannot be decoded any further: ${reason}`)
}
