import type { MsgHdrs } from '@nats-io/transport-node'
import { headers } from '@nats-io/transport-node'
import { WavespoolError } from '../errors.ts'
import type { Encoding } from '../format/encoding.ts'
import { type PcmFormat, pcmFormat } from '../format/pcmFormat.ts'
import type { LogEntry } from './recordingLog.ts'

/** The headers of our messages, as they stand in the stream. */
const KIND = 'Wavespool-Kind'
const RECORDER = 'Wavespool-Recorder'
const POSITION = 'Wavespool-Position'
const FORMAT = 'Wavespool-Format'
/** of `begin` alone */
const FOLLOWS = 'Wavespool-Follows'
const START = 'Wavespool-Start'
const END = 'Wavespool-End'
/** the header in which the server gives the size of the body, where a reader asks for headers alone */
const SIZE = 'Nats-Msg-Size'

/** A message as it comes from the server, by whichever way. */
export interface Carried {
  headers?: MsgHdrs | undefined
  data: Uint8Array
  seq: number
}

/** An entry of a recording, and the message that carries it. */
export interface Carrier {
  entry: LogEntry
  format: PcmFormat
  sequence: number
  data: Uint8Array
}

export function entryHeaders({ kind, recorder, position, follows }: LogEntry, format: PcmFormat): MsgHdrs {
  const fields = headers()
  fields.set(KIND, kind)
  fields.set(RECORDER, recorder)
  fields.set(POSITION, `${position}`)
  fields.set(FORMAT, formatField(format))
  if (follows !== undefined) fields.set(FOLLOWS, follows)
  return fields
}

/** @throws {WavespoolError} `ERR_WAVESPOOL_JETSTREAM` for a message that no recorder of ours sent */
export function readEntry({ headers: fields, data, seq }: Carried): Carrier {
  const kind = fields?.get(KIND)
  const position = Number(fields?.get(POSITION))
  if (
    fields === undefined ||
    (kind !== 'begin' && kind !== 'audio' && kind !== 'end') ||
    !Number.isSafeInteger(position)
  ) {
    throw foreignMessage(seq)
  }
  const size = fields.get(SIZE)
  const entry: LogEntry = {
    kind,
    recorder: fields.get(RECORDER),
    position,
    bytes: kind === 'audio' ? (size === '' ? data.length : Number(size)) : 0,
  }
  if (kind === 'begin') entry.follows = fields.get(FOLLOWS)
  return { entry, format: parseFormat(fields.get(FORMAT), seq), sequence: seq, data }
}

/** A segment's place in its recording, in frames. */
export interface Place {
  /** its first frame, counted in the recording */
  start: number
  /** the frame behind its last one */
  end: number
}

export function placeHeaders({ start, end }: Place, format?: PcmFormat): MsgHdrs {
  const fields = headers()
  fields.set(START, `${start}`)
  fields.set(END, `${end}`)
  if (format) fields.set(FORMAT, formatField(format))
  return fields
}

/** @throws {WavespoolError} `ERR_WAVESPOOL_JETSTREAM` for a message without a place */
export function readPlace({ headers: fields, seq }: Omit<Carried, 'data'>): Place {
  const [start, end] = [Number(fields?.get(START) || Number.NaN), Number(fields?.get(END) || Number.NaN)]
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) throw foreignMessage(seq)
  return { start, end }
}

export const readFormat = ({ headers: fields, seq }: Omit<Carried, 'data'>): PcmFormat =>
  parseFormat(fields?.get(FORMAT) ?? '', seq)

const formatField = ({ encoding, sampleRate, channels }: PcmFormat) => `${encoding}/${sampleRate}/${channels}`

const parsed = new Map<string, PcmFormat>()

function parseFormat(field: string, sequence: number): PcmFormat {
  const known = parsed.get(field)
  if (known) return known
  const [encoding, sampleRate, channels] = field.split('/')
  try {
    const format = pcmFormat({
      encoding: encoding as Encoding,
      sampleRate: Number(sampleRate),
      channels: Number(channels),
    })
    parsed.set(field, format)
    return format
  } catch (error) {
    throw foreignMessage(sequence, error)
  }
}

function foreignMessage(sequence: number, cause?: unknown): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_JETSTREAM',
    `message ${sequence} of the stream is none of Wavespool's; keep other messages off its subjects`,
    { cause },
  )
}
