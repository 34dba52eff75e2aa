import { WavespoolError } from '../../errors.ts'
import { loadPeer, requirePeer } from '../peer.ts'

/** The part of opusscript's build of libopus that is used. */
interface Native {
  OpusScriptHandler: {
    new (rate: number, channels: number, application: number): Handler
    destroy_handler(handler: Handler): void
  }
  _malloc(bytes: number): number
  _free(pointer: number): void
  /** replaced when the memory grows */
  readonly HEAPU8: Uint8Array
  readonly HEAPU16: Uint16Array
}

interface Handler {
  /** takes each byte of s16le in a cell of 16 bits */
  _encode(input: number, bytes: number, output: number, frames: number): number
  _encoder_ctl(request: number, value: number): number
}

const OPUS_APPLICATION_AUDIO = 2049
const OPUS_SET_BITRATE = 4002
/** libopus advises 4,000 bytes for any packet */
const MAX_PACKET_BYTES = 4000

let loading: Promise<Native> | undefined

function load(): Promise<Native> {
  loading ??= loadPeer('opusscript', 'encoding Opus', () => {
    // Not the class of the package: it writes its input to twice the address that it allocated, which is another encoder's.
    const create = requirePeer('opusscript/build/opusscript_native_wasm.js') as () => Native
    return create()
  }).catch((error) => {
    loading = undefined // it can be installed meanwhile
    throw error
  })
  return loading
}

/** libopus, out of the package opusscript. */
export class OpusLibraryEncoder {
  readonly #native: Native
  readonly #handler: Handler
  readonly #input: number
  readonly #output: number
  readonly #frames: number

  static async create(options: {
    sampleRate: number
    channels: number
    bitrate: number
    frames: number
  }): Promise<OpusLibraryEncoder> {
    return new OpusLibraryEncoder(await load(), options)
  }

  private constructor(
    native: Native,
    {
      sampleRate,
      channels,
      bitrate,
      frames,
    }: { sampleRate: number; channels: number; bitrate: number; frames: number },
  ) {
    this.#native = native
    this.#frames = frames
    this.#handler = new native.OpusScriptHandler(sampleRate, channels, OPUS_APPLICATION_AUDIO)
    this.#input = native._malloc(frames * channels * 2 * 2)
    this.#output = native._malloc(MAX_PACKET_BYTES)
    this.#handler._encoder_ctl(OPUS_SET_BITRATE, bitrate)
  }

  /** @param pcm s16le, as many frames as the encoder was made for */
  encode(pcm: Uint8Array): Uint8Array {
    const { _encode } = this.#handler
    this.#native.HEAPU16.set(pcm, this.#input / 2)
    const length = _encode.call(this.#handler, this.#input, pcm.length, this.#output, this.#frames)
    if (length < 0) throw new WavespoolError('ERR_WAVESPOOL_CODEC', `libopus failed with code ${length}`)
    return this.#native.HEAPU8.slice(this.#output, this.#output + length)
  }

  free(): void {
    this.#native.OpusScriptHandler.destroy_handler(this.#handler)
    this.#native._free(this.#input)
    this.#native._free(this.#output)
  }
}
