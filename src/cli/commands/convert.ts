import { checkExpansion, mostBytesOf } from '../../dsp/expansion.ts'
import { convert as convertStage } from '../../streams/convert.ts'
import { codecOptions } from '../codecOptions.ts'
import { defineCommand, UsageError } from '../command.ts'
import {
  inputFormat,
  rawFormatOptions,
  targetChanges,
  targetFormat,
  targetFormatOptions,
} from '../formatOptions.ts'
import { openInput, showProgress } from '../input.ts'
import { checkOutput, forceOption, noTagsOption, sizeOptions, writeAudio } from '../output.ts'
import { countOf } from '../values.ts'

export const convert = defineCommand({
  usage: '<in | -> <out | -> [options]',
  about:
    'Writes another sample rate, number of channels or encoding, or another kind of file: WAV, FLAC, MP3, Ogg, WebM and MP4 are read; its name chooses the output, .wav, .flac, .mp3, .ogg or .opus, and .raw or .pcm for samples without a header. From WAV to WAV tags are kept, and the loudspeakers where the channels stay.',
  operands: [2, 2],
  options: {
    ...codecOptions,
    ...targetFormatOptions,
    channel: { type: 'string', value: 'N', about: 'take only this channel, counted from 1' },
    'no-tags': noTagsOption,
    all: {
      type: 'boolean',
      about: 'read all WAV files that follow one another in the input, not the first alone',
    },
    ...rawFormatOptions,
    force: forceOption,
  },
  async run([from, to], values) {
    const channel = countOf('channel', values.channel)
    targetChanges(values) // wrong values are an error before anything is opened
    const output = await checkOutput(to!, { overwrite: values.force, input: from, compression: values })
    const input = await openInput(from!, { raw: inputFormat(values), isAll: values.all, isConverted: true })
    const hide = showProgress(input, 'converted')
    try {
      const { channels } = input.format
      if (channel !== undefined && channel > channels) {
        throw new UsageError(`--channel ${channel}: ${from} has ${channels}, and the first is 1`)
      }
      const one = channel === undefined ? {} : { 'to-channels': '1' }
      const format = targetFormat(input.written, { ...values, ...one })
      if (input.bytes !== undefined) {
        const remedy = 'choose a lower --to-rate, or pipe the input in, which has no such limit'
        checkExpansion(input.bytes, input.format, format, mostBytesOf(input.bytes), from!, remedy)
      }
      const { channelMask } = input
      const picked = channel === undefined ? {} : { channel: channel - 1 }
      const stage = convertStage(input.format, format, { channelMask, ...picked })
      const header = {
        ...sizeOptions(input.bytes && (input.bytes / input.format.bytesPerSecond) * format.bytesPerSecond),
        ...(format.channels === channels && channelMask !== undefined && { channelMask }),
        ...(!values['no-tags'] && { tags: input.tags }),
      }
      await writeAudio(output, format, [input.source, stage], { isRepeatable: true, header })
    } finally {
      hide()
      input.source.destroy()
    }
    return 0
  },
})
