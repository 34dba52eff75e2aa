import { WavespoolError } from '../errors.ts'
import { type Encoding, encodingOf } from './encoding.ts'
import { type InfoTags, readInfoTags } from './infoTags.ts'
import { type PcmFormat, pcmFormat } from './pcmFormat.ts'
import { type Parsing, PushParser, skip, take } from './pushParser.ts'
import { DS64_BYTES, OPEN_SIZE, subFormatTail, type WavSizeFields } from './wavHeader.ts'

/** What stands in front of the samples of a WAV file. */
export interface WavHeader extends WavSizeFields {
  container: 'RIFF' | 'RF64'
  /** undefined where the samples are in an encoding that Wavespool does not know (ADPCM, say) */
  format: PcmFormat | undefined
  /** wFormatTag, or that of the SubFormat */
  formatTag: number
  /** wBitsPerSample */
  bitsPerSample: number
  /** nBlockAlign: bytes that belong together */
  blockAlign: number
  /** position of the first sample */
  dataStart: number
  /** the size of the data as the header has it, right or wrong */
  dataBytes: number
  /** the size behind the RIFF chunk's size field as the header has it, right or wrong */
  riffBytes: number
  /** `LIST INFO` in front of the samples: INAM title, IART artist, ISFT software … */
  tags: InfoTags
}

/** `{ header }` when all of it is there, `{ fault }` when it can be none, else neither: more bytes are needed. */
export interface WavHeaderScan {
  header?: WavHeader
  fault?: string
}

/**
 * Reads a WAV header, up to the first sample: RIFF and RF64, plain and extensible formats, chunks in any order in
 * front of `data`, odd chunks with their pad byte and without.
 *
 * @returns undefined when the header goes on behind these bytes
 * @throws {WavespoolError} `ERR_WAVESPOOL_WAV` when this is no WAV file
 */
export function readWavHeader(bytes: Uint8Array): WavHeader | undefined {
  const { header, fault } = scanWavHeader(bytes)
  if (fault !== undefined) throw new WavespoolError('ERR_WAVESPOOL_WAV', fault)
  return header
}

/** {@link readWavHeader} without the exception. */
export function scanWavHeader(bytes: Uint8Array): WavHeaderScan {
  const parser = wavHeaderParser()
  parser.push(bytes)
  return parser.result ?? {}
}

/** {@link scanWavHeader} for bytes that come in pieces: it uses them up to the first sample, and looks at each once. */
export function wavHeaderParser(): PushParser<WavHeaderScan> {
  return new PushParser(parseHeader())
}

/**
 * For what stands behind the samples: looks for more tags to the end of the file, and takes nothing amiss.
 *
 * @param isOdd whether an odd number of bytes went before, so that a pad byte should follow
 */
export function trailingTagsParser(tags: InfoTags, isOdd: boolean): PushParser<never> {
  return new PushParser(parseTrailingTags(tags, isOdd))
}

/** How far below 2^31 or 2^32 a size may lie that means "not known yet": two of the largest frames. */
const OPEN_BAND = 2 ** 14

/**
 * Whether a size is one of those with which writers into a pipe say "not known yet": 0, the end of 31 bits (arecord
 * 0x80000000, sox the last whole frame up to 0x7FFFF000), of 32 bits (ffmpeg 0xFFFFFFFF, npm `wav` 2^32 - 101), or of
 * more.
 */
export function isOpenSize(bytes: number): boolean {
  return (
    bytes === 0 ||
    (bytes > 2 ** 31 - OPEN_BAND && bytes <= 2 ** 31) ||
    (bytes > 2 ** 32 - OPEN_BAND && bytes < 2 ** 32) ||
    !Number.isSafeInteger(bytes)
  )
}

function* parseHeader(): Parsing<WavHeaderScan> {
  const container = fourCC(yield* take(4))
  if (container !== 'RIFF' && container !== 'RF64') {
    return {
      fault:
        container === 'RIFX'
          ? 'this is a RIFX file, whose numbers are big-endian; convert it to RIFF first (sox in.wav -L out.wav)'
          : `this is no WAV file: it begins with ${JSON.stringify(container)} instead of "RIFF" or "RF64"`,
    }
  }
  let riffBytes = u32(yield* take(4))
  const form = fourCC(yield* take(4))
  if (form !== 'WAVE') return { fault: `this RIFF file holds ${JSON.stringify(form)}, not "WAVE"` }

  const tags: InfoTags = {}
  let room = MAX_TAGS_BYTES
  let fmt: Fmt | undefined
  let factAt: number | undefined
  let ds64: { at: number; riffBytes: number; dataBytes: number } | undefined
  for (let at = 12, isOdd = false; ; ) {
    const { id, size, headBytes }: ChunkHead = yield* nextChunk(isOdd)
    const body: number = at + headBytes
    if (id === 'data') {
      if (fmt === undefined) return { fault: 'this WAV file has no fmt chunk in front of its data' }
      const is64 = container === 'RF64' && ds64 !== undefined
      if (is64 && riffBytes === OPEN_SIZE) riffBytes = ds64!.riffBytes
      const dataBytes = is64 && size === OPEN_SIZE ? ds64!.dataBytes : size
      const fields = { ds64At: ds64?.at, factAt, dataSizeAt: body - 4 }
      return { header: { container, ...fmt, ...fields, dataStart: body, dataBytes, riffBytes, tags } }
    }
    let seen = 0
    if (id === 'fmt ') {
      seen = Math.min(size, 40)
      const read = readFmt(yield* take(seen), size)
      if (typeof read === 'string') return { fault: read }
      fmt = read
    } else if (id === 'fact' && size >= 4) {
      factAt = body
    } else if ((id === 'ds64' || (id === 'JUNK' && at === 12)) && size >= DS64_BYTES) {
      seen = 16
      const sizes = yield* take(seen)
      ds64 = { at: body, riffBytes: u64(sizes, 0), dataBytes: u64(sizes, 8) } // riffSize, dataSize
    } else if (id === 'LIST') {
      seen = yield* readList(size, tags, room)
      room -= seen
    }
    yield* skip(size - seen)
    at = body + size
    isOdd = size % 2 === 1
  }
}

