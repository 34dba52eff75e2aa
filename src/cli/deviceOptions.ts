import { type BackendName, backendNames } from '../sources/capture/backend.ts'
import type { Option } from './command.ts'
import { UsageError } from './command.ts'

export const backendOption = {
  type: 'string',
  value: 'NAME',
  about: `the package that talks to PortAudio: ${backendNames.join(' or ')} (default: the first that loads)`,
} as const satisfies Option

export const deviceOption = {
  type: 'string',
  short: 'd',
  value: 'DEVICE',
  about: 'the microphone: an id from wavespool devices, or a part of a name (default: the default one)',
} as const satisfies Option

/** @throws {UsageError} for a backend that there is not */
export function backendOf(name: string | undefined): { backend?: BackendName } {
  if (name === undefined) return {}
  const backend = backendNames.find((known) => known === name)
  if (backend === undefined) throw new UsageError(`--backend is ${backendNames.join(' or ')}, not ${name}`)
  return { backend }
}

/** Digits are an id, anything else is a part of a name. */
export function deviceOf(text: string | undefined): { device?: number | string } {
  if (text === undefined) return {}
  return { device: /^\d+$/.test(text) ? Number(text) : text }
}
