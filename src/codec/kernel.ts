import type { PcmFormat } from '../format/pcmFormat.ts'
import type { Output } from '../format/wholeFrames.ts'

/** Turns PCM into a compressed file. Takes whole frames, and puts out bytes as they become ready. */
export interface EncoderKernel {
  push(pcm: Uint8Array, out: Output): void
  flush(out: Output): void
  /**
   * What the file should begin with, in place of as many bytes that were put out first: known after {@link flush},
   * where only the end tells it.
   */
  readonly head: Uint8Array | undefined
  /** Gives the codec's memory back. */
  free(): void
}

/** Where a decoder puts what it found. */
export interface DecoderOutput {
  /**
   * Comes before the first samples. Of a second call with another format the output makes an error.
   *
   * @param codec what they were compressed by, in ffmpeg's words: `opus`, `mp3`; `pcm` where they were not
   */
  begin(format: PcmFormat, codec: string): void
  /** whole frames in that format */
  push(pcm: Uint8Array): void
  /** says that frames are missing here, which the file or stream lost */
  gap(frames: number | undefined): void
}

/** Turns the bytes of a compressed file, in any chunking, into PCM. */
export interface DecoderKernel {
  push(bytes: Uint8Array, out: DecoderOutput): void | Promise<void>
  flush(out: DecoderOutput): void | Promise<void>
  free(): void
}
