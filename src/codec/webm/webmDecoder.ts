import { WavespoolError } from '../../errors.ts'
import type { DecoderKernel, DecoderOutput } from '../kernel.ts'
import { opusPacketSamples, readOpusHead } from '../opus/opusHead.ts'
import { OPUS_RATE, OpusTrack } from '../opus/opusTrack.ts'
import { WebmReader, type WebmTrack } from './webmReader.ts'

type Event = { packets: Uint8Array[]; discard: number } | { track: WebmTrack } | 'gap'

/** Opus in WebM or Matroska, as browsers record it: block by block, as it comes. */
export class WebmDecoder implements DecoderKernel {
  readonly #events: Event[] = []
  readonly #reader = new WebmReader({
    track: (track) => this.#events.push({ track }),
    packets: (packets, discard) => this.#events.push({ packets, discard }),
    gap: () => this.#events.push('gap'),
  })
  #track: OpusTrack | undefined
  #bytesBefore = 0

  async push(bytes: Uint8Array, out: DecoderOutput): Promise<void> {
    this.#reader.push(bytes)
    for (const event of this.#events.splice(0)) {
      if (event === 'gap') out.gap(undefined)
      else if ('track' in event) {
        this.#track ??= await createTrack(event.track)
        this.#track.begin(out)
      } else this.#decode(event.packets, event.discard, out)
    }
    if (this.#track) return
    this.#bytesBefore += bytes.length
    if (this.#bytesBefore > 2 ** 24) throw noTrack()
  }

  #decode(packets: Uint8Array[], discard: number, out: DecoderOutput): void {
    packets.forEach((packet, i) => {
      if (packet.length === 0) return
      const isLast = i === packets.length - 1
      const trim = isLast ? Math.round((discard / 1e9) * OPUS_RATE) : 0
      this.#track!.decode(packet, Math.min(trim, opusPacketSamples(packet)), out)
    })
  }

  flush(): void {
    if (this.#track === undefined) throw noTrack()
  }

  free(): void {
    this.#track?.free()
    this.#track = undefined
  }
}

async function createTrack({ codec, codecPrivate }: WebmTrack): Promise<OpusTrack> {
  if (codec !== 'A_OPUS') {
    throw new WavespoolError(
      'ERR_WAVESPOOL_CODEC',
      `the audio of this WebM stream is ${codec || 'of no codec'}, and only A_OPUS is read`,
    )
  }
  const head = readOpusHead(codecPrivate)
  if (head === undefined) {
    throw new WavespoolError('ERR_WAVESPOOL_CODEC', 'this WebM stream has no sound OpusHead')
  }
  return OpusTrack.create(head)
}

function noTrack(): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_CODEC',
    'this WebM stream tells of no audio track, or lacks its start',
  )
}
