import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { checkOptions } from '../options.ts'
import { channelMasks, checkChannelMask } from './channelMask.ts'
import { encodings } from './encoding.ts'
import { bytesOf, viewOf } from './fields.ts'
import { checkTags, type InfoTags, tagsChunk } from './infoTags.ts'
import type { PcmFormat } from './pcmFormat.ts'
import { OPEN_SIZE, setWavSizes, type WavSizeFields } from './wavSizes.ts'

/** ds64 without its table: riffSize, dataSize, sampleCount (64 bit each) and tableLength (EBU Tech 3306). */
export const DS64_BYTES = 28

/** The options of `wavHeader()`. */
export interface WavHeaderOptions {
  /**
   * length of the sample data in bytes, whole frames, where it is known beforehand (default: unknown; a VirtualFile
   * puts it in)
   */
  dataBytes?: number
  /** reserve a JUNK chunk at byte 12 that can become `ds64`, for recordings past 4 GiB (default false) */
  rf64?: boolean
  /**
   * dwChannelMask: a bit for the loudspeaker of each channel, as Microsoft's ksmedia.h counts them (1 front left, 2
   * front right, 4 centre, 8 LFE …), 0 for channels that belong to none. Without it the usual loudspeakers of 3, 5, 6,
   * 7 and 8 channels, and none for other numbers: four channels may be a quadraphony, and are four microphones more
   * often.
   */
  channelMask?: number | undefined
  /** `LIST INFO` in front of the samples: INAM title, IART artist, ISFT software … (default: none) */
  tags?: InfoTags | undefined
}

/** @throws {ArgumentTypeError | ArgumentRangeError} for lengths that are no whole frames, or too long for RIFF */
export function checkWavHeaderOptions(format: PcmFormat, options: WavHeaderOptions): void {
  checkOptions(options, ['dataBytes', 'rf64', 'channelMask', 'tags'], 'wavHeader()')
  const { dataBytes, rf64 = false, channelMask, tags } = options
  if (encodings[format.encoding].formatTag === undefined) {
    throw new ArgumentRangeError(
      `the samples of a WAV file are little-endian, and these are ${format.encoding}; put convert() in front, to ${format.encoding.replace('be', 'le')} for example`,
    )
  }
  checkChannelMask(channelMask, format.channels)
  checkTags(tags)
  if (typeof rf64 !== 'boolean') throw new ArgumentTypeError(`rf64 must be true or false, got ${show(rf64)}`)
  if (dataBytes === undefined) return
  if (typeof dataBytes !== 'number') {
    throw new ArgumentTypeError(`dataBytes must be a number, got ${show(dataBytes)}`)
  }
  if (!Number.isSafeInteger(dataBytes) || dataBytes < 0 || dataBytes % format.bytesPerFrame !== 0) {
    throw new ArgumentRangeError(
      `dataBytes must be a whole number of frames of ${format.bytesPerFrame} bytes, got ${dataBytes}`,
    )
  }
  if (!rf64 && dataBytes + MAX_HEADER_BYTES + tagsChunk(tags).length > OPEN_SIZE) {
    throw new ArgumentRangeError(
      `${dataBytes} bytes are more than a RIFF file can hold; to write larger files use { rf64: true }`,
    )
  }
}

/** RIFF 12, JUNK 36, fmt 48, fact 12, data 8. */
const MAX_HEADER_BYTES = 116

/**
 * The bytes that go in front of PCM to make it a WAV file: 44 for mono and stereo integer PCM, in which `fmt `
 * stands at byte 12 and the samples right behind the `data` header. Without `dataBytes` both sizes are open
 * (0xFFFFFFFF); a writer that can seek puts them right with {@link setWavSizes}.
 *
 * After Microsoft's RIFF and mmreg.h: more than two channels need WAVE_FORMAT_EXTENSIBLE, all but PCM need cbSize
 * and a `fact` chunk. RF64 after EBU Tech 3306.
 */
