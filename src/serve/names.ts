import { checkName, nameByTime } from '../arguments.ts'
import { HttpError } from './httpError.ts'

export function isRecordingName(name: string): boolean {
  return /^[^.].*\.wav$/i.test(name)
}

/** @throws {HttpError} for an invalid name of a recording */
export function recordingName(name: string): string {
  try {
    checkName(name)
  } catch (error) {
    throw new HttpError(400, (error as Error).message)
  }
  if (isRecordingName(name)) return name
  throw new HttpError(400, 'the name of a recording ends in .wav, and does not begin with a dot')
}

/**
 * The name that was asked for, or one by the time; with a number behind it where that is taken.
 *
 * @throws {HttpError} for an invalid name
 */
export function freeName(wanted: unknown, names: readonly string[]): string {
  const taken = new Set(names.map((name) => name.toLowerCase())) // some disks take no notice of the case
  const plain = typeof wanted === 'string' ? wanted.trim().replace(/\.wav$/i, '') : ''
  const stem = plain || nameByTime()
  let name = recordingName(`${stem}.wav`)
  for (let n = 2; taken.has(name.toLowerCase()); n++) name = recordingName(`${stem}-${n}.wav`)
  return name
}
