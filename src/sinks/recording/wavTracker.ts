import { markedKind } from '../../format/containers.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import { isChunkName, type WavHeader, wavHeaderParser } from '../../format/readWavHeader.ts'
import { findLayout } from '../../format/sampleLayout.ts'
import { OPEN_SIZE, setWavSizes } from '../../format/wavHeader.ts'
import { isOpenLength, isOpenSize, readBytes, riffEnd } from '../../format/wavLength.ts'
import { withLayout } from '../../format/wavReaderKernel.ts'

/** A header longer than this (which holds pictures, say) is left alone, as is everything that is no WAV. */
const MAX_HEADER_BYTES = 2 ** 26

/** How much too large a RIFF size may be that is believed: many writers count the eight bytes of its own head. */
const RIFF_SLACK = 8

/** What a file of some size holds at a moment. */
export interface WavExtent {
  /** bytes of samples, in whole frames */
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
 *
 * A length that is left open ({@link isOpenLength}), or that says more than the bytes present, goes to the end: its sizes
 * are put right. Any other length is believed, whatever follows the samples, and the header of a finished file is never
 * changed, but for a RIFF size that says nothing, or far more than is there.
 */
export class WavTracker {
  /** undefined while more bytes are needed to tell; null where it is no WAV, or none that can be put right */
  #header: WavHeader | null | undefined
  readonly #parser = wavHeaderParser()
  /** the sizes as they were declared, once the header has come; of a length that was open, what it became */
  #declared: DeclaredSizes = { dataBytes: 0, riffBytes: 0 }
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  /** the header as it was written */
  #original = new Uint8Array(0)
  #length = 0
  #isSealed = false
  #isNoWav = false
  #view = new DataView(new ArrayBuffer(0))

  /** Whether it has begun, and not as a WAV file begins: unlike {@link isWav}, one in an unknown encoding is one. */
  get isNoWav(): boolean {
    return this.#isNoWav
  }

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

  /** Bytes that are never torn apart: a frame as it lies in the file, or 1 where it holds no WAV. */
  get blockAlign(): number {
    return this.#header?.blockAlign ?? 1
  }

  /** The header with the sizes that {@link update} gave it; empty where it holds no WAV. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#header ? this.#bytes : this.#bytes.subarray(0, 0)
  }

  /** The header as it was written, as far as it has come: empty where it holds no WAV. */
  get original(): Uint8Array<ArrayBuffer> {
    return this.isDecided ? this.#original : this.#bytes.subarray(0, this.#length)
  }

  /** With the header itself, what a tracker in another thread needs to know: see {@link restore}. */
  get declared(): DeclaredSizes {
    return this.#declared
  }

  /** A tracker that knows what another one does, from a header whose sizes may have been put right meanwhile. */
  static restore(header: Uint8Array, { dataBytes, riffBytes }: DeclaredSizes, isSealed: boolean): WavTracker {
    const tracker = new WavTracker()
    tracker.offer(header)
    const found = tracker.#declared
    if (found.dataBytes !== dataBytes || found.riffBytes !== riffBytes) {
      tracker.#declare({ dataBytes, riffBytes })
    }
    tracker.#isSealed = isSealed
    return tracker
  }

  /** Says other sizes than those that came. */
  #declare(declared: DeclaredSizes): void {
    this.#declared = declared
    const { dataBytes, riffBytes } = declared
    const isOpen = !Number.isSafeInteger(dataBytes) || !Number.isSafeInteger(riffBytes)
    const sizes = isOpen ? undefined : { ...declared, bytesPerFrame: this.blockAlign }
    if (this.#header) setWavSizes(new DataView(this.#original.buffer), this.#header, sizes)
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
      this.#decide(header, seen.subarray(header.dataStart))
      const bytes = Uint8Array.from(seen.subarray(0, header.dataStart))
      this.#bytes = bytes
      this.#original = bytes.slice()
      this.#view = new DataView(bytes.buffer)
    } else if (fault !== undefined || seen.length > MAX_HEADER_BYTES) {
      this.#giveUp(seen)
    } else if (this.#length === 0) {
      this.#hold(chunk)
    }
  }

