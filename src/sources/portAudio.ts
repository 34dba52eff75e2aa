import { Readable } from 'node:stream'
import type { WithEvents } from '../emitting.ts'
import { WavespoolError } from '../errors.ts'
import { failOnceRead } from '../failOnceRead.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { type Ports, pcmPort, ports } from '../neighbours.ts'
import { nextTick, now } from '../realTimers.ts'
import type { Device } from './capture/backend.ts'
import { CaptureProcess } from './capture/host/captureProcess.ts'
import type { CaptureMessage, GapCause } from './capture/protocol.ts'
import type { CaptureRequest } from './capture/request.ts'
import { checkPortAudio, type PortAudioOptions } from './portAudioOptions.ts'
import type { Source } from './source.ts'

/** Audio that is missing in a recording. */
export interface Gap {
  /** the frame of this source's output, counted from 0, in front of which it is missing (or filled in) */
  at: number
  /** how many frames are missing; 0 where the device did not say, and the clock does not show it */
  frames: number
  /**
   * `queue`: the program was away for longer than the queue holds, the number is exact. `overflow`: the device said
   * so. `clock`: only the clock shows it; the numbers of the last two are right within some 10 ms
   */
  cause: GapCause
}

/** The device and format that record. */
export interface Started {
  /** the package that talks to PortAudio */
  backend: string
  /** the device that is captured */
  device: Device
  /** Hz, at which the device was opened */
  sampleRate: number
  /** seconds from the air to the program; undefined where the backend cannot tell */
  latency: number | undefined
  /** when its first frame was captured */
  startedAt: StartedAt
}

/** When the first frame was recorded. The place of frame n is `n / sampleRate` seconds later, plus the gaps before it. */
export interface StartedAt {
  /** milliseconds on the clock of `performance.now()` */
  monotonic: number
  /** milliseconds since 1970, as of `Date.now()` */
  wall: number
}

/**
 * A microphone: a byte-mode Readable of PCM in this format, through PortAudio. It records from the moment it is
 * made, in a process of its own, so that a program that is busy loses nothing; chunks are whole frames. A hole in
 * the captured audio is always reported: see {@link PortAudioSource.gaps}, the event `'gap'` and the option `onGap`.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} before anything is opened, for a format that no microphone has
 * (then it says which it has) and for wrong options
 *
 * Fails, as a stream does, with a WavespoolError: `ERR_WAVESPOOL_NO_BACKEND` (naudiodon is not installed or cannot
 * be loaded; the message names the package to install), `ERR_WAVESPOOL_NO_DEVICE` (it lists those that exist), `ERR_WAVESPOOL_DEVICE`
 * (busy, unplugged, silent, or does not record in this format), `ERR_WAVESPOOL_GAP` (with `onGap: 'error'`),
 * `ERR_WAVESPOOL_CAPTURE` (the process that captures died). The audio captured until then is delivered first.
 */
export function portAudio(format: PcmFormat, options: PortAudioOptions = {}): PortAudioSource {
  return new PortAudioSource(format, options)
}

interface PortAudioSourceEvents {
  gap: [gap: Gap]
}

