import type { Command } from './command.ts'

/** The commands, each loaded when it runs. */
export const commands = {
  record: {
    about: 'from the microphone, a file or a pipe into a WAV file or a pipe',
    load: async () => (await import('./commands/record.ts')).record as Command,
  },
  devices: {
    about: 'the microphones',
    load: async () => (await import('./commands/devices.ts')).devices as Command,
  },
  info: {
    about: 'format, duration, level, clipping, faults and tags of WAV files',
    load: async () => (await import('./commands/info.ts')).info as Command,
  },
  waveform: {
    about: 'a picture of a WAV file, in the terminal or as SVG or PNG',
    load: async () => (await import('./commands/waveform.ts')).waveform as Command,
  },
  split: {
    about: 'a WAV file into many, by time or at its silences',
    load: async () => (await import('./commands/split.ts')).split as Command,
  },
  convert: {
    about: 'into another sample rate, number of channels or encoding',
    load: async () => (await import('./commands/convert.ts')).convert as Command,
  },
  repair: {
    about: 'puts a header right that a crash left wrong',
    load: async () => (await import('./commands/repair.ts')).repair as Command,
  },
  serve: {
    about: 'a page in which recordings are made, heard and marked while they go on',
    load: async () => (await import('./commands/serve.ts')).serve as Command,
  },
  doctor: {
    about: 'finds out why a microphone is silent',
    load: async () => (await import('./commands/doctor.ts')).doctor as Command,
  },
}

export function isCommand(name: string): name is keyof typeof commands {
  return Object.hasOwn(commands, name)
}
