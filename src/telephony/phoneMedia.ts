import type { Encoding } from '../format/encoding.ts'
import { type PcmFormat, pcmFormat } from '../format/pcmFormat.ts'
import { fromBase64 } from './base64.ts'
import type { MediaStart, Protocol, Sink } from './messageParser.ts'
import { countOf, type Fields, fieldsOf, messageError, textOf } from './messages.ts'

/** The names of one vendor for the fields that two of them send. */
export interface Dialect {
  vendor: string
  /** in the `start` message */
  mediaFormat: string
  sampleRate: string
  /** encodings by the vendor's names in lower case */
  encodings: Readonly<Record<string, Encoding>>
  /** the tracks that the `start` message names */
  tracksOf(start: Fields): string[]
}

/** A timestamp is rounded to a millisecond: audio this much nearer belongs directly behind the audio before. */
const ROUNDING_MILLISECONDS = 2

/**
 * JSON messages `connected`, `start`, `media`, `dtmf`, `mark`, `stop`, with base64 audio and its time in milliseconds
 * from the beginning of the stream. The order in which they come says nothing.
 */
export class PhoneMedia implements Protocol {
  readonly #dialect: Dialect
  #start: MediaStart | undefined
  /** the frame behind the latest packet of each track */
  readonly #ends = new Map<string, number>()

  constructor(dialect: Dialect) {
    this.#dialect = dialect
  }

  text(message: Fields, to: Sink): void {
    const { event } = message
    if (event === 'media') this.#media(fieldsOf(message.media, 'media'), to)
    else if (event === 'start') this.#begin(message, to)
    else if (typeof event === 'string') to.message(message)
    else throw messageError(`a message of ${this.#dialect.vendor} has an event`)
  }

  #begin(message: Fields, to: Sink): void {
    const { vendor } = this.#dialect
    if (this.#start !== undefined)
      throw messageError(`${vendor} sent a second start: each stream has a parser of its own`)
    const start = fieldsOf(message.start, 'start')
    const format = this.#formatOf(
      fieldsOf(start[this.#dialect.mediaFormat], `start.${this.#dialect.mediaFormat}`),
    )
    this.#start = { format, tracks: this.#dialect.tracksOf(start), message }
    to.start(this.#start)
  }

  #formatOf(media: Fields): PcmFormat {
    const name = String(media.encoding).toLowerCase()
    const encoding = Object.hasOwn(this.#dialect.encodings, name) ? this.#dialect.encodings[name] : undefined
    if (encoding === undefined) {
      const known = Object.keys(this.#dialect.encodings).join(', ')
      throw messageError(`audio in ${String(media.encoding)} is not known here; it takes ${known}`)
    }
    const channels = countOf(media.channels ?? 1, 'channels')
    if (channels !== 1) throw messageError(`a track has one channel, got ${channels}`)
    const sampleRate = countOf(media[this.#dialect.sampleRate], this.#dialect.sampleRate)
    if (sampleRate < 1000 || sampleRate > 384_000) throw messageError(`a sample rate of ${sampleRate} Hz`)
    return pcmFormat({ sampleRate, encoding })
  }

  #media(media: Fields, to: Sink): void {
    const { vendor } = this.#dialect
    if (this.#start === undefined) throw messageError(`${vendor} sends start before media`)
    const { format, tracks } = this.#start
    const track = textOf(media.track) ?? 'inbound'
    if (!tracks.includes(track))
      throw messageError(`start named the tracks ${tracks.join(', ')}, not ${track}`)
    const data = fromBase64(media.payload, 'media.payload')
    if (data.length % format.bytesPerFrame !== 0) throw messageError('media.payload ends within a sample')
    const at = this.#placeOf(track, countOf(media.timestamp, 'media.timestamp'), format)
    this.#ends.set(track, Math.max(this.#ends.get(track) ?? 0, at + data.length / format.bytesPerFrame))
    to.item({ track, at, data })
  }

  /** A packet that follows within the rounding of a timestamp follows exactly. */
  #placeOf(track: string, milliseconds: number, { sampleRate }: PcmFormat): number {
    const at = Math.round((milliseconds * sampleRate) / 1000)
    const end = this.#ends.get(track)
    const isNext = end !== undefined && Math.abs(at - end) < (ROUNDING_MILLISECONDS * sampleRate) / 1000
    return isNext ? end : at
  }
}