  #decide(header: WavHeader, samples: Uint8Array): void {
    this.#header = header
    this.#declared = { dataBytes: header.dataBytes, riffBytes: header.riffBytes }
    if (header.isAmbiguous) {
      this.#header = withLayout(header, findLayout(samples, header.isBigEndian, true)!)
    }
    // A file without samples of which no size tells the length, and something that is written behind it.
    if (header.dataBytes === 0 && isChunkName(samples)) this.#declared.riffBytes = header.dataStart
  }

  /** No more bytes will come: half a header is none. */
  giveUp(): void {
    if (this.#header === undefined) this.#giveUp(this.#bytes.subarray(0, this.#length))
  }

  #giveUp(seen: Uint8Array): void {
    this.#header = null
    this.#isNoWav = seen.length > 0 && markedKind(seen)?.container !== 'wav'
    this.#bytes = new Uint8Array(0)
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
    const { dataStart, blockAlign } = header
    const present = size - dataStart
    if (this.#isOpen(header, present)) {
      const dataBytes = present - (present % blockAlign)
      const isPadded = dataBytes % 2 === 1 && header.container !== 'W64'
      return { dataBytes, end: dataStart + dataBytes, pad: isPadded ? 1 : 0 }
    }
    const { dataBytes } = this.#declared
    const isPadded = dataBytes % 2 === 1 && header.container !== 'W64'
    const lacksPad = isPadded && present === dataBytes && !this.#endsAt(header, size)
    const read = Math.min(readBytes(header.container, dataBytes), present)
    return { dataBytes: read - (read % blockAlign), end: size, pad: lacksPad ? 1 : 0 }
  }

  /** Seconds of audio in a file of `size` bytes; undefined where it holds no WAV file in an encoding that is known. */
  duration(size: number): number | undefined {
    const { format, blockAlign } = this
    return format && this.extent(size).dataBytes / blockAlign / format.sampleRate
  }

  /** Position behind the last sample: the end where it holds no WAV. */
  dataEnd(size: number): number {
    const { dataBytes, end } = this.extent(size)
    return this.isWav ? Math.min(this.dataStart + dataBytes, end) : end
  }

  /** Whether RIFF's own size says that the file ends here. */
  #endsAt({ riffAt, dataStart }: WavHeader, size: number): boolean {
    return riffEnd({ riffAt, dataStart, ...this.#declared }) === size
  }

  #isOpen({ riffAt, dataStart }: WavHeader, present: number): boolean {
    if (this.#declared.dataBytes > present) return true
    // A recording can outgrow a size that means "not known yet".
    return !this.#isSealed && isOpenLength({ riffAt, dataStart, ...this.#declared })
  }

  /** Puts the sizes of a moment into the header's {@link bytes}. */
  update(size: number): void {
    this.#write(this.#bytes, this.#view, size, 0)
  }

  /** A copy of the header with the sizes of a moment, for a file that gets its pad byte at once unless told otherwise. */
  headerAt(size: number, pad = this.extent(size).pad): Uint8Array<ArrayBuffer> {
    const copy = this.bytes.slice()
    this.#write(copy, new DataView(copy.buffer), size, pad)
    return copy
  }

  #write(bytes: Uint8Array, view: DataView, size: number, pad: 0 | 1): void {
    const header = this.#header
    if (!header) return
    const { dataBytes, end } = this.extent(size)
    const fileBytes = end + pad
    const isBelieved = !this.#isOpen(header, size - header.dataStart)
    if (isBelieved && this.#isRiffBelieved(header, fileBytes)) {
      bytes.set(this.#original)
      return
    }
    const sizes = {
      dataBytes: isBelieved ? this.#declared.dataBytes : dataBytes,
      riffBytes: fileBytes - header.riffAt - 8,
      bytesPerFrame: header.blockAlign,
    }
    setWavSizes(view, header, sizes)
  }

  /** Of a recording that goes on, what follows the samples may still be on its way. */
  #isRiffBelieved({ riffAt, dataStart }: WavHeader, fileBytes: number): boolean {
    const { riffBytes } = this.#declared
    if (isOpenSize(riffBytes)) return false
    const tooMuch = riffEnd({ riffAt, dataStart, ...this.#declared }) - fileBytes
    return tooMuch <= (this.#isSealed ? RIFF_SLACK : 0)
  }

  /** The recording has ended at `size`: from now on the sizes are known, whatever the header said. */
  seal(size: number): void {
    const header = this.#header
    if (header && !this.#isSealed && this.#isOpen(header, size - header.dataStart)) {
      this.#declared = { dataBytes: this.extent(size).dataBytes, riffBytes: OPEN_SIZE }
    }
    this.#isSealed = true
  }

  /** The pad byte has found no room: a sealed file of `size` bytes ends behind its samples. */
  endUnpadded(size: number): void {
    const riffBytes = size - this.#header!.riffAt - 8
    this.#declare({ dataBytes: this.#declared.dataBytes, riffBytes })
  }

  /** A copy of the header with both sizes open, as for a pipe that data may still come through. */
  openHeader(size: number): Uint8Array<ArrayBuffer> {
    const header = this.#header
    const copy = this.#original.slice()
    if (header && this.#isOpen(header, size - header.dataStart)) {
      setWavSizes(new DataView(copy.buffer), header, undefined)
    }
    return copy
  }
}
