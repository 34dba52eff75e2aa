import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { type PcmFormat, pcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { checkOptions } from '../options.ts'
import { portAudio } from '../sources/portAudio.ts'
import type { Source } from '../sources/source.ts'
import { checkRule, type PauseRule, type TimeRule } from '../streams/segment/rule.ts'
import type { Segment } from '../streams/segment.ts'

/** The options of `recordingPage()`. */
export interface RecordingPageOptions {
  /** the path under which it is mounted, from a slash to a slash (default `'/'`) */
  base?: string
  /** each request must carry it; at least 16 printable characters (default: none, all requests are served) */
  token?: string
  /** names and addresses under which it is reached, beside `localhost`, `127.0.0.1` and `[::1]` (default: none) */
  hosts?: readonly string[]
  /** of this machine's microphone (default 16 kHz, mono, s16le); a browser has a rate of its own */
  format?: PcmFormat
  /** this machine's microphone, or any other source (default `portAudio(format)`); `false`: browsers alone record */
  microphone?: false | ((format: PcmFormat) => Source | Promise<Source>)
  /** where speech is cut into passages (default at pauses of 0.7 s, and after 30 s); `false`: nowhere */
  passages?: false | TimeRule | PauseRule
  /**
   * gives the text of a passage, which the page shows; passages come one at a time, and are disposed of afterwards
   * (default: no texts)
   */
  transcribe?: (passage: TranscribedPassage) => Promise<string | undefined>
  /** limits of recordings and requests (default: those of `RecordingLimits`) */
  limits?: RecordingLimits
  /** called with a sentence for each recording and refusal, without secrets (default: none) */
  log?: (message: string) => void
}

/** A passage of speech: `start` and `end` are frames of the recording, and `file` is the WAV of it. */
export interface TranscribedPassage extends Segment {
  /** the name of the recording */
  recording: string
}

/** How much a page may record and keep. */
export interface RecordingLimits {
  /** of the samples of a recording, which ends there (default 4,000,000,000) */
  bytes?: number
  /** WAV files in the folder (default 10,000) */
  files?: number
  /** recordings at a time (default 4) */
  live?: number
  /** pages that receive events (default 500) */
  pages?: number
  /** seconds that a browser has to connect again (default 60) */
  reconnectSeconds?: number
}

const defaultLimits = { bytes: 4e9, files: 10_000, live: 4, pages: 500, reconnectSeconds: 60 }

export type CheckedOptions = ReturnType<typeof checkRecordingPage>

/** The options with their defaults. @throws {ArgumentTypeError | ArgumentRangeError} for a wrong one */
export function checkRecordingPage(folder: string, options: RecordingPageOptions) {
  const caller = 'recordingPage()'
  const names = ['base', 'token', 'hosts', 'format', 'microphone', 'passages', 'transcribe', 'limits', 'log']
  if (typeof folder !== 'string' || folder === '') {
    throw new ArgumentTypeError(`${caller} takes the path of a folder, got ${show(folder)}`)
  }
  checkOptions(options, names, caller)
  const { base = '/', token, hosts = [], microphone = portAudio, transcribe, limits = {}, log } = options
  const { passages = { silence: { seconds: 0.7 }, maxLength: { seconds: 30 } } } = options
  if (typeof base !== 'string' || !/^\/(.*\/)?$/.test(base)) {
    throw new ArgumentRangeError(`${caller}: base must be a path from a slash to a slash, got ${show(base)}`)
  }
  for (const [name, value] of Object.entries({ transcribe, log, microphone: microphone || undefined })) {
    if (value !== undefined && typeof value !== 'function') {
      throw new ArgumentTypeError(`${caller}: ${name} must be a function, got ${show(value)}`)
    }
  }
  checkOptions(limits, Object.keys(defaultLimits), `${caller}: limits`)
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ArgumentRangeError(
        `${caller}: limits.${name} must be a whole number from 1, got ${show(value)}`,
      )
    }
  }
  const format = requireFormat(options.format ?? pcmFormat(), caller)
  if (passages !== false) checkRule(format, passages)
  return {
    base,
    token,
    hosts,
    format,
    microphone,
    passages,
    transcribe,
    limits: { ...defaultLimits, ...limits },
    log: log ?? (() => {}),
  }
}
