import type { WavHeader } from './readWavHeader.ts'
import { OPEN_SIZE, setWavSizes } from './wavHeader.ts'
import { endOfData, isOpenSize } from './wavLength.ts'

/** What is wrong with a WAV file, as stable words for programs and as a sentence for people. */
export interface WavFault {
  kind: 'open' | 'zero' | 'long' | 'short' | 'torn' | 'pad' | 'riff' | 'fact'
  message: string
}

/** What a WAV file really holds, whatever its header says. */
export interface WavDiagnosis {
  faults: WavFault[]
  /** bytes of samples that are there, whole frames */
  dataBytes: number
  /** where the file ends that has nothing wrong: it may be cut there, and a pad byte put behind */
  end: number
  /** the zero byte that RIFF asks for behind an odd number of bytes, where it is not there */
  pad: 0 | 1
  /** the header with the sizes as they are, as long as the one that is there */
  header: Uint8Array<ArrayBuffer>
}

/**
 * Compares a WAV header with the file that it stands in, as a crash, a full disk, a lost tail or a writer that could
 * not seek leaves it. Bytes that no size counts are samples, unless they are chunks or tags.
 *
 * @param head the file up to its samples, or more of it
 * @param fileBytes the size of the file
 * @param behind the first 8 or more bytes at {@link endOfData}, or all that is there
 */
export function diagnoseWav(
  header: WavHeader,
  head: Uint8Array,
  fileBytes: number,
  behind: Uint8Array,
): WavDiagnosis {
  const { dataStart, blockAlign, riffBytes } = header
  const present = fileBytes - dataStart
  const faults: WavFault[] = []
  const find = (kind: WavFault['kind'], message: string) => faults.push({ kind, message })

  const length = lengthFault(header, present, behind)
  if (length !== undefined) faults.push(length)
  const all = length === undefined ? header.dataBytes : present
  const torn = all % blockAlign
  const dataBytes = all - torn

  // Behind samples that are counted something may follow, which stays where it is.
  const rest = fileBytes - endOfData(header)
  const isLast = length !== undefined || rest < 0 || (rest === 0 && torn > 0)
  if (isLast && torn > 0) find('torn', `the samples end ${torn} bytes into a frame of ${blockAlign}`)
  const end = isLast ? dataStart + dataBytes : fileBytes
  const pad = isLast && dataBytes % 2 === 1 ? 1 : 0
  const riffEnd = riffBytes + 8
  const isRiffRight = riffEnd >= dataStart + dataBytes && riffEnd <= end + pad
  const frames = dataBytes / blockAlign
  const factAt = header.format === undefined ? undefined : header.factAt // of packed samples it counts something else
  if (length === undefined) {
    // where the length is wrong these are no news
    if (pad === 1) find('pad', 'the pad byte behind an odd number of bytes is missing')
    if (!isRiffRight) find('riff', `the RIFF size says ${riffEnd} bytes of file, ${fileBytes} are there`)
    const counted = factAt === undefined ? frames : viewOf(head).getUint32(factAt, true)
    if (counted !== Math.min(frames, OPEN_SIZE)) {
      find('fact', `the fact chunk says ${counted} frames, ${frames} are there`)
    }
  }

  const repaired = Uint8Array.from(head.subarray(0, dataStart))
  const sizes = {
    dataBytes: isLast ? dataBytes : all,
    riffBytes: (isRiffRight ? riffEnd : end + pad) - 8,
    bytesPerFrame: blockAlign,
  }
  setWavSizes(viewOf(repaired), { ...header, factAt }, sizes)
  return { faults, dataBytes, end, pad, header: repaired }
}

/** What is wrong with the length of the samples. */
function lengthFault(header: WavHeader, present: number, behind: Uint8Array): WavFault | undefined {
  const { dataBytes: declared, dataStart, riffBytes, blockAlign } = header
  const there = `${present} bytes of samples are there`
  if (declared === OPEN_SIZE || (declared > present && isOpenSize(declared))) {
    const size = declared.toString(16).toUpperCase()
    return { kind: 'open', message: `the header leaves the length open (0x${size}), as for a pipe; ${there}` }
  }
  if (declared > present) return { kind: 'long', message: `the header says ${declared}, but only ${there}` }
  const rest = dataStart + present - endOfData(header)
  if (rest <= 0 || isChunk(behind, rest)) return undefined
  if (declared === 0) return { kind: 'zero', message: `the header says 0, but ${there}` }
  // What is no length of whole frames was never meant as one. Else what is shorter than a frame is none, and a RIFF
  // chunk that goes on behind the samples knows of what follows.
  const isMeant = declared % blockAlign === 0
  if (isMeant && (rest < blockAlign || riffBytes + 8 > endOfData(header))) return undefined
  const lost = present - declared
  return {
    kind: 'short',
    message: `the header says ${declared}, but ${there}: the last ${lost} are not counted`,
  }
}

/** A chunk with a size that fits, which samples hardly ever look like, or a tag that players put behind everything. */
function isChunk(bytes: Uint8Array, room: number): boolean {
  const id = String.fromCharCode(...bytes.subarray(0, 4))
  if (/^(TAG|APET)/.test(id)) return true
  if (bytes.length < 8 || !/^[\x20-\x7e]{4}$/.test(id)) return false
  return viewOf(bytes).getUint32(4, true) <= room - 8
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
