import { decodingError } from '../decodingError.ts'
import { crc16 } from './crc.ts'
import {
  type FlacFrameHeader,
  fitsStream,
  MAX_FRAME_HEADER_BYTES,
  readFrameHeader,
  samplesBetween,
} from './frameHeader.ts'
import type { FlacFormat } from './streamInfo.ts'

/** Broken frames may cost so many bytes of work for each byte of the file, and as many again at its start. */
const MAX_WORK_PER_BYTE = 64
const MAX_WORK_BYTES = 2 ** 24
/** how often a broken frame is tried at places where its CRC is right by chance, each as work of so many bytes */
const MAX_TRIES = 4
const TRY_BYTES = 10_000

export interface FrameListener {
  /** @returns false where the frame cannot be decoded */
  frame(frame: Uint8Array): boolean
  /** bytes were skipped */
  loss(): void
}

/**
 * Cuts the frames out of a FLAC stream, in any chunking. A frame ends where its CRC is right and another one begins, or
 * the stream ends. Behind a broken frame it goes on at the next header.
 */
export class FrameScanner {
  readonly #format: FlacFormat
  readonly #listener: FrameListener
  #buffer: Buffer = Buffer.alloc(0)
  /** bytes at the start of the buffer that are in its CRC */
  #checked = 0
  #crc = 0
  /** the buffer begins where a sound frame ended */
  #isInSync = true
  #work = 0
  #maxWork = MAX_WORK_BYTES

  constructor(format: FlacFormat, listener: FrameListener) {
    this.#format = format
    this.#listener = listener
  }

  push(bytes: Uint8Array): void {
    this.#buffer = this.#buffer.length > 0 ? Buffer.concat([this.#buffer, bytes]) : Buffer.from(bytes)
    this.#maxWork += bytes.length * MAX_WORK_PER_BYTE
    for (let isMore = true; isMore; ) isMore = this.#readFrame(false) !== undefined
  }

  /** @returns whether the stream ends within a frame */
  end(): boolean {
    let isCut = false
    for (;;) {
      const wasInSync = this.#isInSync
      const isSound = this.#readFrame(true)
      if (isSound === undefined) return isCut || (wasInSync && isStart(this.#buffer))
      isCut = !isSound && (isCut || wasInSync)
    }
  }

  /** @returns whether the next frame is sound; undefined where none has come, or not all of it */
  #readFrame(isEnd: boolean): boolean | undefined {
    const header = this.#seek(isEnd)
    if (header === undefined) return undefined
    const end = this.#findEnd(header, isEnd)
    if (end === undefined) return undefined
    if (end !== 'broken' && this.#take(end)) return true
    if (this.#takeShorter(header)) return true
    this.#lose(1)
    return false
  }

  /** Moves the start of the buffer to the next header. */
  #seek(isEnd: boolean): FlacFrameHeader | undefined {
    const buffer = this.#buffer
    if (isTag(buffer)) return undefined
    for (let at = buffer.indexOf(0xff); at >= 0; at = buffer.indexOf(0xff, at + 1)) {
      if (!isEnd && at + MAX_FRAME_HEADER_BYTES > buffer.length) {
        this.#lose(at)
        return undefined
      }
      const header = this.#headerAt(at)
      if (header === undefined) continue
      this.#lose(at)
      return header
    }
    if (!isEnd && buffer.length <= TAG_BYTES && 'TAG'.startsWith(buffer.toString('latin1', 0, 3))) {
      return undefined
    }
    if (!(isEnd && isStart(buffer))) this.#lose(buffer.length)
    return undefined
  }

  #headerAt(at: number): FlacFrameHeader | undefined {
    const header = readFrameHeader(this.#buffer, at)
    return header && fitsStream(header, this.#format) ? header : undefined
  }

  /** @returns undefined where more bytes are needed */
  #findEnd(header: FlacFrameHeader, isEnd: boolean): number | 'broken' | undefined {
    const buffer = this.#buffer
    const from = Math.max(header.bytes + 2, this.#checked)
    for (let at = buffer.indexOf(0xff, from); at >= 0; at = buffer.indexOf(0xff, at + 1)) {
      if (!isEnd && at + MAX_FRAME_HEADER_BYTES > buffer.length) break
      this.#check(at)
      const next = this.#headerAt(at)
      if (next === undefined) continue
      if (this.#crc === 0) return at
      if (samplesBetween(header, next, this.#format) === 0) return 'broken'
    }
    if (!isEnd) {
      if (buffer.length <= this.#maxFrameBytes) return undefined
      this.#check(buffer.length)
      return 'broken'
    }
    const end = buffer.length - (isTag(buffer.subarray(-TAG_BYTES)) ? TAG_BYTES : 0)
    if (end >= this.#checked) this.#check(end)
    return this.#crc === 0 ? end : 'broken'
  }

  #check(end: number): void {
    this.#crc = crc16(this.#buffer, this.#checked, end, this.#crc)
    this.#checked = end
  }

  /** No frame has more bytes: those of the samples as they are, and of headers. */
  get #maxFrameBytes(): number {
    const { maxBlockSize, channels, bits } = this.#format
    return 2 * (Math.ceil((maxBlockSize * channels * (bits + 1)) / 8) + 1024) + MAX_FRAME_HEADER_BYTES
  }

  /** Takes a frame that bytes follow which are no frame. */
  #takeShorter(header: FlacFrameHeader): boolean {
    const end = this.#checked
    this.#spend(end)
    let crc = 0
    let tries = 0
    for (let at = 0; at < end && tries < MAX_TRIES; ) {
      crc = crc16(this.#buffer, at, at + 1, crc)
      at += 1
      if (crc !== 0 || at <= header.bytes + 2) continue
      if (this.#take(at)) return true
      tries += 1
      this.#spend(TRY_BYTES)
    }
    return false
  }

  #spend(bytes: number): void {
    this.#work += bytes
    if (this.#work <= this.#maxWork) return
    throw decodingError('this FLAC stream cannot be decoded any further: almost none of its frames is sound')
  }

  #take(end: number): boolean {
    if (!this.#listener.frame(this.#buffer.subarray(0, end))) return false
    this.#drop(end)
    this.#isInSync = true
    return true
  }

  #lose(bytes: number): void {
    if (bytes === 0) return
    this.#drop(bytes)
    this.#isInSync = false
    this.#listener.loss()
  }

  #drop(bytes: number): void {
    this.#buffer = this.#buffer.subarray(bytes)
    this.#checked = 0
    this.#crc = 0
  }
}

const TAG_BYTES = 128

/** ID3v1 stands behind some files. */
function isTag(bytes: Buffer): boolean {
  return bytes.length <= TAG_BYTES && bytes.toString('latin1', 0, 3) === 'TAG'
}

/** Whether a header may begin here of which the end is missing. */
function isStart(bytes: Buffer): boolean {
  const isShort = bytes.length > 0 && bytes.length < MAX_FRAME_HEADER_BYTES
  return isShort && bytes[0] === 0xff && (bytes.length === 1 || (bytes[1]! & 0xfe) === 0xf8)
}
