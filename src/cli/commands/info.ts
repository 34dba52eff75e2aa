import { stat } from 'node:fs/promises'
import { LevelMeter } from '../../dsp/levels.ts'
import { printable } from '../../errors.ts'
import type { WavFault } from '../../format/diagnoseWav.ts'
import type { InfoTags } from '../../format/infoTags.ts'
import type { PcmFormatOptions } from '../../format/pcmFormat.ts'
import { defineCommand } from '../command.ts'
import { sentenceOf } from '../errorReporter.ts'
import { examine, withFile } from '../examine.ts'
import { describeFormat } from '../formatOptions.ts'
import { type Compression, openInput, showProgress } from '../input.ts'
import { paintFor, toJson } from '../terminal/style.ts'
import { byteSize, decibels, exactLength } from '../terminal/units.ts'
import { wrapped } from '../terminal/wrap.ts'

interface ChannelLevel {
  /** dBFS; null is silence, as JSON has no infinity */
  peak: number | null
  rms: number | null
  /** samples at full scale */
  clipped: number
  /** samples that are infinite or no number, where there are any */
  nonFinite?: number
}

interface Info extends Partial<Compression> {
  path: string
  /** of the file, in bytes */
  size: number
  /** bits a second of the whole file, where it is compressed */
  bitrate?: number
  format: PcmFormatOptions
  frames: number
  seconds: number
  channels: ChannelLevel[]
  faults: WavFault[]
  tags: InfoTags
}

export const info = defineCommand({
  usage: '<in… | -> [options]',
  about:
    'Tells of WAV, FLAC, MP3, Ogg, WebM and MP4 files the format, the duration, the level of each channel and how many samples are clipped; of WAV files also the faults of the header, and the tags. - is stdin.',
  operands: [1, Number.POSITIVE_INFINITY],
  options: {
    json: { type: 'boolean', about: 'a JSON array on stdout, one object a file' },
  },
  async run(paths, { json }) {
    const found: Info[] = []
    let exitCode = 0
    for (const path of paths) {
      try {
        const info = await withFile(path, (file) => measure(file, path))
        found.push(info)
        if (!json) print(info)
      } catch (error) {
        // the others are told of all the same
        process.stderr.write(`wavespool info: ${sentenceOf(error)}\n`)
        exitCode = 1
      }
    }
    if (json) console.log(toJson(found))
    return exitCode
  },
})

async function measure(file: string, path: string): Promise<Info> {
  const found = await examine(file)
  const size = found?.size ?? (await stat(file)).size
  const input = await openInput(file, { name: path === '-' ? 'stdin' : path, isNeverRaw: true })
  const { sampleRate, channels, encoding } = input.format
  const meter = new LevelMeter(input.format)
  const hide = showProgress(input, `${path}:`)
  try {
    for await (const bytes of input.source) meter.add(bytes)
  } finally {
    hide()
  }
  const { frames } = meter
  const bitrate = Math.round((size * 8 * sampleRate) / Math.max(1, frames))
  return {
    path,
    size,
    ...(input.compression && { ...input.compression, bitrate }),
    format: { sampleRate, channels, encoding },
    frames,
    seconds: frames / sampleRate,
    channels: meter.take().channels.map(({ peak, rms, clipped, nonFinite }) => ({
      peak: finite(peak),
      rms: finite(rms),
      clipped,
      ...(nonFinite !== undefined && { nonFinite }),
    })),
    faults: found?.diagnosis.faults ?? [],
    tags: input.tags,
  }
}

function finite(level: number): number | null {
  return Number.isFinite(level) ? level : null
}

function print(info: Info): void {
  const { path, size, bitrate, format, frames, seconds, channels, faults, tags } = info
  const paint = paintFor(process.stdout)
  const row = (name: string, text: string, show = (shown: string) => shown) =>
    console.log(`  ${name.padEnd(10)} ${show(wrapped(text, 13, process.stdout))}`)
  console.log(printable(path))
  row('format', describeFormat(format, nameOf(info)))
  if (bitrate !== undefined) row('bitrate', `${(bitrate / 1000).toFixed(bitrate < 99_950 ? 1 : 0)} kbit/s`)
  row('duration', `${exactLength(seconds)}, ${frames} frames`)
  row('size', `${byteSize(size)}, ${size} bytes`)
  for (const [i, { peak, rms, clipped, nonFinite = 0 }] of channels.entries()) {
    const level = `peak ${loud(peak)}, RMS ${loud(rms)}`
    row(
      channels.length === 1 ? 'level' : `channel ${i + 1}`,
      peak === null && nonFinite === 0 ? paint('yellow', 'silence') : level,
    )
    if (nonFinite > 0)
      row('floats', `${nonFinite} samples are infinite or no number`, (text) => paint('red', text))
    if (clipped > 0) row('clipping', `${clipped} samples`, (text) => paint('red', text))
  }
  for (const [name, text] of Object.entries(tags)) row(printable(name), printable(text))
  for (const { message } of faults)
    row('fault', `${printable(message)} (wavespool repair)`, (text) => paint('red', text))
}

const names: Record<string, string> = { webm: 'WebM', ogg: 'Ogg', opus: 'Opus', vorbis: 'Vorbis' }

/** `Opus in WebM`, `FLAC`; undefined where it is not compressed. */
function nameOf({ container, codec }: Info): string | undefined {
  if (container === undefined || codec === undefined) return undefined
  const [outer, inner] = [container, codec].map((name) => names[name] ?? name.toUpperCase())
  return container === codec || container === 'mp3' ? inner : `${inner} in ${outer}`
}

function loud(level: number | null): string {
  return decibels(level ?? Number.NEGATIVE_INFINITY)
}
