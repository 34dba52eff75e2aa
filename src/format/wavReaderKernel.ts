import { WavespoolError } from '../errors.ts'
import type { InfoTags } from './infoTags.ts'
import { OpenEnd } from './openEnd.ts'
import { type PcmFormat, pcmFormat } from './pcmFormat.ts'
import type { PushParser } from './pushParser.ts'
import { type HeaderProgress, type WavInfo, wavHeaderParser } from './readWavHeader.ts'
import { findLayout, type SampleLayout, unpackSamples } from './sampleLayout.ts'
import { type NextWav, trailingTagsParser } from './trailingTags.ts'
import { unknownEncodingError } from './wavCodecs.ts'
import { isOpenLength, readBytes } from './wavLength.ts'
import { type Output, WholeFrames } from './wholeFrames.ts'

/** Samples that were announced and did not come, in bytes as they lie in the file. */
export interface Truncation {
  /** bytes of samples that the header announces; where it leaves the length open, up to the end of the frame begun */
  expectedBytes: number
  /** bytes of samples that came, in whole frames */
  bytes: number
}

/** More samples than this are not held to find out how they lie. */
const MAX_HELD = 2 ** 20

/**
 * A WAV file, in any pieces, becomes its samples: the one reader of the package, behind which a stage, a replay and the
 * views of a file stand. Puts out whole frames in {@link format}.
 */
export class WavReaderKernel {
  /** called before the first sample is put out, for each file that follows too */
  onFormat: (format: PcmFormat) => void = () => {}
  /** called at the end of a stream that lacks samples */
  onTruncated: (truncation: Truncation) => void = () => {}
  /** called where another WAV file follows; whether it is to be read */
  onNext: () => boolean = () => false
  truncation: Truncation | undefined
  /** the file's header, right or wrong, as soon as it is known how the samples lie */
  header: WavInfo | undefined
  /** those in front of the samples, and, as they come by, those behind them */
  tags: InfoTags = {}
  #isStopped = false
  #progress: HeaderProgress = {}
  #parser = wavHeaderParser(this.#progress)
  #frames: WholeFrames | undefined
  /** whether it is unknown how the samples lie in the first bytes of them, which are held */
  #isUndecided = false
  /** bytes that wait for those behind them, which tell whether they are samples and how they lie */
  #held: Uint8Array[] = []
  /** where the header leaves the length open */
  #openEnd: OpenEnd | undefined
  /** bytes of samples that came */
  #taken = 0
  /** bytes of samples that are still to come */
  #remaining = 0
  #trailer: PushParser<NextWav | null> | undefined
  #isDone = false

  /** the format that comes out; undefined until it is known */
  get format(): PcmFormat | undefined {
    return this.#isUndecided ? undefined : this.header?.format
  }

  /** whether nothing that follows could matter */
  get isDone(): boolean {
    return this.#isDone
  }

  /** whether all samples have come that the header announces */
  get hasAllSamples(): boolean {
    return this.#frames !== undefined && this.#remaining === 0
  }

  /** bytes that come next and need not be pushed: a caller that can seek calls {@link pass} instead */
  get skippable(): number {
    return this.header === undefined ? this.#parser.skippable : (this.#trailer?.skippable ?? 0)
  }

  pass(count: number): void {
    if (this.header === undefined) this.#parser.pass(count)
    else this.#trailer!.pass(count)
  }

  /** How many of so many bytes behind the header are samples. */
  samplesIn(bytes: number): number {
    return Math.min(this.#remaining + this.#taken, bytes)
  }

  push(bytes: Uint8Array, out: Output): void {
    for (let rest: Uint8Array | undefined = bytes; rest !== undefined && rest.length > 0; ) {
      const at = this.header === undefined ? this.#readHeader(rest) : 0
      if (at === rest.length) return
      rest = this.#readSamples(at === 0 ? rest : rest.subarray(at), out)
    }
  }

  #readHeader(bytes: Uint8Array): number {
    const at = this.#parser.push(bytes)
    const { header, fault } = this.#parser.result ?? {}
    if (fault !== undefined) throw new WavespoolError('ERR_WAVESPOOL_WAV', fault)
    if (header === undefined) return at
    if (header.format === undefined) throw unknownEncodingError(header)
    this.header = header
    this.tags = { ...header.tags }
    this.#openEnd = isOpenLength(header) ? new OpenEnd(header) : undefined
    this.#remaining = this.#openEnd ? Number.POSITIVE_INFINITY : readBytes(header.container, header.dataBytes)
    this.#taken = 0
    this.#isUndecided = header.isAmbiguous
    if (!this.#isUndecided) this.#decide(header)
    return at
  }

  #decide(header: WavInfo): void {
    this.#isUndecided = false
    this.#frames = new WholeFrames({ bytesPerFrame: header.blockAlign })
    this.onFormat(header.format!)
  }

  /** @returns the bytes of another file that follows and is to be read */
  #readSamples(bytes: Uint8Array, out: Output): Uint8Array | undefined {
    if (this.#isDone) return undefined
    this.#openEnd?.push(bytes)
    if (this.#openEnd?.certainBytes === this.#taken && this.#openEnd.dataBytes === undefined) {
      this.#hold(bytes)
      return undefined
    }
    return this.#take(this.#held.length > 0 ? Buffer.concat([...this.#held, bytes]) : bytes, out, false)
  }

