import type { Encoding } from '../../format/encoding.ts'

/** An input device, as PortAudio lists it. */
export interface Device {
  /** PortAudio's index: valid until devices are plugged in or out */
  id: number
  /** as the system names it */
  name: string
  /** ALSA, Core Audio, Windows WASAPI … */
  hostApi: string
  /** how many channels it can record */
  inputChannels: number
  /** Hz; the rate that it prefers */
  defaultSampleRate: number
  /** whether a program that names no device gets this one */
  isDefault: boolean
  /** Hz; the usual rates at which it really opens, where that was asked for */
  sampleRates?: number[]
}

/** The backends, in the order in which they are tried. */
export const backendNames = ['naudiodon', 'koffi'] as const
/** The library that captures. */
export type BackendName = (typeof backendNames)[number]

/** The stream that a backend opens. */
export interface OpenRequest {
  /** the id of the device; undefined for the default one */
  device: number | undefined
  sampleRate: number
  channels: number
  encoding: Encoding
  /** frames in one full read */
  framesPerRead: number
}

/**
 * One way to PortAudio. Everything that knows a package by name lies behind this seam, and runs in the capture
 * child only: its output, blocking calls and crashes stay there. Methods throw plain errors with PortAudio's words in
 * them; the caller decides their meaning.
 */
export interface Backend {
  readonly name: BackendName
  /** Input devices only. Quick once PortAudio has been initialized, which the backend leaves to be so. */
  devices(): Device[]
  /** Whether the device can be opened like this. It is tried, so it takes a moment, and a busy device says no. */
  opens(request: OpenRequest): Promise<boolean>
  /** Opens and starts. */
  open(request: OpenRequest): Capture
}

/** A device that is recording. */
export interface Capture {
  /** seconds, where PortAudio tells */
  readonly latency: number | undefined
  /**
   * The next read: `framesPerRead` frames, the last one fewer; `undefined` at the end, after {@link Capture.stop}.
   * One at a time.
   */
  read(): Promise<Read | undefined>
  /** Takes no new audio; reads go on until all that was captured has been handed over and the device is closed. */
  stop(): void
}

export interface Read {
  bytes: Buffer
  /** the device said that audio was lost in front of these bytes */
  overflowed: boolean
}
