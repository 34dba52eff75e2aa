import { loadPeer } from '../peer.ts'

/** The inside of the decoder of mpg123-decoder. */
interface Inside {
  _common: {
    wasm: {
      mpeg_decoder_feed(decoder: number, input: number, bytes: number): number
      mpeg_decoder_read(
        decoder: number,
        output: number,
        length: number,
        samples: number,
        rate: number,
        error: number,
      ): number
    }
  }
  _input: { ptr: number; len: number; buf: Uint8Array }
  _output: { ptr: number; len: number; buf: Float32Array }
  _samplesDecodedPtr: { ptr: number; buf: Uint32Array }
  _sampleRatePtr: { ptr: number; buf: Uint32Array }
  _errorStringPtr: { ptr: number }
  _decoder: number
  ready: Promise<void>
  free(): void
}

const MPG123_NEW_FORMAT = -11

/**
 * libmpg123, out of the package mpg123-decoder. Its own `decode()` reads on for ever, and prints, where an error stays
 * an error: this is its loop with an end.
 */
export class Mpg123 {
  readonly #inside: Inside

  static async load(): Promise<Mpg123> {
    const inside = await loadPeer('mpg123-decoder', 'decoding MP3', async () => {
      const { MPEGDecoder } = await import('mpg123-decoder')
      const made = new MPEGDecoder() as unknown as Inside
      await made.ready
      return made
    })
    return new Mpg123(inside)
  }

  private constructor(inside: Inside) {
    this.#inside = inside
  }

  /** Calls `take` with the samples of two channels, valid during the call, and their rate. */
  decode(bytes: Uint8Array, take: (left: Float32Array, right: Float32Array, rate: number) => void): void {
    const { _common, _input, _output, _samplesDecodedPtr, _sampleRatePtr, _errorStringPtr, _decoder } =
      this.#inside
    const { wasm } = _common
    for (let at = 0; at < bytes.length; at += _input.len) {
      const piece = bytes.subarray(at, at + _input.len)
      _input.buf.set(piece)
      wasm.mpeg_decoder_feed(_decoder, _input.ptr, piece.length)
      for (let isMore = true; isMore; ) {
        _samplesDecodedPtr.buf[0] = 0
        const status = quietly(() =>
          wasm.mpeg_decoder_read(
            _decoder,
            _output.ptr,
            _output.len,
            _samplesDecodedPtr.ptr,
            _sampleRatePtr.ptr,
            _errorStringPtr.ptr,
          ),
        )
        const count = _samplesDecodedPtr.buf[0]!
        if (count > 0) {
          const [left, right] = [_output.buf.subarray(0, count), _output.buf.subarray(count, count * 2)]
          take(left, right, _sampleRatePtr.buf[0]!)
        }
        isMore = status === MPG123_NEW_FORMAT || count > 0
      }
    }
  }

  free(): void {
    this.#inside.free()
  }
}

/** libmpg123 warns of broken frames, and its package prints that on stderr, which is the user's. */
function quietly<T>(work: () => T): T {
  const { error } = console
  console.error = () => {}
  try {
    return work()
  } finally {
    console.error = error
  }
}
