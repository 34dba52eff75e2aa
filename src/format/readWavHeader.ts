import { WavespoolError } from '../errors.ts'
import { speakersIn } from './channelMask.ts'
import { bytesOf, fourCC, isPrintable, u32, u64 } from './fields.ts'
import { ID3_HEAD_BYTES, id3Bytes } from './id3.ts'
import type { InfoTags } from './infoTags.ts'
import { type Parsing, PushParser, skip, take } from './pushParser.ts'
import { type ChunkHead, isRiff, MAX_CHUNKS, nextChunk } from './riffChunk.ts'
import { MAX_TAGS_BYTES, readList } from './trailingTags.ts'
import { parseWave64, WAVE64_RIFF } from './wave64.ts'
import { FMT_BYTES, readFmt, type WavFormat } from './wavFormat.ts'
import { DS64_BYTES } from './wavHeader.ts'
import { OPEN_SIZE, type WavSizeFields } from './wavSizes.ts'

/** The contents of a WAV file's header: everything in front of the samples. */
export interface WavInfo extends WavFormat, WavSizeFields {
  /** position of the first sample */
  dataStart: number
  /** the size of the data as the header has it, right or wrong */
  dataBytes: number
  /** the size behind the RIFF chunk's size field as the header has it, right or wrong */
  riffBytes: number
  /** dwSampleLength of the `fact` chunk, where there is one */
  factFrames?: number | undefined
  /** `LIST INFO` in front of the samples: INAM title, IART artist, ISFT software … */
  tags: InfoTags
}

/** dwChannelMask of a header where it can be one: a broken one has more loudspeakers than the file has channels. */
export function maskOf({ channelMask, format }: WavInfo): number | undefined {
  if (channelMask === undefined || format === undefined) return undefined
  return speakersIn(channelMask) > format.channels ? undefined : channelMask
}

/** `{ header }` when all of it is there, `{ fault }` when it can be none, else neither: more bytes are needed. */
export interface WavHeaderScan {
  header?: WavInfo
  fault?: string
}

/**
 * Reads a WAV header, up to the first sample: RIFF, RF64 and BW64, big-endian RIFX, Sony's Wave64, also behind an ID3
 * tag; plain and extensible formats, chunks in any order in front of `data`, odd chunks with their pad byte and without.
 *
 * @returns undefined when the header goes on behind these bytes
 * @throws {WavespoolError} `ERR_WAVESPOOL_WAV` when this is no WAV file
 */
export function readWavHeader(bytes: Uint8Array): WavInfo | undefined {
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
export function wavHeaderParser(progress: HeaderProgress = {}): PushParser<WavHeaderScan> {
  return new PushParser(parseHeader(progress))
}

/** The known part of a header that has not come to its end. */
export interface HeaderProgress {
  container?: string
}

/** So many chunks in a row without a name or a size are the zeros that a recorder had reserved. */
const MAX_NAMELESS_CHUNKS = 2 ** 9

function* parseHeader(progress: HeaderProgress): Parsing<WavHeaderScan> {
  let container = fourCC(yield* take(4))
  let riffAt = 0
  while (container.startsWith('ID3')) {
    const tagBytes = id3Bytes(Uint8Array.from([...bytesOf(container), ...(yield* take(ID3_HEAD_BYTES - 4))]))
    if (tagBytes === undefined) return noWav(container)
    yield* skip(tagBytes - ID3_HEAD_BYTES)
    riffAt += tagBytes
    container = fourCC(yield* take(4))
  }
  if (riffAt > 0 && !isContainer(container)) {
    return {
      fault: `this is no WAV file: behind an ID3 tag comes ${JSON.stringify(container)}, as in an MP3 file`,
    }
  }
  progress.container = container
  if (container === WAVE64_RIFF) return yield* parseWave64(riffAt)
  if (!isRiff(container)) return noWav(container)
  const isBigEndian = container === 'RIFX'
  let riffBytes = u32(yield* take(4), 0, isBigEndian)
  const form = fourCC(yield* take(4))
  if (form !== 'WAVE') return { fault: `this RIFF file holds ${JSON.stringify(form)}, not "WAVE"` }

  const tags: InfoTags = {}
  let capacity = MAX_TAGS_BYTES
  let fmt: WavFormat | undefined
  let factAt: number | undefined
  let factFrames: number | undefined
  let ds64: { at: number; riffBytes: number; dataBytes: number } | undefined
  let nameless = 0
  const first = riffAt + 12
  for (let at = first, isOdd = false, count = 0; ; count++) {
    const { id, size, headBytes }: ChunkHead = yield* nextChunk(isOdd, isBigEndian)
    const body: number = at + headBytes
    if (id === 'data') {
      if (fmt === undefined) return { fault: 'this WAV file has no fmt chunk in front of its data' }
      const is64 = (container === 'RF64' || container === 'BW64') && ds64 !== undefined
      // as libsndfile and ffmpeg do, which ignore the fields of 32 bits
      if (is64 && isKnown(ds64!.riffBytes)) riffBytes = ds64!.riffBytes
      const dataBytes = is64 && (isKnown(ds64!.dataBytes) || size === OPEN_SIZE) ? ds64!.dataBytes : size
      const fields = { container, riffAt, ds64At: ds64?.at, factAt, dataSizeAt: body - 4 }
      return { header: { ...fmt, ...fields, dataStart: body, dataBytes, riffBytes, factFrames, tags } }
    }
    nameless = size === 0 && !isPrintable(id) ? nameless + 1 : 0
    if (nameless > MAX_NAMELESS_CHUNKS)
      return { fault: 'this WAV file holds zeros where its samples should begin' }
    if (count > MAX_CHUNKS)
      return { fault: `this WAV file has more than ${MAX_CHUNKS} chunks in front of its samples` }
    let seen = 0
    if (id === 'fmt ') {
      seen = Math.min(size, FMT_BYTES)
      const read = readFmt(yield* take(seen), size, isBigEndian)
      if (typeof read === 'string') return { fault: read }
      fmt = read
    } else if (id === 'fact' && size >= 4) {
      factAt = body
      seen = 4
      factFrames = u32(yield* take(seen), 0, isBigEndian)
    } else if ((id === 'ds64' || (id === 'JUNK' && at === first)) && size >= DS64_BYTES) {
      seen = 16
      const sizes = yield* take(seen)
      ds64 = { at: body, riffBytes: u64(sizes, 0), dataBytes: u64(sizes, 8) } // riffSize, dataSize
    } else if (id === 'LIST') {
      seen = yield* readList(size, tags, capacity, isBigEndian)
      capacity -= seen
    }
    yield* skip(size - seen)
    at = body + size
    isOdd = size % 2 === 1
  }
}

function noWav(start: string): WavHeaderScan {
  return { fault: `this is no WAV file: it begins with ${JSON.stringify(start)} instead of "RIFF" or "RF64"` }
}

/** Whether a `ds64` says something: no program writes a length that means "not known yet" into one that is finished. */
function isKnown(bytes: number): boolean {
  return bytes !== OPEN_SIZE && bytes !== 0 && Number.isSafeInteger(bytes)
}

function isContainer(id: string): boolean {
  return isRiff(id) || id === WAVE64_RIFF
}
