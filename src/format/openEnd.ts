import { fourCC, isPrintable } from './fields.ts'
import { type Parsing, PushParser, skip, take } from './pushParser.ts'
import { isRiff, nextChunk } from './riffChunk.ts'

/** Chunks behind a `data` of 0 that are longer, all together, are taken for samples: a reader of a stream holds them. */
const MAX_CHAIN_BYTES = 2 ** 20

/** The fields of a header that tell what may follow its samples. */
interface OpenHeader {
  dataBytes: number
  isBigEndian: boolean
}

/**
 * Finds the end of samples whose length the header leaves open, in bytes as they come. Another WAV file ends them. A
 * `data` of 0 is a file without samples where nothing but chunks follow: a chain of printable names and of sizes that
 * ends exactly at the end of the file, or where another WAV file begins. Everything else is samples up to the end.
 *
 * All that read or repair a file share this rule: the reader of a stream, the virtual file, `info` and `repair`.
 */
export class OpenEnd {
  /** bytes that are samples in any case */
  certainBytes = 0
  /** bytes of samples, where they end in front of something else */
  dataBytes: number | undefined
  /** bytes of the samples and of the chunks behind them, where they end in front of something else */
  fileBytes: number | undefined
  /** bytes that were pushed */
  pushedBytes = 0
  #chain: ChunkChain | undefined
  /** bytes in front of which no other file begins */
  #searchedBytes = 0
  /** the first bytes of what may be the header of another file */
  #held: Uint8Array = NOTHING
  #nextAt: number | undefined

  constructor({ dataBytes, isBigEndian }: OpenHeader) {
    if (dataBytes === 0) this.#chain = new ChunkChain(isBigEndian)
  }

  /** Takes the next bytes behind the header. */
  push(bytes: Uint8Array): void {
    if (this.dataBytes !== undefined) return
    this.pushedBytes += bytes.length
    this.#search(bytes)
    if (this.#chain !== undefined) {
      this.#chain.push(bytes)
      if (!this.#chain.isDone) return
    }
    this.#decide()
  }

  /** No more bytes will come: the file ends here. */
  finish(): void {
    if (this.dataBytes !== undefined) return
    this.#searchedBytes = this.pushedBytes
    this.#decide()
  }

  #decide(): void {
    if (this.#chain?.isWhole) {
      this.dataBytes = 0
      this.fileBytes = this.#chain.isDone ? this.#chain.bytes : this.pushedBytes
    } else if (this.#nextAt !== undefined) {
      this.dataBytes = this.fileBytes = this.#nextAt
    }
    this.#chain = undefined
    this.certainBytes = this.dataBytes ?? this.#searchedBytes
  }

  #search(bytes: Uint8Array): void {
    if (this.#nextAt !== undefined) return
    const seen = this.#held.length > 0 ? Buffer.concat([this.#held, bytes]) : bytes
    const { at, isWhole } = findNextWav(seen)
    this.#searchedBytes = this.pushedBytes - seen.length + at
    if (isWhole) this.#nextAt = this.#searchedBytes
    else this.#held = at < seen.length ? Uint8Array.from(seen.subarray(at)) : NOTHING
  }
}

/** Chunks that follow one another, as far as they have come. */
class ChunkChain {
  /** bytes of the chunks that have begun, with the pad bytes between them */
  bytes = 0
  #isOdd = false
  #pushedBytes = 0
  /** true where another WAV file follows */
  readonly #parser: PushParser<boolean>

  constructor(isBigEndian: boolean) {
    this.#parser = new PushParser(this.#parse(isBigEndian))
  }

  push(bytes: Uint8Array): void {
    this.#pushedBytes += bytes.length
    this.#parser.push(bytes)
  }

  /** whether no more chunks can follow */
  get isDone(): boolean {
    return this.#parser.isDone
  }

  /** whether all the bytes so far are chunks, each of them whole */
  get isWhole(): boolean {
    if (this.isDone) return this.#parser.result === true
    const rest = this.#pushedBytes - this.bytes
    return this.#pushedBytes > 0 && (rest === 0 || (rest === 1 && this.#isOdd))
  }

  *#parse(isBigEndian: boolean): Parsing<boolean> {
    for (;;) {
      const { id, size, headBytes } = yield* nextChunk(this.#isOdd, isBigEndian)
      if (!isPrintable(id)) return false
      if (isRiff(id) && fourCC(yield* take(4)) === 'WAVE') {
        this.bytes += headBytes - 8
        return true
      }
      this.bytes += headBytes + size
      this.#isOdd = size % 2 === 1
      if (this.bytes > MAX_CHAIN_BYTES) return false
      yield* skip(isRiff(id) ? Math.max(0, size - 4) : size)
    }
  }
}

const RIFF = Buffer.from('RIFF')
const WAVE = Buffer.from('WAVE')
const NOTHING = new Uint8Array(0)
/** "RIFF", four bytes of size, "WAVE": more than once in 2^64 bytes no samples look like that. */
const HEAD_BYTES = 12

/** Where the header of another WAV file begins, whole or as far as it has come; the length where none does. */
function findNextWav(samples: Uint8Array): { at: number; isWhole: boolean } {
  const buffer = Buffer.isBuffer(samples)
    ? samples
    : Buffer.from(samples.buffer, samples.byteOffset, samples.length)
  let at = buffer.indexOf(RIFF)
  for (; at >= 0 && at + HEAD_BYTES <= buffer.length; at = buffer.indexOf(RIFF, at + 1)) {
    if (isAt(buffer, at + 8, WAVE)) return { at, isWhole: true }
  }
  if (at >= 0 && isAt(buffer, at + 8, WAVE)) return { at, isWhole: false }
  for (let tail = Math.max(0, buffer.length - 3); tail < buffer.length; tail++) {
    if (buffer[tail] === RIFF[0] && isAt(buffer, tail, RIFF)) return { at: tail, isWhole: false }
  }
  return { at: buffer.length, isWhole: false }
}

/** Whether these bytes stand there, as far as there are bytes. */
function isAt(buffer: Buffer, at: number, bytes: Buffer): boolean {
  return bytes.every((byte, i) => at + i >= buffer.length || buffer[at + i] === byte)
}
