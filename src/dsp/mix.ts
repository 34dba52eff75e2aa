import { ArgumentRangeError } from '../errors.ts'
import { channelMasks } from '../format/channelMask.ts'
import type { Samples } from './scratch.ts'

/** A gain for every input channel, for each output channel. */
export type MixMatrix = readonly (readonly number[])[]

/** The loudspeakers of a dwChannelMask, in the order of its bits: KSAUDIO_SPEAKER_* in Microsoft's ksmedia.h. */
const speakers = [
  'L',
  'R',
  'C',
  'LFE',
  'BL',
  'BR',
  'LC',
  'RC',
  'BC',
  'SL',
  'SR',
  'TC',
  'TL',
  'TF',
  'TR',
  'TBL',
  'TBC',
  'TBR',
] as const

type Speaker = (typeof speakers)[number]
type Gains = Partial<Record<Speaker, number>>

/** The usual speakers of a number of channels. */
const usualMasks: Record<number, number | undefined> = { ...channelMasks, 4: 0x33, 7: undefined } // there are three 6.1

const MINUS_3_DB = Math.SQRT1_2
const MINUS_6_DB = 0.5
const left: readonly Gains[] = [{ L: MINUS_3_DB }, { C: MINUS_6_DB }]
const right: readonly Gains[] = [{ R: MINUS_3_DB }, { C: MINUS_6_DB }]
const middle: readonly Gains[] = [{ L: MINUS_6_DB, R: MINUS_6_DB }, { C: MINUS_6_DB }]

/**
 * Into which speakers one goes that the target has not, by how much: the first of these that the target has all of. The
 * downward mixing of ITU-R BS.775, which leaves the LFE out; side and back speakers are one surround.
 */
const downMix: Record<Speaker, readonly Gains[]> = {
  L: [{ C: MINUS_3_DB }],
  R: [{ C: MINUS_3_DB }],
  C: [{ L: MINUS_3_DB, R: MINUS_3_DB }],
  LFE: [],
  BL: [{ SL: 1 }, ...left],
  BR: [{ SR: 1 }, ...right],
  SL: [{ BL: 1 }, ...left],
  SR: [{ BR: 1 }, ...right],
  BC: [{ BL: MINUS_3_DB, BR: MINUS_3_DB }, { SL: MINUS_3_DB, SR: MINUS_3_DB }, ...middle],
  LC: [{ L: 1 }, { C: MINUS_3_DB }],
  RC: [{ R: 1 }, { C: MINUS_3_DB }],
  TC: middle,
  TF: [{ C: MINUS_3_DB }, ...middle],
  TL: left,
  TR: right,
  TBL: [{ BL: MINUS_3_DB }, { SL: MINUS_3_DB }, ...left],
  TBR: [{ BR: MINUS_3_DB }, { SR: MINUS_3_DB }, ...right],
  TBC: [{ BL: MINUS_6_DB, BR: MINUS_6_DB }, { SL: MINUS_6_DB, SR: MINUS_6_DB }, ...middle],
}

/**
 * How several channels become others, for each number of output channels:
 *
 * - channels that belong to loudspeakers are mixed by ITU-R BS.775: a speaker that the target has keeps its place, one
 *   that it lacks goes into others, and a place that nothing belongs to is silent. Where no mask tells the loudspeakers,
 *   2, 3, 5, 6 and 8 channels are taken for stereo, 3.0, 5.0, 5.1 and 7.1, and 4 for a quadraphony where they become
 *   several;
 * - channels of which it is not known, or which belong to none, become one by their mean.
 *
 * No mix clips: where the gains of a channel add up to more than 1, all are divided by the largest such sum, which
 * keeps the balance. Two channels become one by their mean, therefore.
 *
 * @param mask dwChannelMask of the inputs
 * @throws {ArgumentRangeError} for channels into several whose speakers are unknown
 */
export function mixMatrix(inputs: number, outputs: number, caller: string, mask?: number): MixMatrix {
  const isUnknown = mask === 0 || (mask === undefined && inputs === 4)
  const from = layoutOf(inputs, mask) ?? layoutOf(inputs, usualMasks[inputs])
  const to = layoutOf(outputs, usualMasks[outputs])
  if (outputs === 1 && (from === undefined || isUnknown)) return [new Array(inputs).fill(1 / inputs)]
  if (from === undefined || to === undefined) {
    throw new ArgumentRangeError(
      `${caller}: there is no standard way to make ${outputs} channels of ${inputs}; pick one with { channel }, or make them one (channels: 1)`,
    )
  }
  const columns = from.map((source) => gainsInto(source, to))
  const gains = to.map((speaker) => columns.map((column) => column[speaker] ?? 0))
  const loudest = Math.max(1, ...gains.map((row) => row.reduce((sum, gain) => sum + gain, 0)))
  return gains.map((row) => row.map((gain) => gain / loudest))
}

/** The loudspeaker of each channel; undefined where not all of them are known. */
function layoutOf(channels: number, mask: number | undefined): Speaker[] | undefined {
  if (mask === undefined) return undefined
  const layout = speakers.filter((_, bit) => Math.floor(mask / 2 ** bit) % 2 === 1)
  return layout.length === channels ? layout : undefined
}

function gainsInto(source: Speaker, to: readonly Speaker[]): Gains {
  if (to.includes(source)) return { [source]: 1 }
  const all = (gains: Gains) => Object.keys(gains).every((speaker) => to.includes(speaker as Speaker))
  return downMix[source].find(all) ?? {}
}

/** Mixes interleaved frames into `out`, which has room for as many. */
export function mixChannels(samples: Samples, matrix: MixMatrix, out: Float64Array): void {
  const inputs = matrix[0]!.length
  let at = 0
  for (let frame = 0; frame < samples.length; frame += inputs) {
    for (const gains of matrix) {
      let sum = 0
      for (let channel = 0; channel < inputs; channel++) sum += gains[channel]! * samples[frame + channel]!
      out[at++] = sum
    }
  }
}

/** One channel of interleaved frames, byte for byte. */
export function pickChannel(
  bytes: Uint8Array,
  channel: number,
  { bytesPerSample, bytesPerFrame }: { bytesPerSample: number; bytesPerFrame: number },
): Uint8Array {
  const out = Buffer.allocUnsafe((bytes.length / bytesPerFrame) * bytesPerSample)
  let at = 0
  for (let start = channel * bytesPerSample; start < bytes.length; start += bytesPerFrame) {
    for (let i = 0; i < bytesPerSample; i++) out[at++] = bytes[start + i]!
  }
  return out
}

/** Frames of which every channel is the one that was given, byte for byte. */
export function spreadChannel(
  bytes: Uint8Array,
  { bytesPerSample, bytesPerFrame }: { bytesPerSample: number; bytesPerFrame: number },
): Uint8Array {
  const out = Buffer.allocUnsafe((bytes.length / bytesPerSample) * bytesPerFrame)
  let at = 0
  for (let start = 0; start < bytes.length; start += bytesPerSample) {
    for (const end = at + bytesPerFrame; at < end; ) {
      for (let i = 0; i < bytesPerSample; i++) out[at++] = bytes[start + i]!
    }
  }
  return out
}
