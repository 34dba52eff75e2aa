import type { WithEvents } from '../emitting.ts'
import { show } from '../errors.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { Port, type Ports } from '../neighbours.ts'
import { type Kernel, type Output, Stage } from '../streams/stage.ts'
import type { TimelineItem } from '../streams/timeline/kernel.ts'
import { type Fields, type MessagesOptions, messageError, parseJson } from './messages.ts'

/** A message as its vendor documents it, parsed. */
// biome-ignore lint/suspicious/noExplicitAny: its fields are the vendor's
export type VendorMessage = Record<string, any>

/** The properties of a stream, known before its first audio. */
export interface MediaStart {
  /** of the items: mono */
  format: PcmFormat
  /** the names of the tracks, for `timeline()` */
  tracks: string[]
  /** the first message as it came: the vendor's ids and settings, under its own names */
  message: VendorMessage
}

/** The protocol of a vendor, one message at a time. */
export interface Protocol {
  /** known without a message */
  readonly start?: MediaStart
  /** @throws {WavespoolError} `ERR_WAVESPOOL_MESSAGE` for a message against the protocol, before any state has changed */
  text?(message: Fields, to: Sink): void
  binary?(bytes: Uint8Array, to: Sink): void
  /** The messages have ended. */
  end?(to: Sink): void
}

export interface Sink {
  item(item: TimelineItem): void
  start(start: MediaStart): void
  /** a message that is not audio */
  message(message: Fields): void
}

class MessageKernel implements Kernel<unknown, TimelineItem> {
  readonly isApart = true
  readonly ports: Ports & { gives: Port }
  onStart: (start: MediaStart) => void = () => {}
  onMessage: (message: Fields) => void = () => {}
  onInvalid: (error: Error) => void = () => {}
  readonly #protocol: Protocol
  readonly #options: Required<MessagesOptions>

  constructor(name: string, protocol: Protocol, options: Required<MessagesOptions>) {
    const format = protocol.start?.format
    this.ports = { gives: new Port(name, format && { kind: 'items', format }) }
    this.#protocol = protocol
    this.#options = options
  }

  push(message: unknown, out: Output<TimelineItem>): void {
    try {
      this.#read(message, this.#sink(out))
    } catch (error) {
      if (this.#options.invalid === 'error') throw error
      this.onInvalid(error as Error)
    }
  }

  flush(out: Output<TimelineItem>): void {
    this.#protocol.end?.(this.#sink(out))
  }

  #sink(out: Output<TimelineItem>): Sink {
    const { tracks: names } = this.#options
    const nameOf = (track: string) => (Object.hasOwn(names, track) ? names[track]! : track)
    return {
      item: ({ track, at, data }) => out.push({ track: nameOf(track), at, data }),
      start: (start) => this.onStart({ ...start, tracks: start.tracks.map(nameOf) }),
      message: (message) => this.onMessage(message),
    }
  }

  #read(message: unknown, to: Sink): void {
    const { maxMessageBytes } = this.#options
    const isBytes = message instanceof Uint8Array
    if (!isBytes && typeof message !== 'string') {
      // an object, as a client that has parsed it hands it over
      if (typeof message !== 'object' || message === null)
        throw messageError(`a message is a string or bytes, got ${show(message)}`)
      this.#text(message as Fields, to)
      return
    }
    const size = isBytes ? message.byteLength : Buffer.byteLength(message)
    if (size > maxMessageBytes) {
      throw messageError(`a message of ${size} bytes is larger than { maxMessageBytes: ${maxMessageBytes} }`)
    }
    // A WebSocket client may hand over a text as bytes, as ws does. Audio is no JSON object.
    if (!isBytes) this.#text(parseJson(message), to)
    else if (this.#protocol.binary === undefined) this.#text(parseJson(Buffer.from(message).toString()), to)
    else {
      const fields = message[0] === 0x7b && message.at(-1) === 0x7d ? jsonOf(message) : undefined
      if (fields === undefined) this.#protocol.binary(message, to)
      else this.#text(fields, to)
    }
  }

  #text(message: Fields, to: Sink): void {
    if (this.#protocol.text === undefined) throw messageError('a text where audio was expected')
    this.#protocol.text(message, to)
  }
}

function jsonOf(bytes: Uint8Array): Fields | undefined {
  try {
    return parseJson(Buffer.from(bytes).toString())
  } catch {
    return undefined
  }
}

interface MediaParserEvents {
  start: [start: MediaStart]
  message: [message: VendorMessage]
  invalid: [error: Error]
}

/**
 * A Transform of messages into items for `timeline()`, both in object mode. `'start'` tells a {@link MediaStart} before the
 * first item; `'message'` hands on every message that is not audio, parsed; `'invalid'` tells the error of one that was
 * skipped.
 */
export class MediaParser extends (Stage as WithEvents<typeof Stage, MediaParserEvents, TimelineItem>) {
  /** of the items, as soon as `'start'` has told it */
  format: PcmFormat | undefined

  constructor(name: string, protocol: Protocol, options: Required<MessagesOptions>) {
    const kernel = new MessageKernel(name, protocol, options)
    super(kernel, { readableObjectMode: true, writableObjectMode: true })
    this.format = protocol.start?.format
    kernel.onStart = (start) => {
      this.format = start.format
      kernel.ports.gives.know({ kind: 'items', format: start.format })
      this.emit('start', start)
    }
    kernel.onMessage = (message) => this.emit('message', message)
    kernel.onInvalid = (error) => this.emit('invalid', error)
  }
}
