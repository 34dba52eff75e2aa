import { extname } from 'node:path'
import { defineCommand, UsageError } from '../command.ts'
import { envelopesOf, measureLength, peakOf, type Subject, scaleOf } from '../envelope.ts'
import { withFile } from '../examine.ts'
import { checkPlace, forceOption, writeWhole } from '../output.ts'
import type { PictureSize } from '../pictures/svg.ts'
import { brailleLines } from '../terminal/braille.ts'
import { paintFor, widthOf } from '../terminal/style.ts'
import { clockTime, decibels, exactLength } from '../terminal/units.ts'
import { countOf } from '../values.ts'

const formats = ['.svg', '.png']

export const waveform = defineCommand({
  usage: '<in | -> [options]',
  about:
    'Draws a WAV, FLAC, MP3, Ogg, WebM or MP4 file: in the terminal, as wide as that is, or as a picture.',
  operands: [1, 1],
  options: {
    output: { type: 'string', short: 'o', value: 'FILE', about: 'a picture instead: x.svg or x.png' },
    width: { type: 'string', value: 'N', about: 'pixels (default 1200), or characters in the terminal' },
    height: {
      type: 'string',
      value: 'N',
      about: 'pixels (default 300), or lines in the terminal (default 8)',
    },
    force: forceOption,
  },
  async run([input], { output, force = false, ...values }) {
    const width = countOf('width', values.width)
    const height = countOf('height', values.height)
    if (output !== undefined) {
      if (!formats.includes(extname(output).toLowerCase()))
        throw new UsageError(`--output takes a name in ${formats.join(' or ')}, not ${output}`)
      await checkPlace(output, force, input)
    }
    await withFile(input!, async (path) => {
      const name = input === '-' ? 'stdin' : input!
      const subject = await measureLength(path, name)
      if (output === undefined) await drawInTerminal(subject, width, height)
      else await drawPicture(subject, output, { width: width ?? 1200, height: height ?? 300 }, force)
    })
    return 0
  },
})

async function drawInTerminal(subject: Subject, width = widthOf(process.stdout), height = 8): Promise<void> {
  const envelopes = await envelopesOf(subject, width * 2)
  const scale = scaleOf(envelopes)
  const [first] = envelopes
  const low = first!.low.map((_, i) => Math.min(...envelopes.map(({ low }) => low[i]!)) * scale)
  const high = first!.high.map((_, i) => Math.max(...envelopes.map(({ high }) => high[i]!)) * scale)
  const paint = paintFor(process.stdout)
  for (const line of brailleLines(low, high, height)) console.log(paint('cyan', line))
  const [left, right] = [clockTime(0), clockTime(subject.seconds)]
  const peak = `peak ${decibels(20 * Math.log10(peakOf(envelopes)))}`
  const spare = Math.max(2, width - left.length - right.length - peak.length)
  const before = Math.floor(spare / 2)
  console.log(paint('grey', left + ' '.repeat(before) + peak + ' '.repeat(spare - before) + right))
}

async function drawPicture(
  subject: Subject,
  output: string,
  size: PictureSize,
  force: boolean | undefined,
): Promise<void> {
  const envelopes = await envelopesOf(subject, size.width)
  if (extname(output).toLowerCase() === '.svg') {
    const { svgPicture } = await import('../pictures/svg.ts')
    await writeWhole(
      output,
      svgPicture(envelopes, size, `${subject.name}, ${exactLength(subject.seconds)}`),
      force,
    )
  } else {
    const { pngPicture } = await import('../pictures/png.ts')
    await writeWhole(output, pngPicture(envelopes, size), force)
  }
}
