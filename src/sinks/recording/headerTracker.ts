import type { PcmFormat } from '../../format/pcmFormat.ts'

/** The content of a file of a given size at a moment. */
export interface FileExtent {
  /** position behind the last whole frame of samples; the end where it holds no WAV */
  dataEnd: number
  /** where the file of this moment ends: behind the samples, or behind the chunks that follow them */
  end: number
  /** the zero byte that RIFF asks for behind an odd number of bytes, where it is not there */
  pad: 0 | 1
}

/** The sizes in a header as it was written, or as they became final. */
export interface DeclaredSizes {
  dataBytes: number
  riffBytes: number
}

/**
 * Knows the header of the file of a recording: it sees the bytes as they are written, and gives the header for a reader at
 * a moment, and the one of the finished file.
 */
export interface HeaderTracker {
  /** whether the bytes so far tell which kind of file it is */
  readonly isDecided: boolean
  /** whether the file has a WAV header whose sizes can be put right */
  readonly isWav: boolean
  /** whether the file has begun, and not as a WAV file begins: unlike {@link isWav}, one in an unknown encoding is one */
  readonly isNoWav: boolean
  readonly format: PcmFormat | undefined
  /** position of the first sample: 0 where it holds no WAV */
  readonly dataStart: number
  /** bytes that are never divided: a frame as it lies in the file, or 1 where it holds no WAV */
  readonly blockAlign: number
  /** with the header itself, what a tracker in another thread needs to know */
  readonly declared: DeclaredSizes

  /** whether the next bytes are to be offered: to tell the kind of the file, or where its samples end */
  readonly wantsBytes: boolean
  /** Takes the next bytes of the file as long as it {@link wantsBytes}. */
  offer(chunk: Uint8Array): void
  /** No more bytes will come to a file of `size` bytes: half a header is none. */
  giveUp(size?: number): void
  extent(size: number): FileExtent
  /**
   * A copy of the header with the sizes of a file of `size` bytes, which gets its pad byte at once unless told otherwise;
   * empty where it has none. A part of a header is as it was written: the whole one gets the sizes of a later moment.
   */
  headerAt(size: number, pad?: 0 | 1): Uint8Array<ArrayBuffer>
  /** A copy of the header with both sizes unknown, as for a pipe that data may still come through. */
  unknownSizeHeader(size: number): Uint8Array<ArrayBuffer>
  /** The recording has ended at `size`: from now on the sizes are known, whatever the header said. */
  seal(size: number): void
  /** The pad byte has found no room: a sealed file of `size` bytes ends behind its samples. */
  endUnpadded(size: number): void
  /**
   * The bytes that belong at the start of a sealed file of `size` bytes; undefined where those that were written are right.
   *
   * @param isComplete whether everything that was put out for the file has arrived
   */
  finalHeader(size: number, isComplete: boolean): Uint8Array | undefined
}
