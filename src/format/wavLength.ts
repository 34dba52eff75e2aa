import type { WavContainer } from './wavSizes.ts'

/** The sizes that a WAV header declares, right or wrong. */
export interface DeclaredLength {
  /** where the RIFF chunk begins: behind an ID3 tag it is not 0 */
  riffAt: number
  /** the size behind the RIFF chunk's size field */
  riffBytes: number
  /** position of the first sample */
  dataStart: number
  dataBytes: number
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

/**
 * Whether the header leaves it open how many samples follow. The size of RIFF decides: a `data` of 0 is a file without
 * samples where RIFF counts something behind it, and a size of nearly 2 or 4 GiB is one where RIFF counts another chunk.
 */
export function isOpenLength(declared: DeclaredLength): boolean {
  const { dataBytes, riffBytes } = declared
  if (dataBytes === 0) return isOpenSize(riffBytes) || riffEnd(declared) <= declared.dataStart
  return isOpenSize(dataBytes) && !isFollowed(declared)
}

/** Where the RIFF chunk ends by its own size. */
export function riffEnd({ riffAt, riffBytes }: DeclaredLength): number {
  return riffAt + riffBytes + 8
}

/**
 * How many bytes are read as samples where a length is announced: of Wave64 those too that fill the chunk up to a multiple
 * of eight, as libsndfile, sox and ffmpeg read them.
 */
export function readBytes(container: WavContainer, dataBytes: number): number {
  return container === 'W64' ? Math.ceil(dataBytes / 8) * 8 : dataBytes
}

/** Where the samples end, and their pad byte, by what the header says. */
export function endOfData({ dataStart, dataBytes }: DeclaredLength): number {
  return dataStart + dataBytes + (dataBytes % 2)
}

/**
 * Whether the RIFF chunk's size counts another chunk behind the samples. It is even where it was counted, and odd where
 * it is all ones, of 31 bits or of 32.
 */
function isFollowed(declared: DeclaredLength): boolean {
  const { riffBytes } = declared
  const isCounted = riffBytes % 2 === 0 && Number.isSafeInteger(riffBytes)
  return isCounted && riffEnd(declared) >= endOfData(declared) + 8
}
