import type { PcmFormat } from '../format/pcmFormat.ts'
import type { Output } from '../format/wholeFrames.ts'

/** Turns PCM into a compressed file. Takes whole frames, and puts out bytes as they become ready. */
export interface EncoderKernel {
  push(pcm: Uint8Array, out: Output): void
  flush(out: Output): void
  /**
   * The final start of the file, which replaces as many bytes of the output: known after {@link flush}, where it
   * depends on the end.
   */
  readonly head: Uint8Array | undefined
  /** Gives the codec's memory back. */
  free(): void
}

/** Takes the results of a decoder. */
export interface DecoderOutput {
  /**
   * Comes before the first samples. A second call with another format is an error.
   *
   * @param codec of the samples in the file, by ffmpeg's names: `opus`, `mp3`; `pcm` where they are not compressed
   */
  begin(format: PcmFormat, codec: string): void
  /** whole frames in that format */
  push(pcm: Uint8Array): void
  /** reports that frames are missing here, which the file or stream lost */
  gap(frames: number | undefined): void
}

/** Turns the bytes of a compressed file, in any chunking, into PCM. */
export interface DecoderKernel {
  push(bytes: Uint8Array, out: DecoderOutput): void | Promise<void>
  flush(out: DecoderOutput): void | Promise<void>
  free(): void
}
