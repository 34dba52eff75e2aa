import { fourCC, isPrintable, u32 } from './fields.ts'
import { type Parsing, take } from './pushParser.ts'
import type { WavContainer } from './wavSizes.ts'

/** More chunks than this are no file that a program writes, and each costs time. */
export const MAX_CHUNKS = 2 ** 18

/** The name and the size in front of a chunk. */
export interface ChunkHead {
  id: string
  size: number
  /** bytes from the end of the chunk before to this one's body */
  headBytes: number
}

/**
 * Reads the head of the next chunk.
 *
 * @param isOdd whether the chunk in front of it has an odd size, so that a pad byte should follow
 */
export function* nextChunk(isOdd: boolean, isBigEndian: boolean): Parsing<ChunkHead> {
  if (!isOdd) {
    const head = yield* take(8)
    return { id: fourCC(head), size: u32(head, 4, isBigEndian), headBytes: 8 }
  }
  // Some writers leave out the pad byte behind an odd chunk: then the next one's name stands where it should be.
  const start = yield* take(5)
  if (start[0] !== 0 && isPrintable(fourCC(start)) && !isChunkName(start.subarray(1))) {
    const id = fourCC(start)
    const sizeStart = start[4]!
    return { id, size: u32(Uint8Array.of(sizeStart, ...(yield* take(3))), 0, isBigEndian), headBytes: 8 }
  }
  const id = fourCC(start, 1)
  return { id, size: u32(yield* take(4), 0, isBigEndian), headBytes: 9 }
}

/** Whether a known name stands behind a byte that could begin a name as well: then the byte is padding that is not 0. */
function isChunkName(bytes: Uint8Array): boolean {
  return knownChunks.has(fourCC(bytes))
}

const knownChunks = new Set(
  'fmt ,data,fact,LIST,JUNK,junk,PAD ,FLLR,bext,cue ,smpl,inst,id3 ,ID3 ,iXML,_PMX,PEAK,cart,ds64'.split(','),
)

/** Whether a chunk of this name can hold a WAV file. */
export function isRiff(id: string): id is WavContainer {
  return id === 'RIFF' || id === 'RF64' || id === 'RIFX' || id === 'BW64'
}