function* parseTrailingTags(tags: InfoTags, startsOdd: boolean): Parsing<never> {
  let room = MAX_TAGS_BYTES
  for (let isOdd = startsOdd; ; ) {
    const { id, size } = yield* nextChunk(isOdd)
    const seen = id === 'LIST' ? yield* readList(size, tags, room) : 0
    room -= seen
    yield* skip(size - seen)
    isOdd = size % 2 === 1
  }
}

interface ChunkHead {
  id: string
  size: number
  /** bytes from the end of the chunk before to this one's body */
  headBytes: number
}

function* nextChunk(isOdd: boolean): Parsing<ChunkHead> {
  if (!isOdd) {
    const head = yield* take(8)
    return { id: fourCC(head), size: u32(head, 4), headBytes: 8 }
  }
  // Some writers leave out the pad byte behind an odd chunk: then the next one's name stands where it should be.
  const start = yield* take(5)
  if (isChunkName(start) && !isChunkName(start.subarray(1))) {
    const id = fourCC(start)
    const sizeStart = start[4]!
    return { id, size: u32(Uint8Array.of(sizeStart, ...(yield* take(3)))), headBytes: 8 }
  }
  const id = fourCC(start, 1)
  return { id, size: u32(yield* take(4)), headBytes: 9 }
}

/** More than this, in all, is no text about a recording. */
const MAX_TAGS_BYTES = 2 ** 16

/** Reads the tags of a LIST chunk where there is room for it; returns how many of its bytes were taken. */
function* readList(size: number, tags: InfoTags, room: number): Parsing<number> {
  if (size < 4 || size > room) return 0
  if (fourCC(yield* take(4)) !== 'INFO') return 4
  readInfoTags(yield* take(size - 4), tags)
  return size
}

type Fmt = Pick<WavHeader, 'format' | 'formatTag' | 'bitsPerSample' | 'blockAlign'>

function readFmt(bytes: Uint8Array, size: number): Fmt | string {
  if (size < 16) return `the fmt chunk of this WAV file is ${size} bytes long; it needs 16`
  const view = viewOf(bytes)
  const tag = view.getUint16(0, true) // wFormatTag
  const channels = view.getUint16(2, true) // nChannels
  const sampleRate = view.getUint32(4, true) // nSamplesPerSec
  const blockAlign = view.getUint16(12, true) // nBlockAlign
  const bitsPerSample = view.getUint16(14, true) // wBitsPerSample
  let formatTag = tag
  if (tag === 0xfffe) {
    if (size < 40)
      return `the fmt chunk of this WAVE_FORMAT_EXTENSIBLE file is ${size} bytes long; it needs 40`
    // A SubFormat outside the KSDATAFORMAT family has no format tag: it stays 0xFFFE, which no encoding has.
    if (subFormatTail.every((byte, i) => view.getUint8(28 + i) === byte)) formatTag = view.getUint32(24, true)
  }
  if (channels === 0 || sampleRate === 0 || blockAlign === 0) {
    return `this WAV file has ${channels} channels at ${sampleRate} Hz in frames of ${blockAlign} bytes`
  }
  const encoding = encodingOf(formatTag, bitsPerSample)
  const format = encoding && tryFormat(sampleRate, channels, encoding, blockAlign)
  return { formatTag, bitsPerSample, blockAlign, format }
}

function tryFormat(sampleRate: number, channels: number, encoding: Encoding, blockAlign: number) {
  try {
    const format = pcmFormat({ sampleRate, channels, encoding })
    return format.bytesPerFrame === blockAlign ? format : undefined
  } catch {
    return undefined
  }
}

/** Whether these bytes begin with the name of a chunk that occurs in WAV files. */
export function isChunkName(bytes: Uint8Array): boolean {
  return knownChunks.has(fourCC(bytes))
}

const knownChunks = new Set(
  'fmt ,data,fact,LIST,JUNK,junk,PAD ,FLLR,bext,cue ,smpl,inst,id3 ,ID3 ,iXML,_PMX,PEAK,cart,ds64'.split(','),
)

function fourCC(bytes: Uint8Array, at = 0): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4))
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function u32(bytes: Uint8Array, at = 0): number {
  return viewOf(bytes).getUint32(at, true)
}

function u64(bytes: Uint8Array, at: number): number {
  return Number(viewOf(bytes).getBigUint64(at, true))
}