export function makeWavHeader(format: PcmFormat, options: WavHeaderOptions = {}): Uint8Array<ArrayBuffer> {
  checkWavHeaderOptions(format, options)
  const { dataBytes, rf64 = false, channelMask } = options
  const formatTag = encodings[format.encoding].formatTag!
  const bitsPerSample = format.bytesPerSample * 8
  const usualMask = channelMasks[format.channels] ?? 0
  const extensible = format.channels > 2 || (channelMask !== undefined && channelMask !== usualMask)
  const isPcm = formatTag === 0x0001
  const fmtBytes = extensible ? 40 : isPcm ? 16 : 18

  const list = tagsChunk(options.tags)
  const fixedBytes = 12 + (rf64 ? 8 + DS64_BYTES : 0) + 8 + fmtBytes + (isPcm ? 0 : 12) + 8
  const header = new Uint8Array(fixedBytes + list.length)
  const out = new FieldWriter(header)
  out.fourCC('RIFF') // ckID
  out.u32(OPEN_SIZE) // ckSize: everything behind this field
  out.fourCC('WAVE') // formType
  if (rf64) out.bytes(makeDs64())
  out.fourCC('fmt ') // ckID
  out.u32(fmtBytes) // ckSize
  out.u16(extensible ? 0xfffe : formatTag) // wFormatTag: WAVE_FORMAT_EXTENSIBLE or the encoding's own
  out.u16(format.channels) // nChannels
  out.u32(format.sampleRate) // nSamplesPerSec
  out.u32(format.bytesPerSecond) // nAvgBytesPerSec
  out.u16(format.bytesPerFrame) // nBlockAlign
  out.u16(bitsPerSample) // wBitsPerSample
  if (fmtBytes > 16) out.u16(fmtBytes - 18) // cbSize: 22 for WAVE_FORMAT_EXTENSIBLE, else 0
  if (extensible) {
    out.u16(bitsPerSample) // wValidBitsPerSample
    out.u32(channelMask ?? usualMask) // dwChannelMask: 0 is "no particular loudspeaker"
    out.u32(formatTag) // SubFormat, first field of the GUID: the tag again
    for (const byte of subFormatTail) out.u8(byte) // SubFormat, the rest: KSDATAFORMAT_SUBTYPE_*
  }
  if (!isPcm) {
    out.fourCC('fact') // ckID
    out.u32(4) // ckSize
    out.u32(OPEN_SIZE) // dwSampleLength: frames
  }
  out.bytes(list)
  out.fourCC('data') // ckID
  out.u32(OPEN_SIZE) // ckSize

  if (dataBytes !== undefined) {
    const fields: WavSizeFields = {
      container: 'RIFF',
      riffAt: 0,
      ds64At: rf64 ? 20 : undefined,
      factAt: isPcm ? undefined : fixedBytes - 12,
      dataSizeAt: header.length - 4,
    }
    setWavSizes(new DataView(header.buffer), fields, {
      dataBytes,
      riffBytes: header.length + dataBytes + (dataBytes % 2) - 8,
      bytesPerFrame: format.bytesPerFrame,
    })
  }
  return header
}

/** The room for 64-bit sizes: JUNK, which becomes `ds64` once the file outgrows 32 bits. */
export function makeDs64(): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(8 + DS64_BYTES) // riffSize, dataSize, sampleCount, tableLength
  const out = new FieldWriter(chunk)
  out.fourCC('JUNK') // ckID
  out.u32(DS64_BYTES) // ckSize
  return chunk
}

/** xxxxxxxx-0000-0010-8000-00AA00389B71, behind its first field. */
export const subFormatTail = [0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71] as const

/** Writes little-endian fields one after another. */
class FieldWriter {
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#view = viewOf(bytes)
  }

  fourCC(id: string): void {
    this.bytes(bytesOf(id))
  }

  bytes(bytes: Uint8Array): void {
    for (const byte of bytes) this.u8(byte)
  }

  u8(value: number): void {
    this.#view.setUint8(this.#at, value)
    this.#at += 1
  }

  u16(value: number): void {
    this.#view.setUint16(this.#at, value, true)
    this.#at += 2
  }

  u32(value: number): void {
    this.#view.setUint32(this.#at, value, true)
    this.#at += 4
  }
}
