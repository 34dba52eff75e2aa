import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'

/**
 * dwChannelMask for the usual loudspeaker layouts, KSAUDIO_SPEAKER_* in Microsoft's ksmedia.h: mono, stereo, 3.0, 5.0,
 * 5.1, 6.1 and 7.1 surround.
 */
export const channelMasks: Readonly<Record<number, number>> = {
  1: 0x4,
  2: 0x3,
  3: 0x7,
  5: 0x37,
  6: 0x3f,
  7: 0x13f,
  8: 0x63f,
}

/** @throws {ArgumentTypeError | ArgumentRangeError} for what is no dwChannelMask of so many channels */
export function checkChannelMask(mask: unknown, channels: number, caller = 'wavHeader()'): void {
  if (mask === undefined) return
  if (typeof mask !== 'number') {
    throw new ArgumentTypeError(`${caller}: channelMask must be a number, got ${show(mask)}`)
  }
  if (!Number.isInteger(mask) || mask < 0 || mask > 0xffffffff || speakersIn(mask) > channels) {
    throw new ArgumentRangeError(
      `${caller}: channelMask must have a bit for each of ${channels} channels at most, got ${mask}`,
    )
  }
}

/** How many loudspeakers a dwChannelMask names. */
export function speakersIn(mask: number): number {
  let count = 0
  for (let rest = mask; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2
  return count
}
