import { markedKind } from '../../format/containers.ts'
import { OpenEnd } from '../../format/openEnd.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import { type WavInfo, wavHeaderParser } from '../../format/readWavHeader.ts'
import { findLayout } from '../../format/sampleLayout.ts'
import { isOpenLength, isOpenSize, readBytes, riffEnd } from '../../format/wavLength.ts'
import { withLayout } from '../../format/wavReaderKernel.ts'
import { OPEN_SIZE, setWavSizes } from '../../format/wavSizes.ts'
import type { DeclaredSizes, FileExtent, HeaderTracker } from './headerTracker.ts'

/** A header longer than this (which holds pictures, say) is left alone, as is everything that is no WAV. */
const MAX_HEADER_BYTES = 2 ** 26

/** How much too large a RIFF size may be that is believed: many writers count the eight bytes of its own head. */
const RIFF_SLACK = 8

/**
 * Looks for a WAV header in the bytes that are written, by any writer, and knows at every moment its right sizes.
 *
 * A length that is left open ({@link isOpenLength}), or that says more than the bytes present, goes to the end: its sizes
 * are put right. Any other length is believed, with any bytes behind the samples, and the header of a finished file is never
 * changed, except for a RIFF size that says nothing, or far more than the bytes present.
 */
export class WavTracker implements HeaderTracker {
  /** undefined while more bytes are needed to tell; null where it is no WAV, or none that can be put right */
  #header: WavInfo | null | undefined
  readonly #parser = wavHeaderParser()
  /** the sizes as they were declared, once the header has come; of a length that was open, what it became */
  #declared: DeclaredSizes = { dataBytes: 0, riffBytes: 0 }
  /** the header as it was written; until it is decided with room behind {@link #length} */
  #original: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #length = 0
  /** where the header leaves the length open, until something behind the samples ends them */
  #openEnd: OpenEnd | undefined
  /** whether something behind the samples has ended a length that was open */
  #isFollowed = false
  #isSealed = false
  #isNoWav = false
  readonly #isMade: boolean

  /** @param isMade whether a stage of Wavespool makes the file of samples: then nothing but samples follows its header */
  constructor(isMade = false) {
    this.#isMade = isMade
  }

  get isNoWav(): boolean {
    return this.#isNoWav
  }

  get isDecided(): boolean {
    return this.#header !== undefined
  }

  get wantsBytes(): boolean {
    return !this.isDecided || this.#openEnd !== undefined
  }

  get isWav(): boolean {
    return this.#header != null
  }

  get format(): PcmFormat | undefined {
    return this.#header?.format
  }

  get dataStart(): number {
    return this.#header?.dataStart ?? 0
  }

  get blockAlign(): number {
    return this.#header?.blockAlign ?? 1
  }

  get declared(): DeclaredSizes {
    return this.#declared
  }

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
    const isUnknown = !Number.isSafeInteger(dataBytes) || !Number.isSafeInteger(riffBytes)
    const sizes = isUnknown ? undefined : { ...declared, bytesPerFrame: this.blockAlign }
    if (this.#header) setWavSizes(new DataView(this.#original.buffer), this.#header, sizes)
  }

  offer(chunk: Uint8Array): void {
    if (this.#header !== undefined) {
      if (this.#openEnd !== undefined) this.#watch(chunk)
      return
    }
    let seen = chunk
    if (this.#length > 0) {
      this.#hold(chunk)
      seen = this.#original.subarray(0, this.#length)
    }
    this.#parser.push(chunk)
    const { header, fault } = this.#parser.result ?? {}
    if (header !== undefined) {
      this.#original = Uint8Array.from(seen.subarray(0, header.dataStart))
      this.#decide(header, seen.subarray(header.dataStart))
    } else if (fault !== undefined || seen.length > MAX_HEADER_BYTES) {
      this.#giveUp(seen)
    } else if (this.#length === 0) {
      this.#hold(chunk)
    }
  }

  #decide(header: WavInfo, samples: Uint8Array): void {
    this.#header = header
    this.#declared = { dataBytes: header.dataBytes, riffBytes: header.riffBytes }
    if (header.isAmbiguous) {
      this.#header = withLayout(header, findLayout(samples, header.isBigEndian, true)!)
    }
    if (!this.#isMade && isOpenLength(header)) {
      this.#openEnd = new OpenEnd(header)
      this.#watch(samples)
    }
  }

