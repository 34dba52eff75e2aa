import { crc32, deflateSync } from 'node:zlib'
import { type Envelope, scaleOf } from '../envelope.ts'
import { axisColour, backgroundColour, MARGIN, type PictureSize, peakColour, rmsColour } from './svg.ts'

const palette = [backgroundColour, peakColour, rmsColour, axisColour]
const [BACKGROUND, PEAK, RMS, AXIS] = [0, 1, 2, 3] as const

/** The same picture as `svgPicture()`, in pixels. */
export function pngPicture(envelopes: Envelope[], size: PictureSize): Buffer {
  const { width, height } = size
  const scale = scaleOf(envelopes)
  const share = height / envelopes.length
  const pixels = new Uint8Array(width * height).fill(BACKGROUND)
  for (const [channel, { low, high, rms }] of envelopes.entries()) {
    const middle = (channel + 0.5) * share
    const reach = (share / 2) * MARGIN * scale
    const fill = (x: number, bottom: number, top: number, colour: number) => {
      const last = Math.min(height - 1, Math.floor(middle - bottom * reach))
      for (let y = Math.max(0, Math.floor(middle - top * reach)); y <= last; y++)
        pixels[y * width + x] = colour
    }
    for (let x = 0; x < width; x++) {
      const column = Math.floor((x * rms.length) / width)
      fill(x, low[column]!, high[column]!, PEAK)
      fill(x, -rms[column]!, rms[column]!, RMS)
      fill(x, 0, 0, AXIS)
    }
  }
  return encodePng(pixels, size)
}

/** An indexed PNG of 8 bits a pixel, not interlaced, after the W3C's PNG specification, third edition. */
function encodePng(pixels: Uint8Array, { width, height }: PictureSize): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8 // bit depth
  header[9] = 3 // colour type: indexed; compression, filter and interlace methods stay 0
  const lines = Buffer.alloc((width + 1) * height) // in front of each line its filter type, 0: none
  for (let y = 0; y < height; y++) lines.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), // the PNG signature
    pngChunk('IHDR', header),
    pngChunk('PLTE', Buffer.from(palette.flat())),
    pngChunk('IDAT', deflateSync(lines)),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

function pngChunk(type: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const chunk = Buffer.alloc(named.length + 8)
  chunk.writeUInt32BE(body.length, 0)
  chunk.set(named, 4)
  chunk.writeUInt32BE(crc32(named), named.length + 4)
  return chunk
}
