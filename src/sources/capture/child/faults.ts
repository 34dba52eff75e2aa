import { WavespoolError } from '../../../errors.ts'
import type { PackageManager } from '../../../packageManager.ts'
import type { Device } from '../backend.ts'
import { type Missing, remedyFor } from './installing.ts'

/** The requested device and format, for messages. */
export interface Asked {
  sampleRate: number
  channels: number
  encoding: string
}

/**
 * Turns an error of PortAudio into a typed error that names the remedy. Only its text tells the cause
 * (Pa_GetErrorText, and naudiodon's words around it).
 */
export function openingFault(error: unknown, device: Device | undefined, asked: Asked): WavespoolError {
  // naudiodon puts the step that failed in front, which may mislead: "Format not supported: Device unavailable".
  const words = (error instanceof Error ? error.message : String(error)).replace(
    /^(Format|Could) not .*?: /,
    '',
  )
  const name = device ? JSON.stringify(device.name) : 'the default input device'
  const known = meanings.find(([pattern]) => pattern.test(words))
  const meaning = known ? known[1](name, asked, device) : `${name} could not be opened`
  return new WavespoolError(
    'ERR_WAVESPOOL_DEVICE',
    `${meaning} (PortAudio: ${words})${known?.[0] === unavailable ? `. ${deviceHint()}` : ''}`,
    {
      cause: error,
    },
  )
}

const unavailable = /device unavailable|unanticipated host error|invalid device/i

const meanings: [RegExp, (name: string, asked: Asked, device: Device | undefined) => string][] = [
  [
    /invalid sample rate/i,
    (name, { sampleRate }, device) =>
      `${name} does not open at ${sampleRate} Hz; open it at ${device ? `${device.defaultSampleRate} Hz, which it prefers,` : 'a rate that it has,'} with convert() behind it`,
  ],
  [
    /channel/i,
    (name, { channels }, device) =>
      `${name} does not record ${channels} channels${device ? ` (it has ${device.inputChannels})` : ''}; open it with fewer, and convert() behind it`,
  ],
  [
    /sample format/i,
    (name, { encoding }) => `${name} does not record ${encoding}; open it as s16le, with convert() behind it`,
  ],
  [
    unavailable,
    (name) =>
      `${name} cannot be opened: another program may be using it, it may have been unplugged, or this program may not be allowed to record`,
  ],
]

/** The error of a device that failed while recording. */
export function readingFault(error: unknown, device: Device): WavespoolError {
  const words = error instanceof Error ? error.message : String(error)
  return new WavespoolError(
    'ERR_WAVESPOOL_DEVICE',
    `${JSON.stringify(device.name)} stopped recording: it may have been unplugged, or the sound server ended (PortAudio: ${words}). All that it had recorded was delivered; open it again`,
    { cause: error },
  )
}

/** The error for missing backends, with the package to install. */
export function noBackend(
  missing: readonly Missing[],
  manager: PackageManager,
  platform: NodeJS.Platform = process.platform,
): WavespoolError {
  const needs = missing.map(({ backend }) => `the package ${backend}`).join(' or ')
  const remedies = missing.map((one) => remedyFor(one, manager, platform)).join('. Or compile naudiodon: ')
  const whys = missing.map(({ backend, why }) => `${backend}: ${why}`).join('; ')
  return new WavespoolError(
    'ERR_WAVESPOOL_NO_BACKEND',
    `portAudio() needs ${needs}, ${missing.length > 1 ? 'and neither loads' : 'which does not load'}. ${remedies.charAt(0).toUpperCase()}${remedies.slice(1)}. (${whys})`,
  )
}

/** Where to look when there is no device or none may be opened. */
export function deviceHint(platform: NodeJS.Platform = process.platform): string {
  return hints[platform] ?? ''
}

const hints: Partial<Record<NodeJS.Platform, string>> = {
  linux:
    'On Linux: is a microphone listed by "arecord -l"? Without a sound server, the user must be in the group "audio"; with PulseAudio or PipeWire, the server must run ("pactl info") and ALSA must know it (Debian: apt-get install libasound2-plugins). In a container, pass /dev/snd or the server\'s socket in.',
  darwin:
    'On macOS: System Settings > Privacy & Security > Microphone must allow the program that started this one (the terminal, the editor).',
  win32:
    'On Windows: Settings > Privacy & security > Microphone must allow desktop apps, and the microphone must be enabled in Settings > System > Sound.',
}