  /** Looks for the end of samples whose length is open. */
  #watch(bytes: Uint8Array): void {
    this.#openEnd!.push(bytes)
    this.#endOpen()
  }

  /** Where something else follows the samples, the length is open no more. */
  #endOpen(): void {
    const { dataBytes, fileBytes } = this.#openEnd ?? {}
    if (dataBytes === undefined || fileBytes === undefined) return
    const { dataStart, riffAt } = this.#header!
    this.#isFollowed = true
    this.#openEnd = undefined
    const end = dataStart + fileBytes
    const declaredEnd = riffEnd({ riffAt, dataStart, ...this.#declared })
    const isRiffRight = declaredEnd >= dataStart + dataBytes && declaredEnd <= end
    this.#declare({ dataBytes, riffBytes: (isRiffRight ? declaredEnd : end) - riffAt - 8 })
  }

  giveUp(size = 0): void {
    if (this.#header && this.#openEnd?.pushedBytes === size - this.#header.dataStart) {
      this.#openEnd.finish()
      this.#endOpen()
    }
    if (this.#header === undefined) this.#giveUp(this.#original.subarray(0, this.#length))
  }

  #giveUp(seen: Uint8Array): void {
    this.#header = null
    this.#isNoWav = seen.length > 0 && markedKind(seen)?.container !== 'wav'
    this.#original = new Uint8Array(0)
  }

  #hold(chunk: Uint8Array): void {
    const length = this.#length + chunk.length
    if (length > this.#original.length) {
      const larger = new Uint8Array(Math.max(256, length * 2))
      larger.set(this.#original.subarray(0, this.#length))
      this.#original = larger
    }
    this.#original.set(chunk, this.#length)
    this.#length = length
  }

  extent(size: number): FileExtent {
    const header = this.#header
    if (!header || size < header.dataStart) return { dataEnd: size, end: size, pad: 0 }
    const { dataStart, blockAlign } = header
    const present = size - dataStart
    const isUnknown = this.#isUnknown(header, present)
    const { container } = header
    const dataBytes = isUnknown ? present - (present % blockAlign) : this.#declared.dataBytes
    const isPadded = dataBytes % 2 === 1 && container !== 'W64'
    if (isUnknown) {
      const end = dataStart + dataBytes
      return { dataEnd: end, end, pad: isPadded ? 1 : 0 }
    }
    const lacksPad = isPadded && present === dataBytes && !this.#endsAt(header, size)
    const read = Math.min(readBytes(container, dataBytes), present)
    return { dataEnd: dataStart + read - (read % blockAlign), end: size, pad: lacksPad ? 1 : 0 }
  }

  /** Whether RIFF's own size says that the file ends here. */
  #endsAt({ riffAt, dataStart }: WavInfo, size: number): boolean {
    return riffEnd({ riffAt, dataStart, ...this.#declared }) === size
  }

  #isUnknown({ riffAt, dataStart }: WavInfo, present: number): boolean {
    if (this.#declared.dataBytes > present) return true
    // A recording can outgrow a size that means "not known yet".
    return !this.#isSealed && !this.#isFollowed && isOpenLength({ riffAt, dataStart, ...this.#declared })
  }

  headerAt(size: number, pad = this.extent(size).pad): Uint8Array<ArrayBuffer> {
    const header = this.#header
    if (header === undefined || size < this.dataStart) {
      return this.#original.slice(0, header ? size : Math.min(size, this.#length))
    }
    const copy = this.#original.slice()
    if (header !== null) this.#putSizes(copy, header, size, pad)
    return copy
  }

  finalHeader(size: number): Uint8Array | undefined {
    return this.isWav ? this.headerAt(size, 0) : undefined
  }

  #putSizes(bytes: Uint8Array<ArrayBuffer>, header: WavInfo, size: number, pad: 0 | 1): void {
    const { dataStart, riffAt, blockAlign } = header
    const { dataEnd, end } = this.extent(size)
    const fileBytes = end + pad
    const isBelieved = !this.#isUnknown(header, size - dataStart)
    if (isBelieved && this.#isRiffBelieved(header, fileBytes)) return
    const sizes = {
      dataBytes: isBelieved ? this.#declared.dataBytes : dataEnd - dataStart,
      riffBytes: fileBytes - riffAt - 8,
      bytesPerFrame: blockAlign,
    }
    setWavSizes(new DataView(bytes.buffer), header, sizes)
  }

  /** Of a recording that goes on, what follows the samples may still be on its way. */
  #isRiffBelieved({ riffAt, dataStart }: WavInfo, fileBytes: number): boolean {
    const { riffBytes } = this.#declared
    if (isOpenSize(riffBytes)) return false
    const tooMuch = riffEnd({ riffAt, dataStart, ...this.#declared }) - fileBytes
    return tooMuch <= (this.#isSealed ? RIFF_SLACK : 0)
  }

  seal(size: number): void {
    const header = this.#header
    if (header && !this.#isSealed && this.#isUnknown(header, size - header.dataStart)) {
      this.#declared = { dataBytes: this.extent(size).dataEnd - header.dataStart, riffBytes: OPEN_SIZE }
    }
    this.#isSealed = true
  }

  endUnpadded(size: number): void {
    const riffBytes = size - this.#header!.riffAt - 8
    this.#declare({ dataBytes: this.#declared.dataBytes, riffBytes })
  }

  unknownSizeHeader(size: number): Uint8Array<ArrayBuffer> {
    const header = this.#header
    const copy = this.#original.slice()
    if (header && this.#isUnknown(header, size - header.dataStart)) {
      setWavSizes(new DataView(copy.buffer), header, undefined)
    }
    return copy
  }
}