/** See {@link portAudio}. Emits `'gap'` with a {@link Gap}. */
export class PortAudioSource
  extends (Readable as WithEvents<typeof Readable, PortAudioSourceEvents>)
  implements Source
{
  /** the format of the delivered audio */
  readonly format: PcmFormat
  /** @internal */
  readonly [ports]: Ports
  /** Resolves when the first audio is in; rejects when none will come. */
  readonly ready: Promise<Started>
  /** The holes in the captured audio so far. */
  readonly gaps: readonly Gap[]
  readonly #request: CaptureRequest
  readonly #onGap: NonNullable<PortAudioOptions['onGap']>
  readonly #gaps: Gap[] = []
  #settleReady!: { resolve: (started: Started) => void; reject: (error: Error) => void }
  #process: CaptureProcess | undefined
  #isStopped = false
  #frames = 0
  #startedAt: StartedAt | undefined
  /** messages of the capture process for which the stream has no room yet */
  #inbox: CaptureMessage[] = []
  #hasRoom = true
  #isDelivering = false
  /** how it ended, once all of the inbox has been delivered */
  #outcome: { error: WavespoolError | undefined } | undefined
  #isEnded = false

  constructor(format: PcmFormat, options: PortAudioOptions = {}) {
    // Before super(): a Readable starts itself even when its constructor throws later.
    const required = requireFormat(format, 'portAudio()')
    const { request, onGap } = checkPortAudio(required, options)
    super()
    this.format = required
    this[ports] = { gives: pcmPort('portAudio()', required) }
    this.gaps = this.#gaps
    this.#request = request
    this.#onGap = onGap
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject }
    })
    this.ready.catch(() => {}) // the stream reports the error too
  }

  /** Frames delivered so far, silence that fills gaps included. */
  get frames(): number {
    return this.#frames
  }

  /** When the first frame was recorded; undefined until then. */
  get startedAt(): StartedAt | undefined {
    return this.#startedAt
  }

  /** The process that captures, while there is one. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#process?.stop()
  }

  override _construct(callback: (error?: Error | null) => void): void {
    try {
      if (this.#isStopped) {
        this.#outcome = { error: undefined }
        this.#rejectReady()
      } else {
        this.#process = new CaptureProcess(this.#request, {
          message: (message) => {
            this.#inbox.push(message)
            this.#deliver()
            return this.#inbox.length === 0 && this.#hasRoom
          },
          finished: (error, overflows) => {
            this.#outcome ??= { error }
            const isReported = this.#gaps.some(({ cause }) => cause !== 'queue')
            if (overflows > 0 && !isReported) {
              this.#inbox.push({ type: 'gap', body: { frames: 0, cause: 'overflow' } })
            }
            this.#deliver()
          },
        })
      }
      callback()
    } catch (error) {
      callback(error as Error)
    }
  }

  override _read(): void {
    this.#hasRoom = true
    this.#deliver()
    if (this.#inbox.length === 0 && this.#hasRoom) this.#process?.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#rejectReady(error)
    if (this.#process) this.#process.kill().then(() => callback(error), callback)
    else callback(error)
  }

  /** Does nothing once audio has come. */
  #rejectReady(error?: Error | null): void {
    this.#settleReady.reject(
      error ?? new WavespoolError('ERR_WAVESPOOL_CAPTURE', 'the source was closed before any audio came'),
    )
  }

  #deliver(): void {
    if (this.#isDelivering) return
    this.#isDelivering = true
    while (this.#inbox.length > 0 && this.#hasRoom && !this.#isEnded) {
      if (this.#deliverOne(this.#inbox[0]!)) this.#inbox.shift()
    }
    this.#isDelivering = false
    if (this.#inbox.length > 0 || this.#outcome === undefined || this.#isEnded) return
    this.#isEnded = true
    this.#rejectReady(this.#outcome.error) // at the end of the audio, read or not
    if (this.#outcome.error === undefined) this.push(null)
    else failOnceRead(this, this.#outcome.error)
  }

  /** Returns whether the message is done with. */
  #deliverOne(message: CaptureMessage): boolean {
    if (message.type === 'pcm') {
      this.#push(message.bytes)
    } else if (message.type === 'gap') {
      const { frames, cause } = message.body
      // A gap that is being filled stays at the head of the inbox, and shrinks.
      if (!filling.has(message)) this.#noteGap({ at: this.#frames, frames, cause })
      if (this.#onGap !== 'fill' || frames === 0) return true
      filling.add(message)
      const step = Math.min(frames, Math.max(1, Math.floor(SILENCE_BYTES / this.format.bytesPerFrame)))
      this.#push(Buffer.alloc(step * this.format.bytesPerFrame)) // all that a microphone records is silent at 0
      message.body.frames -= step
      return message.body.frames === 0
    } else if (message.type === 'started') {
      const { monotonic, wall, latency, ...body } = message.body
      const age = Number(process.hrtime.bigint() - BigInt(monotonic)) / 1e6
      this.#startedAt = Object.freeze({ monotonic: now() - age, wall })
      this.#settleReady.resolve({ ...body, latency: latency ?? undefined, startedAt: this.#startedAt })
    }
    return true
  }

  #push(bytes: Buffer): void {
    this.#frames += bytes.length / this.format.bytesPerFrame
    this.#hasRoom = this.push(bytes)
  }

  #noteGap(gap: Gap): void {
    Object.freeze(gap)
    this.#gaps.push(gap)
    if (this.#onGap === 'error') {
      const much = gap.frames === 0 ? 'audio is' : `${gap.frames} frames are`
      this.#outcome = {
        error: new WavespoolError(
          'ERR_WAVESPOOL_GAP',
          `${much} missing in front of frame ${gap.at} (${gap.cause}), and { onGap: 'error' } ends the recording there; everything before it was delivered`,
        ),
      }
      this.#inbox.length = 1 // the gap itself: nothing behind it is delivered
      void this.#process?.kill()
    }
    try {
      this.emit('gap', gap)
    } catch (error) {
      nextTick(() => {
        throw error // as from any listener; the captured audio is delivered all the same
      })
    }
  }
}

const SILENCE_BYTES = 64 * 1024
const filling = new WeakSet<CaptureMessage>()
