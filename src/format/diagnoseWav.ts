import { markedKind } from './containers.ts'
import { fourCC, isPrintable, u32 } from './fields.ts'
import type { OpenEnd } from './openEnd.ts'
import type { WavInfo } from './readWavHeader.ts'
import { DS64_BYTES, makeDs64 } from './wavHeader.ts'
import { endOfData, isOpenLength, isOpenSize, riffEnd } from './wavLength.ts'
import { OPEN_SIZE, type SizeView, setWavSizes } from './wavSizes.ts'

/** A fault of a WAV file, as stable words for programs and as a sentence for people. */
export interface WavFault {
  kind: 'open' | 'zero' | 'long' | 'short' | 'torn' | 'pad' | 'riff' | 'fact'
  message: string
}

/** Bytes that are to be written at a position of a file. */
export interface Patch {
  at: number
  bytes: Uint8Array<ArrayBuffer>
}

/** The true contents of a WAV file, which its header may contradict. */
export interface WavDiagnosis {
  faults: WavFault[]
  /** bytes of samples that are there, whole frames */
  dataBytes: number
  /** where the file ends that has nothing wrong: it may be cut there, and a pad byte put behind */
  end: number
  /** the zero byte that RIFF asks for behind an odd number of bytes, where it is not there */
  pad: 0 | 1
  /** the changes in place that make the sizes right; none where nothing is wrong */
  patches: Patch[]
  /**
   * for a file past 4 GiB whose header has no room for sizes of 64 bits, so that in place they can be but left open: what
   * makes RF64 of it, `ds64` to be put in at {@link Rf64Change.at}, the rest moved behind it, and then the patches
   */
  rf64: Rf64Change | undefined
}

/** The changes that make an RF64 file of a RIFF file. */
interface Rf64Change {
  at: number
  insert: Uint8Array<ArrayBuffer>
  patches: Patch[]
}

/** Bytes that tell what something is. */
export const BEHIND_BYTES = 16

/** The bytes behind the samples that the header announces. */
export interface Behind {
  /** the first {@link BEHIND_BYTES} or more at {@link endOfData}, or all that is there */
  bytes: Uint8Array
  /** of an odd number of samples' bytes: the same from the place of the pad byte, which some writers leave out */
  unpaddedBytes?: Uint8Array | undefined
  /** whether they sound like the samples in front of them */
  isAudio: boolean
  /** of a length that is left open: where the samples end, as far as it is known */
  openEnd?: Pick<OpenEnd, 'dataBytes' | 'fileBytes'> | undefined
}

/**
 * Compares a WAV header with the file that it stands in, as a crash, a full disk, a lost tail or a writer that could
 * not seek leaves it. A file that RIFF's own size agrees with is believed. Bytes behind it are samples that were not
 * counted where they sound like it, or where the sizes have wrapped at 4 GiB.
 *
 * @param fileBytes the size of the file
 */
