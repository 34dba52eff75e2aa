import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { checkOptions } from '../options.ts'
import { type BackendName, backendNames } from './capture/backend.ts'
import type { CaptureRequest } from './capture/request.ts'

/** The options of `portAudio()`. */
export interface PortAudioOptions {
  /**
   * The microphone: an id from `listDevices()`, or its name, or a part of its name that no other one has (default:
   * the system's default input device).
   */
  device?: number | string
  /**
   * The package that talks to PortAudio: `'naudiodon'`, which brings PortAudio and is compiled when it is
   * installed, or `'koffi'`, which needs no compiler, and the system's PortAudio (default: the first that loads).
   */
  backend?: BackendName
  /**
   * The most audio that the capture process holds while the program is busy, in seconds (default 60) and bytes
   * (default 32 MiB). Past that, it drops whole reads, which is a gap.
   */
  queue?: { seconds?: number; bytes?: number }
  /**
   * How a hole in the captured audio is handled. `'report'` (default): an entry in `gaps` and the event
   * `'gap'`; `'fill'`: that, and silence of its length, so that times stay true; `'error'`: that, and the recording
   * fails there with `ERR_WAVESPOOL_GAP`.
   */
  onGap?: 'report' | 'fill' | 'error'
  /** A device that gives nothing for so many seconds is taken for dead: an error (default 5). */
  stallSeconds?: number
}

/** The encodings that devices record; `convert()` makes the others. */
const recordable: readonly string[] = ['s16le', 's24le', 's32le', 'f32le']

/** Short reads: the first audio is there sooner, and less is on its way when something dies. */
const MILLISECONDS_PER_READ = 10
const QUEUE_SECONDS = 60
const QUEUE_BYTES = 32 * 1024 * 1024
const STALL_SECONDS = 5

/** @throws {ArgumentTypeError | ArgumentRangeError} for a format or an option that no microphone takes */
export function checkPortAudio(
  format: PcmFormat,
  options: PortAudioOptions,
): { request: CaptureRequest; onGap: NonNullable<PortAudioOptions['onGap']> } {
  checkOptions(options, ['device', 'backend', 'queue', 'onGap', 'stallSeconds'], 'portAudio()', {
    samplerate: 'pcmFormat({ sampleRate }), the first argument',
  })
  const { device, backend, queue = {}, onGap = 'report', stallSeconds = STALL_SECONDS } = options
  const { sampleRate, channels, encoding, bytesPerFrame } = format
  if (!recordable.includes(encoding)) {
    throw new ArgumentRangeError(
      `a microphone records ${recordable.join(', ')}, not ${encoding}; record one of them, with convert() behind it`,
    )
  }
  checkDevice(device)
  checkBackend(backend)
  checkOptions(queue, ['seconds', 'bytes'], 'portAudio(): queue')
  const { seconds = QUEUE_SECONDS, bytes = QUEUE_BYTES } = queue
  checkPositive('queue.seconds', seconds)
  checkPositive('queue.bytes', bytes)
  checkPositive('stallSeconds', stallSeconds)
  if (onGap !== 'report' && onGap !== 'fill' && onGap !== 'error') {
    throw new ArgumentTypeError(`onGap must be 'report', 'fill' or 'error', got ${show(onGap)}`)
  }
  const framesPerRead = Math.max(1, Math.round((sampleRate * MILLISECONDS_PER_READ) / 1000))
  return {
    onGap,
    request: {
      ask: 'capture',
      backend,
      device,
      sampleRate,
      channels,
      encoding,
      bytesPerFrame,
      framesPerRead,
      queue: { frames: seconds * sampleRate, bytes },
      stallSeconds,
    },
  }
}

/** @throws {ArgumentTypeError} for anything but undefined and the name of a backend */
export function checkBackend(backend: unknown): void {
  if (backend === undefined || backendNames.some((name) => name === backend)) return
  throw new ArgumentTypeError(`backend must be one of ${backendNames.join(', ')}, got ${show(backend)}`)
}

function checkDevice(device: unknown): void {
  if (device === undefined) return
  if (typeof device === 'number') {
    if (Number.isInteger(device) && device >= 0) return
    throw new ArgumentRangeError(`device must be an id from listDevices(), got ${device}`)
  }
  if (typeof device !== 'string') {
    throw new ArgumentTypeError(`device must be an id or a part of a name, got ${show(device)}`)
  }
  if (device === '')
    throw new ArgumentRangeError('device must not be an empty name; leave it out for the default')
}

function checkPositive(name: string, value: unknown): void {
  if (typeof value !== 'number') throw new ArgumentTypeError(`${name} must be a number, got ${show(value)}`)
  if (!(value > 0)) throw new ArgumentRangeError(`${name} must be more than 0, got ${value}`)
}
