import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { pattern } from '../format/arbitraries.ts'

/** A stream of bytes that begins with a WAV header with wrong sizes, and the right sizes. */
export interface Recorded {
  label: string
  bytes: Buffer
  dataStart: number
  frame: number
}

function sized(header: Uint8Array, riff: number, data: number): Buffer {
  const copy = Buffer.from(header)
  copy.writeUInt32LE(riff, 4)
  copy.writeUInt32LE(data, copy.length - 4)
  return copy
}

const mono = makeWavHeader(pcmFormat())
/** as `ffmpeg -f wav -` puts it: LIST INFO ISFT between `fmt ` and `data` */
const ffmpeg = Buffer.concat([
  mono.subarray(0, 36),
  Buffer.from('LIST\x1a\0\0\0INFOISFT\x0e\0\0\0Lavf59.27.100\0', 'latin1'),
  mono.subarray(36),
])

const open = 0xffffffff
const headers: [string, Buffer, number][] = [
  ['wavHeader()', sized(mono, open, open), 2],
  ['wavHeader() of u8', Buffer.from(makeWavHeader(pcmFormat({ encoding: 'u8' }))), 1],
  [
    'wavHeader() of three channels of s24le',
    Buffer.from(makeWavHeader(pcmFormat({ encoding: 's24le', channels: 3 }))),
    9,
  ],
  ['wavHeader() of mulaw', Buffer.from(makeWavHeader(pcmFormat({ encoding: 'mulaw' }))), 1],
  ['wavHeader({ rf64 })', Buffer.from(makeWavHeader(pcmFormat({ channels: 2 }), { rf64: true })), 4],
  ['wavHeader({ dataBytes }) cut short', Buffer.from(makeWavHeader(pcmFormat(), { dataBytes: 5000 })), 2],
  ['ffmpeg -f wav -', sized(ffmpeg, open, open), 2],
  ['sox -t wav -', sized(mono, 0x7ffff024, 0x7ffff000), 2],
  ['npm wav', sized(mono, 2 ** 32 - 101 + 36, 2 ** 32 - 101), 2],
  ['zeros', sized(mono, 0, 0), 2],
  ['zeros with the header counted', sized(mono, 36, 0), 2],
  ['0x7FFFFFFF', sized(mono, 0x7fffffff, 0x7fffffff), 2],
  ['open data behind a RIFF size of some other moment', sized(mono, 50, open), 2],
]

/** 301 bytes behind each: an odd number, and half a frame wherever there can be one. */
export const recordings: Recorded[] = headers.map(([label, header, frame]) => ({
  label,
  bytes: Buffer.concat([header, pattern(301)]),
  dataStart: header.length,
  frame,
}))

/** The file after `size` bytes of a recording: the header exact, the rest unchanged. */
export function momentOf({ bytes, dataStart, frame }: Recorded, size: number): Buffer {
  if (size < dataStart) return bytes.subarray(0, size)
  const dataBytes = size - dataStart - ((size - dataStart) % frame)
  const file = Buffer.alloc(dataStart + dataBytes + (dataBytes % 2))
  bytes.copy(file, 0, 0, dataStart + dataBytes)
  file.writeUInt32LE(file.length - 8, 4)
  file.writeUInt32LE(dataBytes, dataStart - 4)
  const factAt = file.subarray(0, dataStart).indexOf('fact')
  if (factAt > 0) file.writeUInt32LE(dataBytes / frame, factAt + 8)
  return file
}
