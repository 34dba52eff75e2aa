import { distance } from '../options.ts'

/** For each option and command, the names that ffmpeg, sox and arecord have for it, and plain guesses. */
const meanings: Record<string, readonly string[]> = {
  rate: ['sample-rate', 'samplerate', 'frequency', 'hz', 'ar', 'r'],
  channels: ['ac', 'c', 'mono', 'stereo'],
  encoding: ['format', 'bits', 'codec', 'sample-format', 'sample-fmt', 'acodec', 'e', 'b'],
  seconds: ['duration', 'time', 'length', 'limit', 't'],
  from: ['input', 'in', 'file', 'source', 'i'],
  output: ['out', 'folder', 'directory'],
  force: ['overwrite', 'yes', 'y', 'replace'],
  device: ['mic', 'microphone'],
  every: ['interval', 'segment-time', 'chunk', 'length', 'duration', 'seconds'],
  'max-size': ['size', 'bytes', 'limit'],
  silence: ['pause', 'until-silence', 'silences'],
  'at-pauses': ['pauses', 'pause'],
  convert: ['resample', 'transcode'],
  info: ['probe', 'show', 'inspect', 'stat', 'soxi'],
  waveform: ['plot', 'draw', 'wave'],
  split: ['cut', 'segment'],
  repair: ['fix'],
  devices: ['list', 'mics', 'microphones'],
}

/** Known names that are similar to a wrong one, the likeliest first. */
export function nearest(wrong: string, known: readonly string[]): string[] {
  // `to-rate` is `rate` for the output
  const base = (name: string) => name.replace(/^to-/, '')
  const meant = known.filter(
    (name) => base(name) === base(wrong) || meanings[base(name)]?.includes(base(wrong)),
  )
  if (meant.length > 0)
    return meant.toSorted((a, b) => Number(b.startsWith('to-')) - Number(a.startsWith('to-')))
  const most = Math.min(2, Math.floor(wrong.length / 3))
  const distances = known.map((name) => ({ name, distance: distance(wrong, name) }))
  const least = Math.min(...distances.map(({ distance }) => distance))
  return least > most ? [] : distances.filter(({ distance }) => distance === least).map(({ name }) => name)
}

/** `; did you mean --rate?`, and nothing where nothing is near. */
export function didYouMean(wrong: string, known: readonly string[], prefix = ''): string {
  const names = nearest(wrong, known).map((name) => prefix + name)
  return names.length === 0 ? '' : `; did you mean ${names.join(' or ')}?`
}
