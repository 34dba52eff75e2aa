import type { Readable } from 'node:stream'
import { nameByTime } from '../../arguments.ts'
import { codecFiles, type EncodeOptions } from '../../codec/codecs.ts'
import { convert } from '../../streams/convert.ts'
import { type Gate, gate } from '../../streams/gate.ts'
import { limit } from '../../streams/limit.ts'
import { codecOptions, compressionOf } from '../codecOptions.ts'
import { defineCommand, UsageError } from '../command.ts'
import { backendOption, deviceOption } from '../deviceOptions.ts'
import { inputFormatOptions, targetChanges, targetFormat, targetFormatOptions } from '../formatOptions.ts'
import { checkOutput, forceOption, sizeOptions, writeAudio } from '../output.ts'
import { RecordSession } from '../recordSession.ts'
import { onStop } from '../stopKeys.ts'
import { untilSilence } from '../untilSilence.ts'
import { sizeOf, timeOf } from '../values.ts'

export const record = defineCommand({
  usage: '[out | -] [options]',
  about: `Records from the microphone until Enter, Ctrl-C, or the end that the options set, into a WAV file that can be played at every moment, or by its name into .flac, .mp3, .ogg or .opus. With - it goes into a pipe: wavespool record - | sox -t wav - -n stat

The space bar pauses and resumes. The first Ctrl-C ends the recording gracefully, the second one leaves at once. Without a name the file gets one by the time. With .raw or .pcm it has no header.`,
  operands: [0, 1],
  options: {
    device: deviceOption,
    from: {
      type: 'string',
      value: 'FILE',
      about:
        'an audio file instead of the microphone, or - for stdin; raw samples with --rate, --channels, --encoding',
    },
    ...inputFormatOptions,
    seconds: {
      type: 'string',
      short: 's',
      value: 'TIME',
      about: 'stop after so long, exactly: 5, 1.5s, 200ms, 2m, 1:30',
    },
    bytes: {
      type: 'string',
      value: 'SIZE',
      about: 'stop after so many bytes of samples, in whole frames: 960000, 8k, 25MB',
    },
    'until-silence': {
      type: 'string',
      value: 'TIME',
      about: 'stop when speech is followed by this much silence',
    },
    ...codecOptions,
    ...targetFormatOptions,
    rf64: {
      type: 'boolean',
      about:
        'leave room in the header for the sizes of more than 4 GiB; so does --seconds or --bytes that allows as much',
    },
    force: forceOption,
    json: { type: 'boolean', about: 'report the recording on stdout' },
    backend: backendOption,
  },
  async run([named], values) {
    const path = named ?? nameOf(compressionOf(undefined, values))
    const seconds = timeOf('seconds', values.seconds)
    const bytes = sizeOf('bytes', values.bytes)
    const silence = timeOf('until-silence', values['until-silence'])
    targetChanges(values) // wrong values are an error before anything is opened
    if (values.json && path === '-') throw new UsageError('--json and - cannot both have stdout: name a file')
    const place = { overwrite: values.force, input: values.from, compression: values }
    const output = await checkOutput(path, place)
    if (values.rf64 && output.compression) throw new UsageError('--rf64 is about WAV files: leave it out')

    const recording = new RecordSession(path, output.compression !== undefined)
    let paused: Gate | undefined
    const pause = () => {
      if (paused === undefined) return
      if (paused.isOpen) paused.close()
      else paused.open()
      recording.showPause(!paused.isOpen)
    }
    const keys = { isFree: values.from !== '-', ...(path !== '-' && { pause }) }
    const letGo = onStop(keys, () => recording.stop())
    try {
      const { source, format: from, written } = await recording.open(values)
      const format = targetFormat(written, values)
      paused = gate(from)
      const stages: Readable[] = [source, paused]
      if (seconds !== undefined) stages.push(limit(from, { seconds }))
      if (silence !== undefined) stages.push(await untilSilence(from, { seconds: silence }))
      if (format !== from) stages.push(convert(from, format))
      if (bytes !== undefined) stages.push(limit(format, { bytes }))
      stages.push(recording.measure(format))
      const most = Math.min(bytes ?? Infinity, (seconds ?? Infinity) * format.bytesPerSecond)
      const header = values.rf64 ? { rf64: true } : sizeOptions(Number.isFinite(most) ? most : undefined)
      const writtenSeconds = () => recording.seconds
      recording.fileBytes = await writeAudio(output, format, stages, { header, seconds: writtenSeconds })
    } finally {
      letGo()
      recording.close()
    }
    recording.report(values.json)
    return 0
  },
})

function nameOf(compression: EncodeOptions | undefined): string {
  return `${nameByTime()}${compression ? codecFiles[compression.codec].extension : '.wav'}`
}
