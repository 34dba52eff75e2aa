import { reduceRates } from '../dsp/rates.ts'
import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import {
  checkArguments,
  type MockSource,
  type MockSourceOptions,
  mockSourceOptions,
  pcmSource,
} from './mockSource.ts'
import { sampleWriters } from './sampleWriter.ts'

/** The options of `tone()`. */
export interface ToneOptions extends MockSourceOptions {
  /** Hz, up to half the sample rate (default 440) */
  frequency?: number
  /** level of the peak in dBFS, at most 0 (default -12) */
  level?: number
}

/**
 * A sine wave, the same in every channel, in all encodings but mulaw and alaw.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format or option
 *
 * @example
 * const microphone = tone(format, { frequency: 1000, duration: { seconds: 3 } })
 * await pipeline(microphone, wavHeader(format), memo)
 */
export function tone(format: PcmFormat, options: ToneOptions = {}): MockSource {
  const checked = checkArguments(
    format,
    options,
    'tone()',
    [...mockSourceOptions, 'frequency', 'level'],
    Object.keys(sampleWriters),
  )
  const { frequency = 440, level = -12 } = options
  for (const [name, value, max] of [
    ['frequency', frequency, checked.sampleRate / 2],
    ['level', level, 0],
  ] as const) {
    if (typeof value !== 'number')
      throw new ArgumentTypeError(`tone(): ${name} must be a number, got ${show(value)}`)
    const min = name === 'frequency' ? 0 : Number.NEGATIVE_INFINITY
    if (!(value > min && value <= max)) {
      throw new ArgumentRangeError(
        `tone(): ${name} must be more than ${min} and at most ${max}, got ${value}`,
      )
    }
  }
  const sines = (from: number, to: number) => sineWave(checked, frequency, level, from, to)
  return pcmSource(
    checked,
    options,
    'tone()',
    Number.isInteger(frequency) ? periodic(checked, frequency, sines) : sines,
  )
}

type Take = (from: number, to: number) => Buffer

/** A whole number of Hz comes round within a second: one period is computed, the rest is copied. */
function periodic({ sampleRate, bytesPerFrame }: PcmFormat, frequency: number, sines: Take): Take {
  const frames = reduceRates(frequency, sampleRate).to
  const period = sines(0, frames)
  return (from, to) => {
    const bytes = Buffer.allocUnsafeSlow((to - from) * bytesPerFrame)
    let at = period.copy(bytes, 0, (from % frames) * bytesPerFrame)
    // each copy doubles the filled part: few copies, however short the period
    if (at < bytes.length) at += period.copy(bytes, at)
    const start = at - period.length
    while (at < bytes.length) at += bytes.copy(bytes, at, start, at)
    return bytes
  }
}

function sineWave(format: PcmFormat, frequency: number, level: number, from: number, to: number): Buffer {
  const { channels, bytesPerSample, bytesPerFrame, encoding, sampleRate } = format
  const write = sampleWriters[encoding]!
  const peak = 10 ** (level / 20)
  const bytes = Buffer.allocUnsafeSlow((to - from) * bytesPerFrame)
  let at = 0
  for (let frame = from; frame < to; frame++) {
    // the phase in cycles, without its whole part: exact in the tenth hour too
    const value =
      peak * Math.sin(2 * Math.PI * (((frame % sampleRate) * frequency) / sampleRate + wholeSeconds(frame)))
    for (let channel = 0; channel < channels; channel++, at += bytesPerSample) write(bytes, value, at)
  }
  return bytes

  function wholeSeconds(frame: number): number {
    return (Math.floor(frame / sampleRate) * frequency) % 1
  }
}
