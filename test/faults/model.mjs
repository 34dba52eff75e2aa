import { pcmFormat, wavHeader } from 'wavespool'

/**
 * The input of a recording, and the file at each moment of it: the header exact, whole frames, the pad byte. It was
 * written independently of the code under test, over one Buffer that never changes.
 */
export class Model {
  /**
   * @param {import('./random.mjs').Random} random @param {number} most bytes of samples, or of a file that is no WAV
   */
  constructor(random, most) {
    const kind = random.pick(kinds)
    const header = kind.isWav ? withSizes(headerOf(kind), random.pick(placeholders)) : Buffer.alloc(0)
    /** all bytes that will be written, in their order */
    this.content = Buffer.concat([header, pattern(random.size(most), random.below(1000))])
    // now and then the recording ends within its header
    if (kind.isWav && random.oneOf(12)) this.content = this.content.subarray(0, random.below(header.length))
    this.label = kind.label
    this.isWav = kind.isWav && this.content.length >= header.length
    this.dataStart = this.isWav ? header.length : 0
    this.frame = kind.isWav ? kind.frame : 1
    this.isS16Mono = kind.label === 's16le'
    /** a storage that takes no more has no room for the pad byte either */
    this.isUnpadded = false
  }

  /** Where the samples of a file end that has `size` bytes of the content. @param {number} size */
  dataEnd(size) {
    const { dataStart, frame, isWav } = this
    return !isWav || size < dataStart ? size : size - ((size - dataStart) % frame)
  }

  /** The file when `size` bytes have been written. @param {number} size @param {boolean} isUnpadded */
  at(size, isUnpadded = this.isUnpadded) {
    const { content, dataStart, isWav } = this
    if (!isWav || size < dataStart) return content.subarray(0, size)
    const dataBytes = this.dataEnd(size) - dataStart
    const file = Buffer.alloc(dataStart + dataBytes + (isUnpadded ? 0 : dataBytes % 2))
    content.copy(file, 0, 0, dataStart + dataBytes)
    file.writeUInt32LE(file.length - 8, 4)
    file.writeUInt32LE(dataBytes, dataStart - 4)
    const fact = file.subarray(0, dataStart).indexOf('fact')
    if (fact > 0) file.writeUInt32LE(dataBytes / this.frame, fact + 8)
    return file
  }

  /** The size of the content of a file of `length` bytes, without an incomplete frame. @param {number} length */
  sizeOf(length) {
    if (!this.isWav || length <= this.dataStart) return length
    const data = length - this.dataStart
    return this.dataStart + data - (data % this.frame)
  }

  /** The most of the content that fits where the file may have `maxBytes`. @param {number} maxBytes */
  fitting(maxBytes) {
    let size = Math.min(this.content.length, maxBytes)
    while (this.at(size).length > maxBytes) size -= 1
    return this.dataEnd(size)
  }

  /**
   * The bytes from `start` of a file without the sizes in its header: a follower gets open ones, and until the whole
   * header has come they are unknown.
   *
   * @param {Buffer} bytes @param {number} start
   */
  withoutSizes(bytes, start = 0) {
    const { dataStart, content } = this
    const copy = Buffer.from(bytes)
    if (dataStart === 0) return copy
    const fact = content.subarray(0, dataStart).indexOf('fact')
    const fields = [4, dataStart - 4, ...(fact > 0 ? [fact + 8] : [])]
    for (const at of fields) {
      const [from, to] = [Math.max(0, at - start), Math.max(0, at + 4 - start)]
      copy.fill(0, Math.min(from, copy.length), Math.min(to, copy.length))
    }
    return copy
  }
}

/** @typedef {{ label: string, isWav: boolean, frame: number, hasList?: boolean, format?: object }} Kind */
/** @type {Kind[]} */
const kinds = [
  { label: 's16le', isWav: true, frame: 2, format: {} },
  { label: 'u8', isWav: true, frame: 1, format: { encoding: 'u8' } },
  { label: 'mulaw', isWav: true, frame: 1, format: { encoding: 'mulaw', sampleRate: 8000 } },
  { label: 's24le, three channels', isWav: true, frame: 9, format: { encoding: 's24le', channels: 3 } },
  { label: 'f32le, stereo', isWav: true, frame: 8, format: { encoding: 'f32le', channels: 2 } },
  { label: 's16le of ffmpeg', isWav: true, frame: 2, hasList: true, format: {} },
  { label: 'no WAV', isWav: false, frame: 1 },
]

/** The sizes that writers into a pipe leave behind, RIFF and data, in a header of some length. */
/** @type {((length: number) => [number, number])[]} */
const placeholders = [
  () => [0xffffffff, 0xffffffff],
  () => [0, 0],
  (length) => [length - 8, 0],
  (length) => [0x7ffff000 + length - 8, 0x7ffff000],
  () => [0x7fffffff, 0x7fffffff],
  () => [50, 0xffffffff],
]

/** @param {Kind} kind */
function headerOf({ format, hasList }) {
  const header = /** @type {Buffer} */ (wavHeader(pcmFormat(format)).end().read())
  if (!hasList) return header
  const list = Buffer.from('LIST\x1a\0\0\0INFOISFT\x0e\0\0\0Lavf59.27.100\0', 'latin1')
  return Buffer.concat([header.subarray(0, 36), list, header.subarray(36)])
}

/** @param {Buffer} header @param {(length: number) => [number, number]} sizes */
function withSizes(header, sizes) {
  const [riff, data] = sizes(header.length)
  const copy = Buffer.from(header)
  copy.writeUInt32LE(riff, 4)
  copy.writeUInt32LE(data, copy.length - 4)
  return copy
}

/** Bytes of which no two neighbourhoods look alike. @param {number} length @param {number} salt */
function pattern(length, salt) {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) bytes[i] = 1 + ((i * 167 + (i >> 8) * 13 + (i >> 16) * 7 + salt) % 251)
  return bytes
}
