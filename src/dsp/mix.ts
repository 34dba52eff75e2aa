import { ArgumentRangeError } from '../errors.ts'

/** A gain for every input channel, for each output channel. */
export type MixMatrix = readonly (readonly number[])[]

type Speaker = 'L' | 'R' | 'C' | 'LFE' | 'Ls' | 'Rs'

/** What a number of channels means where nothing else is said, in the order of a WAV file. */
const layouts: Record<number, readonly Speaker[]> = {
  1: ['C'],
  2: ['L', 'R'],
  3: ['L', 'R', 'C'],
  4: ['L', 'R', 'Ls', 'Rs'],
  5: ['L', 'R', 'C', 'Ls', 'Rs'],
  6: ['L', 'R', 'C', 'LFE', 'Ls', 'Rs'],
}

const MINUS_3_DB = Math.SQRT1_2
/** Into which speakers one goes that the target has not, by how much: the downward mixing of ITU-R BS.775, which leaves the LFE out. */
const downMix: Record<Speaker, Partial<Record<Speaker, number>>> = {
  L: { C: MINUS_3_DB },
  R: { C: MINUS_3_DB },
  C: { L: MINUS_3_DB, R: MINUS_3_DB },
  LFE: {},
  Ls: { L: MINUS_3_DB, C: 0.5 },
  Rs: { R: MINUS_3_DB, C: 0.5 },
}

/**
 * How several channels become others, for each number of output channels:
 *
 * - 2 to 6 channels are taken for stereo, 3/0, quadraphony, 5.0 and 5.1, and are mixed by ITU-R BS.775: a speaker that
 *   the target has keeps its place, one that it lacks goes into others, and a place that nothing belongs to is silent;
 * - more than 6 have no such meaning: they become one by their mean.
 *
 * No mix clips: where the gains of a channel add up to more than 1, all are divided by the largest such sum, which
 * keeps the balance. Two channels become one by their mean, therefore.
 *
 * @throws {ArgumentRangeError} for more than 6 channels into several
 */
export function mixMatrix(inputs: number, outputs: number, caller: string): MixMatrix {
  const [from, to] = [layouts[inputs], layouts[outputs]]
  if (outputs === 1 && from === undefined) return [new Array(inputs).fill(1 / inputs)]
  if (from === undefined || to === undefined) {
    throw new ArgumentRangeError(
      `${caller}: there is no standard way to make ${outputs} channels of ${inputs}; pick one with { channel }, or make them one (channels: 1)`,
    )
  }
  const gains = to.map((speaker) =>
    from.map((source) =>
      to.includes(source) ? Number(source === speaker) : (downMix[source][speaker] ?? 0),
    ),
  )
  const loudest = Math.max(1, ...gains.map((row) => row.reduce((sum, gain) => sum + gain, 0)))
  return gains.map((row) => row.map((gain) => gain / loudest))
}

/** Mixes interleaved frames into `out`, which has room for as many. */
export function mixChannels(samples: Float64Array, matrix: MixMatrix, out: Float64Array): void {
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
  const out = Buffer.allocUnsafeSlow((bytes.length / bytesPerFrame) * bytesPerSample)
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
  const out = Buffer.allocUnsafeSlow((bytes.length / bytesPerSample) * bytesPerFrame)
  let at = 0
  for (let start = 0; start < bytes.length; start += bytesPerSample) {
    for (const end = at + bytesPerFrame; at < end; ) {
      for (let i = 0; i < bytesPerSample; i++) out[at++] = bytes[start + i]!
    }
  }
  return out
}
