import { type FileHandle, open } from 'node:fs/promises'
import { decodeSamples } from '../dsp/decode.ts'
import { WavespoolError } from '../errors.ts'
import { BEHIND_BYTES, diagnoseWav, type WavDiagnosis } from '../format/diagnoseWav.ts'
import type { InfoTags } from '../format/infoTags.ts'
import { OpenEnd } from '../format/openEnd.ts'
import { feedFrom } from '../format/pushParser.ts'
import { type HeaderProgress, type WavInfo, wavHeaderParser } from '../format/readWavHeader.ts'
import { findLayout, unpackSamples } from '../format/sampleLayout.ts'
import { trailingTagsParser } from '../format/trailingTags.ts'
import { endOfData, isOpenLength, readBytes } from '../format/wavLength.ts'
import { noSamplesError, withLayout } from '../format/wavReaderKernel.ts'
import { compressedContainer } from './firstBytes.ts'
import { foreignInput } from './foreignInput.ts'
import { pipedStdin, withStdinCopy } from './stdin.ts'

/** A WAV file on a disk: its header, and its actual content. */
export interface Examination {
  path: string
  /** bytes */
  size: number
  header: WavInfo
  diagnosis: WavDiagnosis
  /** where the samples end that are read, as far as the header and the bytes tell */
  samplesEnd: number
  /** those in front of the samples and behind them */
  tags: InfoTags
  /** whether another WAV file follows */
  hasNext: boolean
}

/**
 * @returns a promise of the examination of a WAV file, undefined for a compressed one, which `decode()` reads; rejected when it
 *   cannot be read, or is neither
 */
export async function examine(path: string): Promise<Examination | undefined> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const header = await readHeader(file, size, path)
    if (header === undefined) return undefined
    const behindAt = endOfData(header)
    const bytes = await readAt(file, behindAt, BEHIND_BYTES)
    const isPadded = header.dataBytes % 2 === 1
    const unpaddedBytes = isPadded ? await readAt(file, behindAt - 1, BEHIND_BYTES) : undefined
    const isAudio = await soundsAlike(file, header, size)
    const openEnd = isOpenLength(header) ? await findOpenEnd(file, header, size) : undefined
    const diagnosis = diagnoseWav(header, size, { bytes, unpaddedBytes, isAudio, openEnd })
    const tags = { ...header.tags }
    const isOdd = openEnd === undefined && isPadded
    const trailer = trailingTagsParser(tags, isOdd, header.isBigEndian)
    const start = header.dataStart + (openEnd ? (openEnd.dataBytes ?? size) : header.dataBytes)
    if (start < size) await feedFrom(trailer, reading(file), { start, end: size }, () => trailer.isDone)
    const samplesEnd = openEnd ? start : header.dataStart + readBytes(header.container, header.dataBytes)
    return {
      path,
      size,
      header,
      diagnosis,
      samplesEnd: Math.min(size, samplesEnd),
      tags,
      hasNext: Boolean(trailer.result),
    }
  } catch (error) {
    throw Object.assign(error as Error, { path })
  } finally {
    await file.close()
  }
}

/** However long it is, it is read over, not read. */
async function readHeader(file: FileHandle, size: number, path: string): Promise<WavInfo | undefined> {
  const progress: HeaderProgress = {}
  const parser = wavHeaderParser(progress)
  await feedFrom(parser, reading(file), { end: size }, () => parser.isDone)
  const { header, fault } = parser.result ?? { fault: noSamplesError(progress).message }
  if (header === undefined) {
    const head = await readAt(file, 0, 64)
    if (compressedContainer(head) !== undefined) return undefined
    const foreign = foreignInput(head, path)
    throw new WavespoolError('ERR_WAVESPOOL_WAV', foreign ?? `${path}: ${fault}`)
  }
  if (!header.isAmbiguous) return header
  const samples = await readAt(file, header.dataStart, 2 ** 20)
  const layout = findLayout(samples.subarray(0, header.dataBytes), header.isBigEndian, true)
  return withLayout(header, layout!)
}

/** Only the samples themselves tell where they end: all of them are read. */
async function findOpenEnd(file: FileHandle, header: WavInfo, size: number): Promise<OpenEnd> {
  const openEnd = new OpenEnd(header)
  const parser = { skippable: 0, pass: () => {}, push: (bytes: Uint8Array) => openEnd.push(bytes) }
  const range = { start: header.dataStart, end: size, blockBytes: 2 ** 20 }
  await feedFrom(parser, reading(file), range, () => openEnd.dataBytes !== undefined)
  openEnd.finish()
  return openEnd
}

function reading(file: FileHandle) {
  return async (target: Uint8Array, position: number) =>
    (await file.read(target, 0, target.length, position)).bytesRead
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/** Frames on either side of the end of the samples that are compared. */
const COMPARED_FRAMES = 2048
/** By how much other data is rougher than speech or music; it is not told from recorded noise. */
const ROUGHER = 8
/** The most silence that a killed program leaves uncounted: it puts its header right every few seconds. */
const SILENCE_SECONDS = 60
/** Steps between neighbouring samples that are always taken for audio: −60 dBFS. */
const SMOOTH = 0.001

/**
 * Whether the bytes behind the samples that the header counts are more samples, of a program that was killed, or
 * other data: zeros that it had reserved, text, the rest of another file. Then it steps from sample to sample further
 * than the samples in front of it.
 */
async function soundsAlike(file: FileHandle, header: WavInfo, size: number): Promise<boolean> {
  const { format, dataStart, dataBytes, blockAlign, isBigEndian } = header
  if (format === undefined) return true
  const length = COMPARED_FRAMES * blockAlign
  const end = dataStart + dataBytes - (dataBytes % blockAlign)
  const start = Math.max(dataStart, end - length)
  const counted = await readAt(file, start, end - start)
  const behind = await readAt(file, end + (end % 2), length)
  // Zeros go on where there is silence, as of a microphone that is muted; more of them are room that was reserved.
  if (isZero(behind)) return isZero(counted) && size - end <= SILENCE_SECONDS * format.bytesPerSecond
  if (/^[\t\n\r\x20-\x7e]*$/.test(Buffer.from(behind).toString('latin1'))) return false
  const [before, following] = [counted, behind].map((bytes) => {
    const frames = bytes.subarray(0, bytes.length - (bytes.length % blockAlign))
    const pcm = unpackSamples(frames, blockAlign / format.channels, format.bytesPerSample, isBigEndian)
    return roughness(decodeSamples(pcm, format), format.channels)
  })
  return following! <= Math.max(SMOOTH, ROUGHER * before!)
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

/** The mean step from a sample to the next one of its channel; full scale is 1. */
function roughness(samples: Float32Array, channels: number): number {
  let sum = 0
  for (let i = channels; i < samples.length; i++) sum += Math.abs(samples[i]! - samples[i - channels]!)
  return sum / Math.max(1, samples.length - channels)
}

/** Calls `use` with a path that can be read anywhere: `-` becomes a private copy of stdin. */
export async function withFile<T>(path: string, use: (path: string) => Promise<T>): Promise<T> {
  if (path !== '-') return use(path)
  return withStdinCopy(pipedStdin(), use)
}
