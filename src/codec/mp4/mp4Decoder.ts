import type { Source } from 'mediabunny'
import { WavespoolError } from '../../errors.ts'
import { pcmFormat } from '../../format/pcmFormat.ts'
import { decodingError } from '../decodingError.ts'
import { interleave } from '../interleave.ts'
import type { DecoderKernel, DecoderOutput } from '../kernel.ts'
import { opusPacketSamples, readOpusHead } from '../opus/opusHead.ts'
import { OpusTrack } from '../opus/opusTrack.ts'
import { loadPeer } from '../peer.ts'
import { Turns } from '../turns.ts'
import { isSoundIndex } from './soundIndex.ts'

/**
 * How much of a file is kept that has its index at the end, as phones write them: half a gigabyte is nine hours of AAC
 * at 128 kbit/s.
 */
const MAX_CACHE_BYTES = 2 ** 29

/** The limit of one read: more than the index of a day's recording, or a packet, has. */
const MAX_READ_BYTES = 2 ** 26

/** An encoded packet, with its place in seconds: negative where the edit list leaves it out. */
interface Packet {
  data: Uint8Array
  timestamp: number
  duration: number
}

interface PacketDecoder {
  decode(packet: Packet, out: DecoderOutput): void
  free(): void
}

/** AAC or Opus in MP4 or QuickTime, demultiplexed by mediabunny while it comes, where its index comes first. */
export class Mp4Decoder implements DecoderKernel {
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #onPull: (() => void) | undefined
  #out: DecoderOutput | undefined
  #isFreed = false
  #isEnded = false
  #fault: { error: unknown } | undefined
  readonly #pumping: Promise<void>

  static async create(): Promise<Mp4Decoder> {
    const mediabunny = await loadPeer('mediabunny', 'reading MP4', () => import('mediabunny'))
    // stdout and stderr belong to the user, who may have set another level
    const { Logging, LogLevel } = mediabunny
    if (Logging.level === LogLevel.Info) Logging.level = LogLevel.Silent
    return new Mp4Decoder(mediabunny)
  }

  private constructor(mediabunny: typeof import('mediabunny')) {
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#onPull?.(),
        cancel: () => this.#onPull?.(),
      },
      { highWaterMark: 1 },
    )
    this.#pumping = this.#pump(mediabunny, stream)
      .catch((error: unknown) => {
        this.#fault = { error }
      })
      .finally(() => {
        this.#isEnded = true
        this.#onPull?.()
      })
  }

  async push(bytes: Uint8Array, out: DecoderOutput): Promise<void> {
    this.#out = out
    this.#throwFault()
    if (this.#isEnded) return
    this.#controller!.enqueue(Uint8Array.from(bytes))
    if (this.#controller!.desiredSize! <= 0) {
      await new Promise<void>((resolve) => {
        this.#onPull = resolve
      })
      this.#onPull = undefined
    }
    this.#throwFault()
  }

  async flush(out: DecoderOutput): Promise<void> {
    this.#out = out
    if (!this.#isEnded) this.#controller!.close()
    await this.#pumping
    this.#throwFault()
  }

  #throwFault(): void {
    if (this.#fault) throw this.#fault.error
  }

  async #pump(mediabunny: typeof import('mediabunny'), stream: ReadableStream<Uint8Array>): Promise<void> {
    const { Input, EncodedPacketSink, MP4, QTFF } = mediabunny
    const source = createSource(mediabunny, stream)
    const input = new Input({ source, formats: [MP4, QTFF] })
    const track = await input.getPrimaryAudioTrack()
    if (track === null) throw new WavespoolError('ERR_WAVESPOOL_CODEC', 'this MP4 file has no audio track')
    const config = await track.getDecoderConfig()
    const description = config?.description && bytesOf(config.description)
    const decoder = await createDecoder(String(track.codec), description)
    const turns = new Turns()
    try {
      for await (const packet of new EncodedPacketSink(track).packets()) {
        if (this.#isFreed) return
        await turns.do(() => this.#isFreed || decoder.decode(packet, this.#out!))
      }
    } finally {
      decoder.free()
      input.dispose()
    }
  }

  free(): void {
    this.#isFreed = true
    if (!this.#isEnded) {
      try {
        this.#controller!.close()
      } catch {
        // it has ended
      }
    }
  }
}

/**
 * Keeps mediabunny from following broken tables: it would wait for ever for bytes that do not exist, allocate as many as
 * a table names, and count to four thousand million.
 */
function createSource(
  { ReadableStreamSource }: typeof import('mediabunny'),
  stream: ReadableStream<Uint8Array>,
): Source {
  const source = new ReadableStreamSource(stream as never, { maxCacheSize: MAX_CACHE_BYTES })
  const inside = source as unknown as Inside
  const read = inside._read
  inside._read = function (start, end) {
    if (!(start >= 0 && end >= start && end - start <= MAX_READ_BYTES)) throw wrongIndex()
    const check = (result: ReadResult | null) => {
      if (result && !isSoundIndex(result.bytes.subarray(start - result.offset, end - result.offset))) {
        throw wrongIndex()
      }
      return result
    }
    const result = read.call(this, start, end)
    return result instanceof Promise ? result.then(check) : check(result)
  }
  return source
}

interface ReadResult {
  bytes: Uint8Array
  /** position of the bytes in the file */
  offset: number
}

interface Inside {
  _read(start: number, end: number): ReadResult | null | Promise<ReadResult | null>
}

function wrongIndex(): WavespoolError {
  return decodingError('the index of this MP4 file is wrong')
}

function bytesOf(source: ArrayBuffer | ArrayBufferView | SharedArrayBuffer): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source)
}

async function createDecoder(codec: string, description: Uint8Array | undefined): Promise<PacketDecoder> {
  if (codec === 'aac' && description) return createAac(description)
  if (codec === 'opus' && description) {
    const head = readOpusHead(description)
    if (head) return new OpusPackets(await OpusTrack.create(head))
  }
  throw new WavespoolError(
    'ERR_WAVESPOOL_CODEC',
    `the audio of this MP4 file is ${codec}, and only AAC and Opus are read`,
  )
}

class OpusPackets implements PacketDecoder {
  readonly #track: OpusTrack

  constructor(track: OpusTrack) {
    this.#track = track
  }

  decode({ data, duration }: Packet, out: DecoderOutput): void {
    const samples = opusPacketSamples(data)
    this.#track.decode(data, Math.max(0, samples - Math.round(duration * 48_000)), out)
  }

  free(): void {
    this.#track.free()
  }
}

async function createAac(asc: Uint8Array): Promise<PacketDecoder> {
  const name = '@audio/decode-aac'
  const decoder = await loadPeer(name, 'decoding AAC (by FAAD2, under GPL-2.0)', async () =>
    (await import('@audio/decode-aac')).decoder({ asc }),
  )
  let hasBegun = false
  return {
    decode({ data, timestamp, duration }, out) {
      const { channelData, sampleRate } = decoder.decode([data])
      const samples = channelData[0]?.length ?? 0
      if (samples === 0) return
      const channels = channelData.length
      if (!hasBegun) out.begin(pcmFormat({ sampleRate, channels, encoding: 'f32le' }), 'aac')
      hasBegun = true
      const start = Math.max(0, Math.min(samples, Math.round(-timestamp * sampleRate)))
      const end = Math.min(samples, Math.round(duration * sampleRate))
      if (end > start) out.push(interleave(channelData, start, end))
    },
    free: () => decoder.free(),
  }
}