export function diagnoseWav(header: WavInfo, fileBytes: number, behind: Behind): WavDiagnosis {
  const { dataStart, blockAlign, riffAt, container } = header
  const present = fileBytes - dataStart
  const faults: WavFault[] = []
  const find = (kind: WavFault['kind'], message: string) => faults.push({ kind, message })

  const length = findLength(header, present, behind)
  if (length.fault !== undefined) faults.push(length.fault)
  const all = length.dataBytes
  const hasPadCounted = all % blockAlign === 1 && all % 2 === 0
  const partialFrame = all % blockAlign
  const dataBytes = all - partialFrame

  // Behind samples that are counted something may follow, which stays where it is.
  const rest = fileBytes - endOfData({ ...header, dataBytes: all })
  const isLast = rest < 0 || (rest === 0 && partialFrame > 0 && !hasPadCounted) || length.isToEnd
  if (isLast && partialFrame > 0)
    find('torn', `the samples end ${partialFrame} bytes into a frame of ${blockAlign}`)
  const end = isLast ? dataStart + dataBytes : fileBytes
  const declaredEnd = riffEnd(header)
  const lacksPad =
    isLast &&
    dataBytes % 2 === 1 &&
    container !== 'W64' &&
    !(length.fault === undefined && declaredEnd === end)
  const pad = lacksPad ? 1 : 0
  const wantedEnd = length.fileEnd ?? end + pad
  const isRiffRight = declaredEnd >= dataStart + dataBytes && declaredEnd <= wantedEnd
  const frames = dataBytes / blockAlign
  const { factFrames } = header.format === undefined ? {} : header // of packed samples it counts something else
  if (length.fault === undefined && !length.isTooLong) {
    // where the length is wrong these are no news
    if (pad === 1) find('pad', 'the pad byte behind an odd number of bytes is missing')
    if (!isRiffRight && declaredEnd !== fileBytes) {
      find('riff', `the RIFF size says ${declaredEnd} bytes of file, ${fileBytes} are there`)
    }
    if (factFrames !== undefined && factFrames !== frames && factFrames !== OPEN_SIZE) {
      find('fact', `the fact chunk says ${factFrames} frames, ${frames} are there`)
    }
  }

  const sizes = {
    dataBytes: isLast ? dataBytes : all,
    riffBytes: (isRiffRight ? declaredEnd : wantedEnd) - riffAt - 8,
    bytesPerFrame: blockAlign,
  }
  const fields = { ...header, factAt: header.format === undefined ? undefined : header.factAt }
  const hasRoom = header.ds64At !== undefined || container === 'W64'
  const isTooLong = sizes.riffBytes >= OPEN_SIZE && !hasRoom
  return {
    faults,
    dataBytes,
    end,
    pad,
    patches: faults.length === 0 ? [] : patchesOf((view) => setWavSizes(view, fields, sizes)),
    rf64: isTooLong && container === 'RIFF' ? rf64Change(fields, sizes) : undefined,
  }
}

function rf64Change(
  header: WavInfo,
  sizes: { dataBytes: number; riffBytes: number; bytesPerFrame: number },
): Rf64Change {
  const at = header.riffAt + 12
  const insertedBytes = 8 + DS64_BYTES
  const moved = (position: number | undefined) => position && position + insertedBytes
  const fields = {
    ...header,
    ds64At: at + 8,
    factAt: moved(header.factAt),
    dataSizeAt: header.dataSizeAt + insertedBytes,
  }
  const longer = { ...sizes, riffBytes: sizes.riffBytes + insertedBytes }
  return { at, insert: makeDs64(), patches: patchesOf((view) => setWavSizes(view, fields, longer)) }
}

/** Returns the bytes that `write` puts into a header, without the header. */
function patchesOf(write: (view: SizeView) => void): Patch[] {
  const patches: Patch[] = []
  const put = (at: number, count: number, fill: (view: DataView) => void) => {
    const bytes = new Uint8Array(count)
    fill(new DataView(bytes.buffer))
    patches.push({ at, bytes })
  }
  write({
    setUint8: (at, value) => put(at, 1, (view) => view.setUint8(0, value)),
    setUint32: (at, value, isLittle) => put(at, 4, (view) => view.setUint32(0, value, isLittle)),
    setBigUint64: (at, value, isLittle) => put(at, 8, (view) => view.setBigUint64(0, value, isLittle)),
  })
  return patches
}

interface Length {
  /** bytes of samples, with what there is of a last frame */
  dataBytes: number
  fault?: WavFault
  /** whether the samples go to the end of the file */
  isToEnd: boolean
  /** where the file ends of a length that was open, if another one follows it */
  fileEnd?: number
  /** whether it is more than the header can say, which is why it says nothing */
  isTooLong: boolean
}

