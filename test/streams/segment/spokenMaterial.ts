import { run } from '../../oracles/tools.ts'

/** Long ones and one-word ones, ones that begin or end with sounds that noise hides, some with a comma in them. */
const sentences = [
  ['en', 'The north wind and the sun were arguing about who was the stronger.'],
  ['en+f3', 'Hello.'],
  ['en+m5', 'Please call me back before six o clock.'],
  ['en', 'She sells sea shells by the sea shore.'],
  ['en+f3', 'Yes, of course.'],
  ['en+m5', 'What time does the train leave for London?'],
  ['de', 'Morgen früh um sechs fährt der letzte Zug nach Hamburg.'],
  ['en', 'I have never heard anything like that before in my whole life.'],
  ['en+f3', 'Stop.'],
  ['en+m5', 'Fifty five thousand three hundred and twenty.'],
  ['fr', 'Où est la gare, s’il vous plaît?'],
  ['en', 'The quick brown fox jumps over the lazy dog.'],
  ['en+f3', 'Thank you very much, and good night.'],
  ['en+m5', 'Four score and seven years ago our fathers brought forth a new nation.'],
] as const

/** Seconds of noise in front of each sentence: the first one is the time that a detector gets to know the noise. */
const pauses = [6, 0.8, 1.2, 0.9, 2, 0.8, 1.5, 0.85, 1.1, 3, 0.8, 1, 1.7, 0.8] as const
const TAIL = 1

/** A sentence is taken to begin and end where it is louder than a hundredth of its peak. */
const EDGE = 0.01

export interface Spoken {
  samples: Float32Array
  /** where the sentences lie, in frames */
  sentences: { text: string; start: number; end: number }[]
}

export interface SpokenOptions {
  sampleRate?: number
  /** root mean square of every sentence, of a full scale of 1 (default 0.1: −20 dBFS) */
  level?: number
  /** dB from there down to the noise */
  snr: number
  /** seconds by which the noise, always the same, is moved */
  shift?: number
}

/** Sentences said by espeak-ng in pink noise from sox: the same samples every time. */
export function spoken({ sampleRate = 16_000, level = 0.1, snr, shift = 0 }: SpokenOptions): Spoken {
  const voices = sentences.map(([voice, text]) => say(voice, text, sampleRate))
  const places: Spoken['sentences'] = []
  let at = 0
  for (const [i, voice] of voices.entries()) {
    const start = at + Math.round(pauses[i]! * sampleRate)
    at = start + voice.length
    places.push({ text: sentences[i]![1], start, end: at })
  }
  const samples = pinkNoise(at / sampleRate + TAIL, sampleRate, shift)
  const noiseLevel = rms(samples)
  const noiseGain = (level * 10 ** (-snr / 20)) / noiseLevel
  for (let i = 0; i < samples.length; i++) samples[i]! *= noiseGain
  for (const [i, voice] of voices.entries()) {
    const gain = level / rms(voice)
    for (let k = 0; k < voice.length; k++) samples[places[i]!.start + k]! += voice[k]! * gain
  }
  return { samples, sentences: places }
}

const said = new Map<string, Float32Array>()

function say(voice: string, text: string, sampleRate: number): Float32Array {
  const key = `${voice} ${sampleRate} ${text}`
  const known = said.get(key)
  if (known !== undefined) return known
  const wav = run('espeak-ng', ['-v', voice, '-s', '150', '--stdout', text])
  const raw = ['-t', 'f32', '-e', 'floating-point', '-c', '1', '-r', String(sampleRate), '-']
  const all = floats(run('sox', ['-R', '-D', '-t', 'wav', '--ignore-length', '-', ...raw], wav))
  const edge = EDGE * all.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)
  const isLoud = (sample: number) => Math.abs(sample) >= edge
  const result = all.subarray(all.findIndex(isLoud), all.findLastIndex(isLoud) + 1)
  said.set(key, result)
  return result
}

function pinkNoise(seconds: number, sampleRate: number, shift: number): Float32Array {
  const synth = ['synth', String(seconds + shift), 'pinknoise']
  const all = floats(
    run('sox', ['-R', '-D', '-n', '-t', 'f32', '-c', '1', '-r', String(sampleRate), '-', ...synth]),
  )
  return all.subarray(all.length - Math.round(seconds * sampleRate))
}

function floats(bytes: Buffer): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer)
}

function rms(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
}
