import { bytesOf, fourCC, isPrintable } from './fields.ts'
import { type InfoTags, readInfoTags } from './infoTags.ts'
import { type Parsing, PushParser, skip, take } from './pushParser.ts'
import { isRiff, MAX_CHUNKS, nextChunk } from './riffChunk.ts'

/** The first bytes of another WAV file that stands where a chunk should. */
export interface NextWav {
  start: Uint8Array
}

/**
 * For what stands behind the samples: looks for more tags to the end of the file, and takes nothing amiss. It comes to
 * its end where no chunk follows any more.
 *
 * @param isOdd whether an odd number of bytes went before, so that a pad byte should follow
 */
export function trailingTagsParser(
  tags: InfoTags,
  isOdd: boolean,
  isBigEndian: boolean,
): PushParser<NextWav | null> {
  return new PushParser(parseTrailingTags(tags, isOdd, isBigEndian))
}

function* parseTrailingTags(
  tags: InfoTags,
  startsOdd: boolean,
  isBigEndian: boolean,
): Parsing<NextWav | null> {
  let capacity = MAX_TAGS_BYTES
  for (let isOdd = startsOdd, count = 0; count < MAX_CHUNKS; count++) {
    const { id, size } = yield* nextChunk(isOdd, isBigEndian)
    if (!isPrintable(id)) return null
    let seen = 0
    if (id === 'LIST') seen = yield* readList(size, tags, capacity, isBigEndian)
    else if (isRiff(id)) {
      const form = yield* take(4)
      if (fourCC(form) === 'WAVE')
        return { start: Uint8Array.from([...bytesOf(id), ...sizeBytes(size, isBigEndian), ...form]) }
      seen = 4
    }
    capacity -= seen
    yield* skip(Math.max(0, size - seen))
    isOdd = size % 2 === 1
  }
  return null
}

/** More than this, in all, is no text about a recording. */
export const MAX_TAGS_BYTES = 2 ** 16

/** Reads the tags of a LIST chunk that fits into `capacity`; returns how many of its bytes were taken. */
export function* readList(
  size: number,
  tags: InfoTags,
  capacity: number,
  isBigEndian: boolean,
): Parsing<number> {
  if (size < 4 || size > capacity) return 0
  if (fourCC(yield* take(4)) !== 'INFO') return 4
  readInfoTags(yield* take(size - 4), tags, isBigEndian)
  return size
}

function sizeBytes(size: number, isBigEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, size, !isBigEndian)
  return bytes
}