  /** Puts out those of the bytes that are samples, holds those of which it is not known, and reads those behind them. */
  #take(bytes: Uint8Array, out: Output, isLast: boolean): Uint8Array | undefined {
    this.#held = []
    const { dataBytes, certainBytes } = this.#openEnd ?? {}
    if (dataBytes !== undefined) this.#remaining = dataBytes - this.#taken
    const known = certainBytes === undefined ? this.#remaining : (dataBytes ?? certainBytes) - this.#taken
    const samples = bytes.subarray(0, Math.min(known, bytes.length))
    if (this.#isUndecided && !this.#findLayout(samples, isLast)) {
      this.#hold(bytes)
      return undefined
    }
    this.#put(samples, out)
    if (samples.length === bytes.length) return undefined
    const rest = bytes.subarray(samples.length)
    if (this.#remaining === 0) return this.#readTrailer(rest)
    this.#hold(rest)
    return undefined
  }

  #hold(bytes: Uint8Array): void {
    this.#held.push(Uint8Array.from(bytes)) // the caller may fill its memory anew
  }

  /** Looks at the first samples. @returns whether they tell how they lie */
  #findLayout(samples: Uint8Array, isLast: boolean): boolean {
    const header = this.header!
    const isAll = isLast || samples.length === this.#remaining || samples.length >= MAX_HELD
    const layout = findLayout(samples, header.isBigEndian, isAll)
    if (layout === undefined) return false
    this.header = withLayout(header, layout)
    this.#decide(this.header)
    return true
  }

  #put(samples: Uint8Array, out: Output): void {
    this.#taken += samples.length
    this.#remaining -= samples.length
    if (samples.length === 0) return
    const { format, blockAlign, isBigEndian } = this.header!
    const stored = blockAlign / format!.channels
    const wanted = format!.bytesPerSample
    if (stored === wanted && !isBigEndian) this.#frames!.push(samples, out)
    else {
      const unpacked = {
        push: (bytes: Uint8Array) => out.push(unpackSamples(bytes, stored, wanted, isBigEndian)),
      }
      this.#frames!.push(samples, unpacked)
    }
  }

  #readTrailer(bytes: Uint8Array): Uint8Array | undefined {
    const isOdd = this.#taken % 2 === 1 && this.#openEnd === undefined
    this.#trailer ??= trailingTagsParser(this.tags, isOdd, this.header!.isBigEndian)
    const used = this.#trailer.push(bytes)
    const { result, isDone } = this.#trailer
    if (!isDone) return undefined
    this.#isDone = true
    if (!result || !this.onNext()) return undefined
    this.#begin()
    return Buffer.concat([result.start, bytes.subarray(used)])
  }

  /** Makes ready for another file. */
  #begin(): void {
    this.#isDone = false
    this.#trailer = undefined
    this.header = undefined
    this.#parser = wavHeaderParser(this.#progress)
  }

  /** The stream is ended on purpose. */
  stop(): void {
    this.#isStopped = true
  }

  flush(out: Output): void {
    this.#openEnd?.finish()
    const held = this.#held
    const next = held.length > 0 ? this.#take(Buffer.concat(held), out, true) : undefined
    if (next !== undefined) {
      this.push(next, out)
      this.flush(out)
      return
    }
    if (this.#isStopped) return // where it ends is no news
    if (this.header === undefined) {
      throw noSamplesError(this.#progress)
    }
    if (this.#isUndecided) {
      this.header = withLayout(this.header, 'packed')
      this.#decide(this.header)
    }
    this.truncation = this.#missing(this.header)
    if (this.truncation !== undefined) this.onTruncated(this.truncation)
  }

  #missing({ dataBytes, blockAlign }: WavInfo): Truncation | undefined {
    const rest = this.#taken % blockAlign
    const bytes = this.#taken - rest
    if (this.#openEnd === undefined) {
      return bytes < dataBytes - (dataBytes % blockAlign) ? { expectedBytes: dataBytes, bytes } : undefined
    }
    const isPadByte = rest === 1 && bytes % 2 === 1
    return rest === 0 || isPadByte ? undefined : { expectedBytes: bytes + blockAlign, bytes }
  }
}

export function noSamplesError({ container }: HeaderProgress): WavespoolError {
  const kind = container === 'RIFX' ? 'RIFX' : 'WAV'
  return new WavespoolError('ERR_WAVESPOOL_WAV', `this ${kind} file ends before its samples begin`)
}

/** The header of a file of which the samples have told how they lie. */
export function withLayout(header: WavInfo, layout: SampleLayout): WavInfo {
  const { sampleRate, channels } = header.format!
  const format = pcmFormat({ sampleRate, channels, encoding: layout === 'left' ? 's32le' : 's24le' })
  return { ...header, format, blockAlign: (layout === 'packed' ? 3 : 4) * channels, isAmbiguous: false }
}
