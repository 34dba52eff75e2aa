import type { PcmFormat } from '../../format/pcmFormat.ts'
import { type WavHeader, wavHeaderParser } from '../../format/readWavHeader.ts'
import { setWavSizes } from '../../format/wavHeader.ts'

/** A header longer than this (pictures in front of the samples, say) is left alone, as is everything that is no WAV. */
const MAX_HEADER_BYTES = 2 ** 20

/** Sizes that mean "not known yet" although a longer recording could have them. */
function isPlaceholder(dataBytes: number, blockAlign: number): boolean {
  // ffmpeg's and everybody's; and sox's, the last whole frame up to there
  return dataBytes === 0xffffffff || dataBytes === 0x7ffff000 - (0x7ffff000 % blockAlign)
}

/** What a file of some size holds at a moment. */
export interface WavExtent {
  /** bytes of samples, whole frames where the header leaves the end open */
  dataBytes: number
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
 * Watches what is written for a WAV header, whoever wrote it, and knows at every moment what its sizes should be.
 * A size field that says more than the bytes present, whatever its value, or 0 with data behind it, is open.
 */
export class WavTracker {
  /** undefined while more bytes are needed to tell; null where it is no WAV, or none that can be put right */
  #header: WavHeader | null | undefined
  readonly #parser = wavHeaderParser()
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #length = 0
  #isSealed = false
  #view = new DataView(new ArrayBuffer(0))

  get isDecided(): boolean {
    return this.#header !== undefined
  }

  get isWav(): boolean {
    return this.#header != null
  }

  get format(): PcmFormat | undefined {
    return this.#header?.format
  }

  /** Position of the first sample: 0 where it holds no WAV. */
  get dataStart(): number {
    return this.#header?.dataStart ?? 0
  }

  /** Bytes that are never torn apart: a frame, or 1 where it holds no WAV. */
  get blockAlign(): number {
    return this.#header?.blockAlign ?? 1
  }

  /** The header with the sizes that {@link update} gave it; empty where it holds no WAV. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#header ? this.#bytes : this.#bytes.subarray(0, 0)
  }

  /** With the header itself, what a tracker in another thread needs to know: see {@link restore}. */
  get declared(): DeclaredSizes {
    const { dataBytes = 0, riffBytes = 0 } = this.#header ?? {}
    return { dataBytes, riffBytes }
  }

  /** A tracker that knows what another one does, from a header whose sizes may have been put right meanwhile. */
  static restore(header: Uint8Array, { dataBytes, riffBytes }: DeclaredSizes, isSealed: boolean): WavTracker {
    const tracker = new WavTracker()
    tracker.offer(header)
    if (tracker.#header) Object.assign(tracker.#header, { dataBytes, riffBytes })
    tracker.#isSealed = isSealed
    return tracker
  }

  /** Takes the next bytes of the file until it {@link isDecided}. */
  offer(chunk: Uint8Array): void {
    if (this.#header !== undefined) return
    let seen = chunk
    if (this.#length > 0) {
      this.#hold(chunk)
      seen = this.#bytes.subarray(0, this.#length)
    }
    this.#parser.push(chunk)
    const { header, fault } = this.#parser.result ?? {}
    if (header !== undefined) {
      this.#header = header
      const bytes = Uint8Array.from(seen.subarray(0, header.dataStart))
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer)
    } else if (fault !== undefined || seen.length > MAX_HEADER_BYTES) {
      this.giveUp()
    } else if (this.#length === 0) {
      this.#hold(chunk)
    }
  }

  /** No more bytes will come: half a header is none. */
  giveUp(): void {
    this.#header ??= null
    if (this.#header === null) this.#bytes = new Uint8Array(0)
  }

  #hold(chunk: Uint8Array): void {
    const length = this.#length + chunk.length
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(256, length * 2))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    this.#bytes.set(chunk, this.#length)
    this.#length = length
  }

  /** What a file of `size` bytes holds. */
  extent(size: number): WavExtent {
    const header = this.#header
    if (!header || size < header.dataStart) return { dataBytes: 0, end: size, pad: 0 }
    const present = size - header.dataStart
    if (this.#isOpen(header, present)) {
      const dataBytes = present - (present % header.blockAlign)
      return { dataBytes, end: header.dataStart + dataBytes, pad: (dataBytes % 2) as 0 | 1 }
    }
    const lacksPad = header.dataBytes % 2 === 1 && present === header.dataBytes
    return { dataBytes: header.dataBytes, end: size, pad: lacksPad ? 1 : 0 }
  }

  /** Position behind the last sample: the end where it holds no WAV. */
  dataEnd(size: number): number {
    const { dataBytes, end } = this.extent(size)
    return this.isWav ? Math.min(this.dataStart + dataBytes, end) : end
  }

  #isOpen({ dataBytes, blockAlign }: WavHeader, present: number): boolean {
    if (dataBytes > present || (dataBytes === 0 && present > 0)) return true
    // A recording can outgrow a placeholder: what is no length of whole frames was never meant as one.
    return !this.#isSealed && (dataBytes % blockAlign !== 0 || isPlaceholder(dataBytes, blockAlign))
  }

  /** Puts the sizes of a moment into the header's {@link bytes}. */
  update(size: number): void {
    this.#write(this.#view, size, 0)
  }

  /** A copy of the header with the sizes of a moment, for a file that gets its pad byte at once unless told otherwise. */
  headerAt(size: number, pad = this.extent(size).pad): Uint8Array<ArrayBuffer> {
    const copy = this.bytes.slice()
    this.#write(new DataView(copy.buffer), size, pad)
    return copy
  }

  #write(view: DataView, size: number, pad: 0 | 1): void {
    const header = this.#header
    if (!header) return
    const { dataBytes, end } = this.extent(size)
    const fileBytes = end + pad
    const declared = header.riffBytes + 8
    // A RIFF size that holds the samples and fits what is there stands, also where something else follows it.
    const isRight =
      declared >= header.dataStart + dataBytes &&
      declared <= fileBytes &&
      !this.#isOpen(header, size - header.dataStart)
    const riffBytes = (isRight ? declared : fileBytes) - 8
    setWavSizes(view, header, { dataBytes, riffBytes, bytesPerFrame: header.blockAlign })
  }

  /** The recording has ended at `size`: from now on the sizes are known, whatever the header said. */
  seal(size: number): void {
    if (this.#header) this.#header.dataBytes = this.extent(size).dataBytes
    this.#isSealed = true
  }

  /** A copy of the header with both sizes open, as for a pipe that data may still come through. */
  openHeader(size: number): Uint8Array {
    const copy = this.bytes.slice()
    const header = this.#header
    if (!header) return copy
    if (header.dataBytes === 0 || this.#isOpen(header, size - header.dataStart)) {
      setWavSizes(new DataView(copy.buffer), header, undefined)
    }
    return copy
  }
}
