import { Writable } from 'node:stream'
import type { JetStreamClient } from '@nats-io/jetstream'
import { ArgumentRangeError, ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import { checkOptions } from '../options.ts'
import type { Segment } from '../streams/segment.ts'
import { checkClient, checkRetrySeconds, REQUEST_TIMEOUT_MS, Retrying, type RetryOptions } from './client.ts'
import { type Place, placeHeaders } from './message.ts'
import { checkId, type Names, namesOf, type PrefixOptions, placeToken } from './names.ts'
import { publishOnce } from './publishOnce.ts'

/** The options of `queueSegments()`. */
export interface QueueSegmentsOptions extends PrefixOptions, RetryOptions {
  /**
   * The content of a job: `'file'` (default), the segment's whole file; `'place'`, its place alone: the worker reads the
   * audio from the recording of this id, which {@link publishRecording} has put on the same servers.
   */
  audio?: 'file' | 'place'
  /** The frame of the recording at which the stream that was cut began, where another recorder continued it (default 0). */
  offset?: number
}

/** The size of a message without its body: headers, and the line of the protocol. */
const OVERHEAD_BYTES = 1024

/**
 * A Writable of segments, as `segment()` makes them: each becomes a job for {@link workSegments}, exactly once for its
 * id and place, however often it is written, and is disposed once the servers have acknowledged it.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong client, id or option
 *
 * Fails with a WavespoolError: `ERR_WAVESPOOL_FULL` (the stream is full, or a segment is larger than the largest message
 * of the server), `ERR_WAVESPOOL_JETSTREAM` (no server answered in time, or the streams are not there). The segment at
 * which it failed is not disposed.
 *
 * @example
 * await pipeline(call, segment(format, { silence: { seconds: 0.7 } }), queueSegments(js, 'call-1'))
 */
export function queueSegments(js: JetStreamClient, id: string, options: QueueSegmentsOptions = {}): Writable {
  const caller = 'queueSegments()'
  const client = checkClient(js, caller)
  checkId(id, caller)
  checkOptions(options, ['prefix', 'retrySeconds', 'audio', 'offset'], caller)
  const { audio = 'file', offset = 0 } = options
  if (audio !== 'file' && audio !== 'place') {
    throw new ArgumentTypeError(`${caller}: audio must be 'file' or 'place', got ${show(audio)}`)
  }
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new ArgumentRangeError(`${caller}: offset is a number of frames, 0 or more, got ${show(offset)}`)
  }
  const retrySeconds = checkRetrySeconds(options.retrySeconds, caller)
  return new SegmentQueue(client, namesOf(options.prefix, caller), id, { audio, offset }, retrySeconds)
}

class SegmentQueue extends Writable {
  readonly #js: JetStreamClient
  readonly #names: Names
  readonly #id: string
  readonly #options: Required<Pick<QueueSegmentsOptions, 'audio' | 'offset'>>
  readonly #retrying: Retrying

  constructor(
    js: JetStreamClient,
    names: Names,
    id: string,
    options: Required<Pick<QueueSegmentsOptions, 'audio' | 'offset'>>,
    retrySeconds: number,
  ) {
    super({ objectMode: true })
    this.#js = js
    this.#names = names
    this.#id = id
    this.#options = options
    this.#retrying = new Retrying(retrySeconds, () => this.destroyed)
  }

  override _write(
    segment: Segment,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this.#queue(segment).then(() => callback(), callback)
  }

  async #queue(segment: Segment): Promise<void> {
    const { file, start, end } = segment ?? {}
    const format = file?.format
    if (format === undefined || !Number.isSafeInteger(start) || !Number.isSafeInteger(end)) {
      throw new ArgumentTypeError(
        `queueSegments() takes segments { file, start, end } as segment() makes them, got ${show(segment)}`,
      )
    }
    const { audio, offset } = this.#options
    const place: Place = { start: start + offset, end: end + offset }
    const bytes = audio === 'file' ? await file.toBuffer() : new Uint8Array(0)
    const largest = (this.#js as unknown as Connected).nc?.info?.max_payload
    if (largest !== undefined && bytes.length > largest - OVERHEAD_BYTES)
      throw tooLarge(bytes.length, largest)
    const token = placeToken(place)
    await this.#retrying.run(() =>
      publishOnce(this.#js, this.#names.subject('segments', this.#id, token), bytes, {
        msgID: `${this.#id}:${token}`,
        timeout: REQUEST_TIMEOUT_MS,
        headers: placeHeaders(place, format),
        expect: { streamName: this.#names.stream('segments') },
      }),
    )
    await file.dispose()
  }
}

/** The connection of a client, of which its types say nothing. */
interface Connected {
  nc?: { info?: { max_payload?: number } }
}

function tooLarge(bytes: number, largest: number): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_FULL',
    `a segment of ${bytes} bytes does not fit into a message of the server (max_payload ${largest}); make segments ` +
      "shorter, by maxLength, convert() them to 16 kHz mono first, or let workers read the recording: { audio: 'place' }",
  )
}