/** How long the samples are, and what is wrong with what the header says of it. */
function findLength(header: WavInfo, present: number, behind: Behind): Length {
  const { dataBytes: declared, blockAlign, dataStart } = header
  const there = `${present} bytes of samples are there`
  const toEnd = (kind: WavFault['kind'], message: string): Length => ({
    dataBytes: present,
    fault: { kind, message },
    isToEnd: true,
    isTooLong: false,
  })
  const rest = dataStart + present - endOfData(header)
  const { bytes, unpaddedBytes = bytes } = behind
  const isFollowed =
    rest > 0 && [bytes, unpaddedBytes].some((start) => isChunk(start, rest, header.isBigEndian))
  const believed = { dataBytes: declared, isToEnd: false, isTooLong: false }

  const isTooLong = present + dataStart - header.riffAt - 8 >= OPEN_SIZE && header.ds64At === undefined
  if (isTooLong && header.container === 'RIFF' && declared === OPEN_SIZE && header.riffBytes === OPEN_SIZE) {
    return { dataBytes: present, isToEnd: true, isTooLong }
  }
  const openEnd = findOpenEnd(header, behind)
  if (declared > present && openEnd === undefined) {
    if (!isOpenSize(declared)) return toEnd('long', `the header says ${declared}, but only ${there}`)
    return toEnd('open', openMessage(declared, there))
  }
  if (isOpenLength(header)) {
    if (openEnd !== undefined) return { ...openEnd, isToEnd: false, isTooLong: false }
    if (declared > 0) return toEnd('open', openMessage(declared, there))
    if (present > 0) return toEnd('zero', `the header says 0, but ${there}`)
    return believed
  }
  if (rest <= 0 || isFollowed) return believed
  const wrapped = wrappedBytes(header, present)
  if (wrapped > 0) {
    const message = `the header says ${declared}, but ${there}: its sizes have wrapped at 4 GiB`
    return {
      dataBytes: declared + wrapped,
      fault: { kind: 'short', message },
      isToEnd: false,
      isTooLong: false,
    }
  }
  // Fewer bytes than a frame are no samples, and a RIFF chunk that goes on behind the samples counts those bytes.
  if (rest < blockAlign || riffEnd(header) > endOfData(header) || !behind.isAudio) return believed
  const lost = present - declared
  return toEnd('short', `the header says ${declared}, but ${there}: the last ${lost} are not counted`)
}

/** Where something else ends samples whose length is open. */
function findOpenEnd(
  header: WavInfo,
  { openEnd }: Behind,
): Pick<Length, 'dataBytes' | 'fault' | 'fileEnd'> | undefined {
  const { dataBytes, fileBytes } = openEnd ?? {}
  if (dataBytes === undefined || fileBytes === undefined || !isOpenLength(header)) return undefined
  const there = `${dataBytes} bytes of samples are there, and another WAV file behind them`
  return {
    dataBytes,
    fileEnd: header.dataStart + fileBytes,
    ...(dataBytes > 0 && { fault: { kind: 'open', message: openMessage(header.dataBytes, there) } }),
  }
}

function openMessage(declared: number, there: string): string {
  return `the header leaves the length open (0x${declared.toString(16).toUpperCase()}), as for a pipe; ${there}`
}

/** A writer that counts in 32 bits begins anew at 4 GiB: RIFF and data are then short by as many times 4 GiB. */
function wrappedBytes(header: WavInfo, present: number): number {
  const missing = header.dataStart + present - riffEnd(header)
  return header.container === 'RIFF' && missing >= 2 ** 32 && missing % 2 ** 32 === 0 ? missing : 0
}

/** A chunk with a size that fits, which samples hardly ever look like, a tag of players, or the beginning of another file. */
function isChunk(bytes: Uint8Array, available: number, isBigEndian: boolean): boolean {
  const id = fourCC(bytes)
  if (/^(TAG|APET)/.test(id) || markedKind(bytes) !== undefined) return true
  if (bytes.length < 8 || !isPrintable(id)) return false
  return u32(bytes, 4, isBigEndian) <= available - 8
}
