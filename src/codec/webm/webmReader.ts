import { WavespoolError } from '../../errors.ts'
import { readBlock } from './block.ts'
import { elementsOf, readId, readSigned, readUnsigned, readVint } from './ebml.ts'

/** IDs of Matroska (RFC 9559), markers included. */
const ids = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  cluster: 0x1f43b675,
  clusterTimestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  discardPadding: 0x75a2,
  void: 0xec,
  crc32: 0xbf,
} as const

/** The elements whose children are read as if they stood alone, so that their sizes need not be known. */
const entered = new Set<number>([ids.segment, ids.cluster])
/** Elements of a segment or a cluster that are skipped: Info, Cues, SeekHead, Tags, Chapters, … */
const passed = new Set<number>([
  ids.ebml,
  0x1549a966,
  0x1c53bb6b,
  0x114d9b74,
  0x1254c367,
  0x1043a770,
  0x1941a469,
  0xa7,
  0xab,
  0x5854,
  0xaf,
  ids.void,
  ids.crc32,
  ids.clusterTimestamp,
])
const AUDIO = 2
const MAX_TRACKS_BYTES = 2 ** 22
const MAX_BLOCK_BYTES = 2 ** 22

export interface WebmTrack {
  number: number
  /** `A_OPUS`, `A_VORBIS`, … */
  codec: string
  codecPrivate: Uint8Array
}

export interface WebmListener {
  track(track: WebmTrack): void
  /** @param discard nanoseconds at the end of its last packet that are no part of the recording */
  packets(packets: Uint8Array[], discard: number): void
  /** bytes were skipped */
  gap(): void
}

/**
 * The packets of the first audio track of a WebM or Matroska stream, each as soon as its block is complete. Where bytes
 * are missing, it goes on at the next block or cluster that can be one.
 */
export class WebmReader {
  readonly #listener: WebmListener
  #buffer: Buffer = Buffer.alloc(0)
  #toSkip = 0
  #track: WebmTrack | undefined
  #isLost = false

  constructor(listener: WebmListener) {
    this.#listener = listener
  }

  push(bytes: Uint8Array): void {
    const skipped = Math.min(this.#toSkip, bytes.length)
    this.#toSkip -= skipped
    const rest = bytes.subarray(skipped)
    this.#buffer = this.#buffer.length > 0 ? Buffer.concat([this.#buffer, rest]) : Buffer.from(rest)
    let at = 0
    for (let next = this.#readAt(at); next !== undefined; next = this.#readAt(at)) at = next
    const excess = at - this.#buffer.length
    this.#toSkip += Math.max(0, excess)
    this.#buffer = excess >= 0 ? Buffer.alloc(0) : this.#buffer.subarray(at)
  }

  /** @returns where the next element begins; undefined where more bytes are needed */
  #readAt(at: number): number | undefined {
    const buffer = this.#buffer
    if (at >= buffer.length) return undefined
    const id = readId(buffer, at)
    if (id === undefined && buffer.length - at < 4 && buffer[at]! >= 0x10) return undefined
    const size = id && readVint(buffer, at + id.bytes)
    if (id !== undefined && size === undefined && buffer.length - at < 12) return undefined
    const kind = id && size && this.#kindOf(id.id, size.value, size.isUnknown)
    if (id === undefined || size === undefined || kind === undefined) return this.#resync(at)
    const start = at + id.bytes + size.bytes
    if (this.#isLost && !this.#isPlausible(id.id, start, size.value)) return this.#resync(at)
    if (kind === 'enter') {
      this.#isLost = false
      return start
    }
    const end = start + size.value
    if (kind === 'skip') return end
    if (end > buffer.length) return undefined
    const isSound = this.#take(id.id, buffer.subarray(start, end))
    if (!isSound) return this.#resync(at)
    this.#isLost = false
    return end
  }

  #kindOf(id: number, size: number, isUnknown: boolean): 'enter' | 'skip' | 'take' | undefined {
    if (entered.has(id)) return 'enter'
    if (isUnknown) return undefined
    if (id === ids.tracks) return size <= MAX_TRACKS_BYTES ? 'take' : undefined
    if (id === ids.simpleBlock || id === ids.blockGroup) return size <= MAX_BLOCK_BYTES ? 'take' : undefined
    return passed.has(id) && !this.#isLost ? 'skip' : undefined
  }

  /** Among lost bytes a block must also have the right track and flags. */
  #isPlausible(id: number, start: number, size: number): boolean {
    if (id === ids.cluster) return true
    if (id !== ids.simpleBlock || size < 5) return false
    const buffer = this.#buffer
    if (start + 4 > buffer.length) return true
    return buffer[start] === (0x80 | (this.#track?.number ?? 1)) && (buffer[start + 3]! & 0x70) === 0
  }

  #resync(at: number): number | undefined {
    if (!this.#isLost) {
      this.#isLost = true
      if (this.#track) this.#listener.gap()
    }
    const buffer = this.#buffer
    for (let next = at + 1; next < buffer.length; next++) {
      if (buffer[next] === ids.simpleBlock || buffer[next] === 0x1f) return next
    }
    return buffer.length
  }

  /** @returns false where its content does not fit its ID */
  #take(id: number, data: Uint8Array): boolean {
    if (id === ids.tracks) {
      this.#track ??= firstAudioTrack(data)
      if (this.#track === undefined) {
        throw new WavespoolError('ERR_WAVESPOOL_CODEC', 'this WebM stream has no audio track')
      }
      this.#listener.track(this.#track)
      return true
    }
    if (this.#track === undefined) return true
    let discard = 0
    let block: Uint8Array | undefined = data
    if (id === ids.blockGroup) {
      block = undefined
      for (const element of elementsOf(data)) {
        if (element.id === ids.block) block = element.data
        else if (element.id === ids.discardPadding) discard = readSigned(element.data)
      }
    }
    const read = block && readBlock(block)
    if (read === undefined) return false
    if (read.track === this.#track.number) this.#listener.packets(read.frames, Math.max(0, discard))
    return true
  }

  get hasTrack(): boolean {
    return this.#track !== undefined
  }
}

function firstAudioTrack(tracks: Uint8Array): WebmTrack | undefined {
  for (const { id, data } of elementsOf(tracks)) {
    if (id !== ids.trackEntry) continue
    const fields = new Map([...elementsOf(data)].map((each) => [each.id, each.data]))
    if (readUnsigned(fields.get(ids.trackType) ?? new Uint8Array(0)) !== AUDIO) continue
    return {
      number: readUnsigned(fields.get(ids.trackNumber) ?? new Uint8Array(0)),
      codec: Buffer.from(fields.get(ids.codecId) ?? '')
        .toString('latin1')
        .replace(/\0+$/, ''),
      codecPrivate: Uint8Array.from(fields.get(ids.codecPrivate) ?? []),
    }
  }
  return undefined
}
