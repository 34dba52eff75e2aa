import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { encodings } from '../format/encoding.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { type Span, spanFrames } from '../format/span.ts'
import {
  checkArguments,
  type MockSource,
  type MockSourceOptions,
  mockSourceOptions,
  pcmSource,
} from './mockSource.ts'
import { sampleWriters } from './sampleWriter.ts'

/** The options of `speech()`. */
export interface SpeechOptions extends MockSourceOptions {
  /** length of a sentence (default 1.6 s) */
  sentence?: Span
  /** length of the silence in front of each sentence (default 0.8 s) */
  pause?: Span
  /** level of the loudest peak in dBFS, at most 0 (default -6) */
  level?: number
}

/** Where a sentence stands in the stream: frames, `end` exclusive. */
export interface Sentence {
  /** its first frame */
  start: number
  /** the frame behind its last one */
  end: number
}

/** `speech()` returns one: a {@link MockSource} that knows where its sentences are. */
export interface SpeechSource extends MockSource {
  /** The place of a sentence, counted from 0. @throws {ArgumentRangeError} for no whole number from 0 */
  sentence(index: number): Sentence
}

/**
 * Speech-like material: pause, sentence, pause, sentence, …, each in its known place. A sentence is a row of syllables
 * of voiced sound, a buzz of falling pitch through the formants of vowels: no intelligible speech.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format or option
 *
 * @example
 * const caller = speech(format, { sentence: { seconds: 2 }, duration: { seconds: 10 } })
 * const { start, end } = caller.sentence(0)
 */
export function speech(format: PcmFormat, options: SpeechOptions = {}): SpeechSource {
  const checked = checkArguments(
    format,
    options,
    'speech()',
    [...mockSourceOptions, 'sentence', 'pause', 'level'],
    Object.keys(sampleWriters),
  )
  const { sentence = { seconds: 1.6 }, pause = { seconds: 0.8 }, level = -6 } = options
  const sentenceFrames = spanFrames(checked, sentence, 'speech(): sentence')
  const pauseFrames = spanFrames(checked, pause, 'speech(): pause')
  if (typeof level !== 'number')
    throw new ArgumentTypeError(`speech(): level must be a number, got ${show(level)}`)
  if (!(level <= 0)) throw new ArgumentRangeError(`speech(): level must be at most 0 dBFS, got ${level}`)

  const period = pauseFrames + sentenceFrames
  let round: Buffer | undefined
  const source = pcmSource(checked, options, 'speech()', (from, to) => {
    round ??= encode(voice(checked.sampleRate, sentenceFrames), pauseFrames, 10 ** (level / 20), checked)
    const bytes = Buffer.allocUnsafeSlow((to - from) * checked.bytesPerFrame)
    let at = round.copy(bytes, 0, (from % period) * checked.bytesPerFrame)
    while (at < bytes.length) at += round.copy(bytes, at)
    return bytes
  })
  return Object.assign(source, {
    sentence(index: number): Sentence {
      if (!Number.isSafeInteger(index) || index < 0) {
        throw new ArgumentRangeError(`sentence() takes a whole number from 0, got ${show(index)}`)
      }
      return { start: index * period + pauseFrames, end: (index + 1) * period }
    },
  })
}

/** Seconds; the dips between the syllables are part of the sentence. */
const SYLLABLE = 0.2
/** Hz: the two first formants of a, i, o and u, and how wide they are. */
const vowels = [
  [700, 1100],
  [300, 2200],
  [450, 800],
  [320, 700],
] as const
/** of one syllable after another */
const loudness = [0.6, 1, 0.5, 0.85, 0.7] as const
const FORMANT_WIDTH = 180
const HARMONICS = 20

function voice(sampleRate: number, frames: number): Float64Array {
  const samples = new Float64Array(frames)
  const syllables = Math.max(1, Math.round(frames / sampleRate / SYLLABLE))
  let phase = 0
  for (let i = 0; i < frames; i++) {
    const place = (i * syllables) / frames
    const formants = vowels[Math.floor(place) % vowels.length]!
    const hertz = 160 - (50 * i) / frames
    phase += (2 * Math.PI * hertz) / sampleRate
    let sum = 0
    for (let n = 1; n <= HARMONICS && n * hertz < sampleRate / 2; n++) {
      let weight = 0.05 / n
      for (const formant of formants) weight += Math.exp(-(((n * hertz - formant) / FORMANT_WIDTH) ** 2))
      sum += weight * Math.sin(n * phase)
    }
    // between two syllables the voice falls, but the sentence goes on; half a sample in, so that it begins with sound
    const swell = Math.sin(Math.PI * (((i + 0.5) * syllables) / frames - Math.floor(place)))
    samples[i] = Math.tanh(sum) * Math.sqrt(Math.abs(swell)) * loudness[Math.floor(place) % loudness.length]!
  }
  return samples
}

function encode(samples: Float64Array, pauseFrames: number, peak: number, format: PcmFormat): Buffer {
  const { channels, bytesPerSample, bytesPerFrame, encoding } = format
  const write = sampleWriters[encoding]!
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1e-9)
  const bytes = Buffer.alloc((pauseFrames + samples.length) * bytesPerFrame, encodings[encoding].silentByte)
  let at = pauseFrames * bytesPerFrame
  for (const sample of samples) {
    for (let c = 0; c < channels; c++, at += bytesPerSample) write(bytes, (sample / loudest) * peak, at)
  }
  return bytes
}
