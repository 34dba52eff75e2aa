import { Readable } from 'node:stream'
import { ArgumentRangeError, ArgumentTypeError, show, type WavespoolError } from '../errors.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { CaptureProcess } from './capture/captureProcess.ts'
import type { CaptureMessage } from './capture/protocol.ts'
import type { CaptureRequest } from './capture/request.ts'
import type { Source } from './source.ts'

export interface PortAudioOptions {
  /**
   * The microphone: an id from `listDevices()`, or its name, or a part of its name that no other one has. The
   * default input device when left out.
   */
  device?: number | string
}

/** What `device`s record; anything else is a matter for `convert()`. */
const recordable: readonly string[] = ['s16le', 's24le', 's32le', 'f32le']

/**
 * A microphone: a byte-mode Readable of PCM in this format, through PortAudio. It records from the moment it is
 * made, in a process of its own, so that a program that is busy loses nothing; chunks are whole frames.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} before anything is opened, for a format that no microphone has
 * (then it says how `convert()` makes it) and for wrong options
 *
 * Fails, as a stream does, with a WavespoolError: `ERR_WAVESPOOL_NO_BACKEND` (naudiodon is not installed or cannot
 * be loaded; it says what to install), `ERR_WAVESPOOL_NO_DEVICE` (it lists those that exist), `ERR_WAVESPOOL_DEVICE`
 * (busy, or does not record in this format), `ERR_WAVESPOOL_CAPTURE` (the process that captures died). What had
 * been captured until then is delivered first.
 */
export function portAudio(format: PcmFormat, options: PortAudioOptions = {}): PortAudioSource {
  return new PortAudioSource(format, options)
}

export class PortAudioSource extends Readable implements Source {
  readonly format: PcmFormat
  readonly #request: CaptureRequest
  #process: CaptureProcess | undefined
  #isStopped = false
  /** what ends the stream once all that was captured has been read */
  #failure: WavespoolError | undefined

  constructor(format: PcmFormat, options: PortAudioOptions = {}) {
    // Before super(): a Readable starts itself even when its constructor throws later.
    const required = requireFormat(format, 'portAudio()')
    const request = checkRequest(required, options)
    super()
    this.format = required
    this.#request = request
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#process?.stop()
  }

  /** The process that captures, while there is one. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  override _construct(callback: (error?: Error | null) => void): void {
    try {
      if (!this.#isStopped) {
        this.#process = new CaptureProcess(this.#request, {
          message: (message) => this.#take(message),
          finished: (error) => this.#finish(error),
        })
      } else {
        this.push(null)
      }
      callback()
    } catch (error) {
      callback(error as Error)
    }
  }

  override _read(): void {
    this.#process?.resume()
  }

  /** Every way of consuming a Readable comes by here, which is how an error can wait for the last byte. */
  override read(size?: number): Buffer | null {
    const chunk = super.read(size) as Buffer | null
    this.#failIfDrained()
    return chunk
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#process) this.#process.kill().then(() => callback(error), callback)
    else callback(error)
  }

  #take(message: CaptureMessage): boolean {
    return message.type !== 'pcm' || this.push(message.bytes)
  }

  #finish(error: WavespoolError | undefined): void {
    if (error === undefined) {
      this.push(null)
      return
    }
    this.#failure = error
    this.#failIfDrained()
  }

  #failIfDrained(): void {
    const failure = this.#failure
    // Not at once: the chunk that was read last is only now on its way through what stands behind.
    if (failure && this.readableLength === 0) setImmediate(() => this.destroy(failure))
  }
}

const MILLISECONDS_PER_READ = 10
const QUEUE_SECONDS = 60
const QUEUE_BYTES = 32 * 1024 * 1024

function checkRequest(format: PcmFormat, options: PortAudioOptions): CaptureRequest {
  if (typeof options !== 'object' || options === null) {
    throw new ArgumentTypeError(`portAudio() takes { device } as options, got ${show(options)}`)
  }
  const { sampleRate, channels, encoding, bytesPerFrame } = format
  if (!recordable.includes(encoding)) {
    throw new ArgumentRangeError(
      `a microphone records ${recordable.join(', ')}, not ${encoding}; record one of them and put convert(from, to) behind it`,
    )
  }
  const { device, ...rest } = options
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined)
    throw new ArgumentTypeError(`portAudio() has no option ${show(unknown)}; it has device`)
  if (device !== undefined && typeof device !== 'number' && typeof device !== 'string') {
    throw new ArgumentTypeError(`device must be an id or a part of a name, got ${show(device)}`)
  }
  if (typeof device === 'number' && !(Number.isInteger(device) && device >= 0)) {
    throw new ArgumentRangeError(`device must be an id from listDevices(), got ${device}`)
  }
  if (device === '')
    throw new ArgumentRangeError('device must not be an empty name; leave it out for the default')
  return {
    ask: 'capture',
    device,
    sampleRate,
    channels,
    encoding,
    bytesPerFrame,
    framesPerRead: Math.max(1, Math.round((sampleRate * MILLISECONDS_PER_READ) / 1000)),
    queue: { frames: QUEUE_SECONDS * sampleRate, bytes: QUEUE_BYTES },
  }
}
