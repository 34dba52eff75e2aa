import { WavespoolError, type WavespoolErrorCode } from '../../errors.ts'
import type { BackendName, Device } from './backend.ts'

/**
 * The packets on the audio pipe of the capture child: `[type u8][length u32le][payload]`. Audio and notices share one
 * pipe, so that a notice stands exactly where it applies. PCM is raw, all else is JSON. The last packet
 * is `end` or `error`; a pipe that closes without one means that the child died.
 */
export type CaptureMessage =
  | { type: 'pcm'; bytes: Buffer }
  | { type: 'devices'; body: Devices }
  | { type: 'started'; body: Started }
  | { type: 'gap'; body: GapNotice }
  | { type: 'end'; body: Record<string, never> }
  | { type: 'error'; body: Fault }

/** The answer to the question for devices. */
interface Devices {
  backend: BackendName
  devices: Device[]
}

/** Goes in front of the first PCM. */
interface Started {
  backend: BackendName
  device: Device
  /** Hz, as the device was really opened */
  sampleRate: number
  /** seconds from the air to the program, as far as PortAudio knows them */
  latency: number | null
  /** `process.hrtime.bigint()` of the first frame, as a decimal string: the same clock in every process of a machine */
  monotonic: string
  /** milliseconds since 1970 of the first frame */
  wall: number
}

/** Frames that are missing right here. */
interface GapNotice {
  /** 0 where audio was lost but the number of frames is unknown */
  frames: number
  /** the reader was away for longer than the queue holds; the device said so; only the clock shows it */
  cause: GapCause
}

/** How a gap was noticed: see `Gap`. */
export type GapCause = 'queue' | 'overflow' | 'clock'

/** An error on its way from the child to the host. */
export interface Fault {
  code: WavespoolErrorCode
  message: string
  cause?: { name: string; message: string; code?: string | number }
}

/** An error as a packet. Any error but a WavespoolError becomes `ERR_WAVESPOOL_CAPTURE`, with the error as its cause. */
export function faultOf(error: unknown): Fault {
  const { code, message, cause } =
    error instanceof WavespoolError
      ? error
      : new WavespoolError('ERR_WAVESPOOL_CAPTURE', String(error), { cause: error })
  if (cause === undefined) return { code, message }
  const { name = 'Error', code: number } = cause as NodeJS.ErrnoException
  const words = cause instanceof Error ? cause.message : String(cause)
  return { code, message, cause: { name, message: words, ...(number !== undefined && { code: number }) } }
}

/** The error that a {@link Fault} tells of. */
export function errorOf({ code, message, cause }: Fault): WavespoolError {
  if (cause === undefined) return new WavespoolError(code, message)
  return new WavespoolError(code, message, { cause: Object.assign(new Error(cause.message), cause) })
}

const types = ['pcm', 'devices', 'started', 'gap', 'end', 'error'] as const
const HEADER_BYTES = 5
/** No read is nearly as long: a longer packet means that something else wrote into the pipe. */
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024

/** One packet, ready to be written. */
export function encode(message: CaptureMessage): Buffer {
  const payload = message.type === 'pcm' ? message.bytes : Buffer.from(JSON.stringify(message.body))
  const packet = Buffer.allocUnsafe(HEADER_BYTES + payload.length)
  packet.writeUInt8(types.indexOf(message.type), 0)
  packet.writeUInt32LE(payload.length, 1)
  packet.set(payload, HEADER_BYTES)
  return packet
}

/** Decodes packets from the chunks of the pipe, at any division. */
export class Decoder {
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerFill = 0
  /** allocated only for a payload that does not lie in one pushed chunk */
  #payload: Buffer | undefined
  #payloadFill = 0

  /** whether a packet was begun and is not complete */
  get isMidPacket(): boolean {
    return this.#headerFill > 0
  }

  /**
   * The messages that these bytes complete. PCM may share memory with `chunk`.
   *
   * @throws {RangeError} for bytes that no capture child writes
   */
  push(chunk: Buffer): CaptureMessage[] {
    const messages: CaptureMessage[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#headerFill < HEADER_BYTES) {
        const taken = chunk.copy(this.#header, this.#headerFill, at, at + HEADER_BYTES - this.#headerFill)
        this.#headerFill += taken
        at += taken
        if (this.#headerFill < HEADER_BYTES) break
      }
      const length = this.#header.readUInt32LE(1)
      if (length > MAX_PAYLOAD_BYTES) throw new RangeError(`a capture packet of ${length} bytes`)
      if (this.#payload === undefined && chunk.length - at >= length) {
        messages.push(this.#message(chunk.subarray(at, at + length)))
        at += length
        continue
      }
      this.#payload ??= Buffer.allocUnsafe(length)
      const taken = chunk.copy(this.#payload, this.#payloadFill, at, at + length - this.#payloadFill)
      this.#payloadFill += taken
      at += taken
      if (this.#payloadFill === length) messages.push(this.#message(this.#payload))
    }
    return messages
  }

  #message(payload: Buffer): CaptureMessage {
    const type = types[this.#header.readUInt8(0)]
    this.#headerFill = 0
    this.#payload = undefined
    this.#payloadFill = 0
    if (type === undefined) throw new RangeError(`a capture packet of type ${this.#header.readUInt8(0)}`)
    if (type === 'pcm') return { type, bytes: payload }
    return { type, body: JSON.parse(payload.toString()) } as CaptureMessage
  }
}
