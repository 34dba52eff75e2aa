import { loadPeer, requirePeer } from '../peer.ts'

/** The part of the package libflacjs that is used. */
export interface LibFlac {
  isReady(): boolean
  on(event: 'ready', listener: () => void): void
  create_libflac_encoder(
    sampleRate: number,
    channels: number,
    bits: number,
    level: number,
    totalSamples: number,
    isVerified: boolean,
    blockSize: number,
  ): number
  init_encoder_stream(
    encoder: number,
    write: (data: Uint8Array, bytes: number, samples: number) => void,
    metadata: (info: StreamInfo) => void,
  ): number
  FLAC__stream_encoder_process_interleaved(encoder: number, samples: Int32Array, frames: number): boolean
  FLAC__stream_encoder_finish(encoder: number): boolean
  FLAC__stream_encoder_delete(encoder: number): void
  create_libflac_decoder(isVerified: boolean): number
  init_decoder_stream(
    decoder: number,
    read: (bytes: number) => { buffer: Uint8Array; readDataLength: number; error: boolean },
    write: (channels: Uint8Array[], block: { blocksize: number; bitsPerSample: number }) => void,
    error: (code: number, message: string) => void,
    metadata: (info: StreamInfo) => void,
  ): number
  FLAC__stream_decoder_process_single(decoder: number): boolean
  FLAC__stream_decoder_process_until_end_of_metadata(decoder: number): boolean
  FLAC__stream_decoder_finish(decoder: number): boolean
  FLAC__stream_decoder_delete(decoder: number): void
}

export interface StreamInfo {
  min_blocksize: number
  max_blocksize: number
  min_framesize: number
  max_framesize: number
  sampleRate: number
  channels: number
  bitsPerSample: number
  total_samples: number
  md5sum: string
}

let loading: Promise<LibFlac> | undefined

export function loadLibFlac(what: string): Promise<LibFlac> {
  loading ??= loadPeer('libflacjs', what, load).catch((error) => {
    loading = undefined // it can be installed meanwhile
    throw error
  })
  return loading
}

async function load(): Promise<LibFlac> {
  // Its loader takes a Node that has fetch() for a browser, and fetches a path, which Node's fetch() refuses.
  const { fetch } = globalThis
  let flac: LibFlac
  try {
    Object.assign(globalThis, { fetch: undefined })
    flac = requirePeer('libflacjs/dist/libflac.min.wasm.js') as LibFlac
  } finally {
    Object.assign(globalThis, { fetch })
  }
  if (!flac.isReady()) await new Promise<void>((resolve) => flac.on('ready', resolve))
  return flac
}
