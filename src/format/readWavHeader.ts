import { WavespoolError } from '../errors.ts'
import { type Encoding, encodingOf } from './encoding.ts'
import { type PcmFormat, pcmFormat } from './pcmFormat.ts'
import { DS64_BYTES, subFormatTail, type WavSizeFields } from './wavHeader.ts'

/** What stands in front of the samples of a WAV file. */
export interface WavHeader extends WavSizeFields {
  container: 'RIFF' | 'RF64'
  /** undefined where the samples are in an encoding that Wavespool does not know (ADPCM, say) */
  format: PcmFormat | undefined
  /** wFormatTag, or that of the SubFormat */
  formatTag: number
  /** nBlockAlign: bytes that belong together */
  blockAlign: number
  /** position of the first sample */
  dataStart: number
  /** the size of the data as the header has it, right or wrong */
  dataBytes: number
  /** the size behind the RIFF chunk's size field as the header has it, right or wrong */
  riffBytes: number
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

/** {@link readWavHeader} without the exception. Cheap to call again with more bytes: it looks at chunk headers only. */
export function scanWavHeader(bytes: Uint8Array): WavHeaderScan {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const container = startOf(bytes)
  if (typeof container !== 'string') return container
  let at = 12
  let fmt: Fmt | undefined
  let factAt: number | undefined
  let ds64At: number | undefined
  for (;;) {
    if (at + 8 > bytes.length) return {}
    const id = fourCC(bytes, at)
    const size = view.getUint32(at + 4, true)
    const body = at + 8
    if (id === 'data') {
      if (fmt === undefined) return { fault: 'this WAV file has no fmt chunk in front of its data' }
      const is64 = container === 'RF64' && ds64At !== undefined
      return {
        header: {
          container,
          ...fmt,
          ds64At,
          factAt,
          dataSizeAt: at + 4,
          dataStart: body,
          dataBytes: is64 && size === 0xffffffff ? u64(view, ds64At! + 8) : size,
          riffBytes:
            is64 && view.getUint32(4, true) === 0xffffffff ? u64(view, ds64At!) : view.getUint32(4, true),
        },
      }
    }
    if (body + Math.min(size, 40) > bytes.length) return {}
    if (id === 'fmt ') {
      const read = readFmt(bytes, body, size)
      if (typeof read === 'string') return { fault: read }
      fmt = read
    } else if (id === 'fact' && size >= 4) {
      factAt = body
    } else if ((id === 'ds64' || (id === 'JUNK' && at === 12)) && size >= DS64_BYTES) {
      ds64At = body
    }
    const end = body + size
    if (end + 9 > bytes.length && end + 8 !== bytes.length) return {}
    at = end + (size % 2 === 1 && !lacksPad(bytes, end) ? 1 : 0)
  }
}

type Fmt = Pick<WavHeader, 'format' | 'formatTag' | 'blockAlign'>

function startOf(bytes: Uint8Array): 'RIFF' | 'RF64' | WavHeaderScan {
  const id = fourCC(bytes, 0)
  const container = (['RIFF', 'RF64'] as const).find((known) => known.startsWith(id))
  if (container === undefined) {
    return {
      fault: id.startsWith('RIFX')
        ? 'this is a RIFX file, whose numbers are big-endian; convert it to RIFF first (sox in.wav -L out.wav)'
        : `this is no WAV file: it begins with ${JSON.stringify(id)} instead of "RIFF" or "RF64"`,
    }
  }
  const form = fourCC(bytes, 8)
  if (!'WAVE'.startsWith(form)) return { fault: `this RIFF file holds ${JSON.stringify(form)}, not "WAVE"` }
  return bytes.length < 12 ? {} : container
}

function readFmt(bytes: Uint8Array, at: number, size: number): Fmt | string {
  if (size < 16) return `the fmt chunk of this WAV file is ${size} bytes long; it needs 16`
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, Math.min(size, 40))
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
  return { formatTag, blockAlign, format: encoding && tryFormat(sampleRate, channels, encoding, blockAlign) }
}

function tryFormat(sampleRate: number, channels: number, encoding: Encoding, blockAlign: number) {
  try {
    const format = pcmFormat({ sampleRate, channels, encoding })
    return format.bytesPerFrame === blockAlign ? format : undefined
  } catch {
    return undefined
  }
}

/** Some writers leave out the pad byte behind an odd chunk: then the next chunk's name stands where it should be. */
function lacksPad(bytes: Uint8Array, end: number): boolean {
  return !knownChunks.has(fourCC(bytes, end + 1)) && knownChunks.has(fourCC(bytes, end))
}

const knownChunks = new Set(
  'fmt ,data,fact,LIST,JUNK,junk,PAD ,FLLR,bext,cue ,smpl,inst,id3 ,ID3 ,iXML,_PMX,PEAK,cart,ds64'.split(','),
)

function fourCC(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4))
}

function u64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true))
}
