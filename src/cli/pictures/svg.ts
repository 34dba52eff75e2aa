import { type Envelope, scaleOf } from '../envelope.ts'

/** Red, green and blue, 0 to 255. */
export const backgroundColour = [255, 255, 255] as const
export const peakColour = [143, 184, 222] as const
export const rmsColour = [38, 99, 155] as const
export const axisColour = [90, 90, 90] as const

/** The part of its share of the height that the loudest sample takes. */
export const MARGIN = 0.96

export interface PictureSize {
  /** pixels */
  width: number
  height: number
}

/** The channels below one another: all samples in a light colour, the root of the mean square in a dark one. */
export function svgPicture(envelopes: Envelope[], { width, height }: PictureSize, title: string): string {
  const scale = scaleOf(envelopes)
  const share = height / envelopes.length
  const shapes = envelopes.flatMap(({ low, high, rms }, channel) => {
    const middle = (channel + 0.5) * share
    const reach = (share / 2) * MARGIN * scale
    const below = rms.map((value) => -value)
    return [
      `<path fill="${hex(peakColour)}" d="${outline(low, high, middle, reach, width)}"/>`,
      `<path fill="${hex(rmsColour)}" d="${outline(below, rms, middle, reach, width)}"/>`,
      `<path stroke="${hex(axisColour)}" d="M0 ${short(middle)}H${width}"/>`,
    ]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="${hex(backgroundColour)}"/>`,
    ...shapes,
    '</svg>\n',
  ].join('\n')
}

/** There along the top, and back along the bottom. */
function outline(
  low: Float32Array,
  high: Float32Array,
  middle: number,
  reach: number,
  width: number,
): string {
  const step = width / low.length
  const point = (value: number, i: number) => `${short((i + 0.5) * step)} ${short(middle - value * reach)}`
  return `M${[...Array.from(high, point), ...Array.from(low, point).reverse()].join('L')}Z`
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100)
}

function hex(colour: readonly number[]): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}

function escapeXml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no way to hold them
  return text.replace(/[&<>"]/g, (char) => entities[char]!).replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, '?')
}
