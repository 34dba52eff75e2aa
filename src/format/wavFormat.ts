import { encodingOf } from './encoding.ts'
import { viewOf } from './fields.ts'
import { type PcmFormat, pcmFormat } from './pcmFormat.ts'
import { subFormatTail } from './wavHeader.ts'

/** The fields of the `fmt ` chunk of a WAV file. */
export interface WavFormat {
  /**
   * The format that comes out of the file; undefined where the samples are in an encoding that Wavespool does not know (ADPCM,
   * say). Samples of a big-endian file are turned, so that this is little-endian always.
   */
  format: PcmFormat | undefined
  /** wFormatTag, or that of the SubFormat */
  formatTag: number
  /** wBitsPerSample */
  bitsPerSample: number
  /**
   * bytes of a frame as the samples lie in the file: of known encodings by what decides it, channels and bits, of others
   * nBlockAlign
   */
  blockAlign: number
  /** dwChannelMask: the loudspeaker of each channel, 0 for none; undefined where the file does not say */
  channelMask: number | undefined
  /** whether numbers in the file are big-endian, as in RIFX */
  isBigEndian: boolean
  /** whether 24 bits may lie in 32: see {@link findLayout} */
  isAmbiguous: boolean
}

/** Bytes of a `fmt ` chunk that are looked at. */
export const FMT_BYTES = 40

/**
 * Reads the body of a `fmt ` chunk. Fields that follow from others (nBlockAlign, nAvgBytesPerSec, cbSize) are wrong in
 * many files, and libsndfile, sox and ffmpeg do not look at them: the tag, the channels and the bits decide.
 *
 * @param size of the chunk, of which `bytes` are the first {@link FMT_BYTES} at most
 * @returns a sentence where it can be none
 */
export function readFmt(bytes: Uint8Array, size: number, isBigEndian = false): WavFormat | string {
  if (size < 16) return `the fmt chunk of this WAV file is ${size} bytes long; it needs 16`
  const view = viewOf(bytes)
  const isLittle = !isBigEndian
  const tag = view.getUint16(0, isLittle) // wFormatTag
  const channels = view.getUint16(2, isLittle) // nChannels
  const sampleRate = view.getUint32(4, isLittle) // nSamplesPerSec
  const declaredAlign = view.getUint16(12, isLittle) // nBlockAlign
  const bitsPerSample = view.getUint16(14, isLittle) // wBitsPerSample
  let formatTag = tag
  let channelMask: number | undefined
  if (tag === WAVE_FORMAT_EXTENSIBLE) {
    if (size < FMT_BYTES)
      return `the fmt chunk of this WAVE_FORMAT_EXTENSIBLE file is ${size} bytes long; it needs 40`
    channelMask = view.getUint32(20, isLittle) // dwChannelMask
    // A SubFormat of another family has no format tag: it stays 0xFFFE, which no encoding has.
    const tail = bytes.subarray(28, FMT_BYTES)
    const tails = isBigEndian ? subFormatTails.map(turned) : subFormatTails
    if (tails.some((known) => known.every((byte, i) => tail[i] === byte))) {
      formatTag = view.getUint32(24, isLittle) // SubFormat
    }
  }
  if (channels === 0 || sampleRate === 0) {
    return `this WAV file has ${channels} channels at ${sampleRate} Hz in frames of ${declaredAlign} bytes`
  }
  const format = tryFormat(sampleRate, channels, formatTag, bitsPerSample)
  return {
    format,
    formatTag,
    bitsPerSample,
    blockAlign: format?.bytesPerFrame ?? Math.max(1, declaredAlign),
    channelMask,
    isBigEndian,
    isAmbiguous:
      format?.encoding === 's24le' &&
      bitsPerSample === 24 &&
      declaredAlign === 4 * channels &&
      4 * channels * sampleRate <= 0xffffffff, // else no format has four bytes a sample
  }
}

const WAVE_FORMAT_EXTENSIBLE = 0xfffe

/**
 * How a GUID goes on behind the format tag that is its first field: KSDATAFORMAT_SUBTYPE_* in Microsoft's ksmedia.h, and
 * SUBTYPE_AMBISONIC_B_FORMAT_* in Richard Dobson's specification of AMB files.
 */
const subFormatTails: readonly (readonly number[])[] = [
  subFormatTail,
  [0x21, 0x07, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0x00, 0x00, 0x00],
]

/** The two 16-bit fields that follow a GUID's first one, in the other order of bytes. */
function turned([a, b, c, d, ...rest]: readonly number[]): readonly number[] {
  return [b!, a!, d!, c!, ...rest]
}

function tryFormat(sampleRate: number, channels: number, formatTag: number, bitsPerSample: number) {
  const encoding = encodingOf(formatTag, bitsPerSample)
  if (encoding === undefined) return undefined
  try {
    return pcmFormat({ sampleRate, channels, encoding })
  } catch {
    return undefined
  }
}
