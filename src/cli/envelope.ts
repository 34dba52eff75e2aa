import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Level, meter } from '../streams/meter.ts'
import { examine } from './examine.ts'
import { openInput, showProgress } from './input.ts'

/** The course of one channel, in columns of equal length; 1 is full scale. */
export interface Envelope {
  /** the lowest sample of each column */
  low: Float32Array
  /** the highest one */
  high: Float32Array
  /** the root of the mean square */
  rms: Float32Array
}

/** Windows in a column: where the frames do not divide, a column is at most a quarter off. */
const WINDOWS = 4

/** The audio to draw. */
export interface Subject {
  path: string
  /** its name in messages and in the picture */
  name: string
  frames: number
  seconds: number
}

/** The exact length of a compressed file is known only once it is decoded. */
export async function measureLength(path: string, name: string): Promise<Subject> {
  const found = await examine(path)
  if (found) {
    const { header, diagnosis } = found
    const seconds = header.format ? diagnosis.dataBytes / header.format.bytesPerSecond : 0
    return { path, name, frames: diagnosis.dataBytes / header.blockAlign, seconds }
  }
  const input = await openInput(path, { name, isNeverRaw: true })
  const hide = showProgress(input, 'measured')
  let bytes = 0
  try {
    for await (const chunk of input.source) bytes += chunk.length
  } finally {
    hide()
  }
  return {
    path,
    name,
    frames: bytes / input.format.bytesPerFrame,
    seconds: bytes / input.format.bytesPerSecond,
  }
}

/** @returns a promise of an envelope for each channel, of exactly so many columns */
export async function envelopesOf({ path, name, frames }: Subject, columns: number): Promise<Envelope[]> {
  const input = await openInput(path, { name, isNeverRaw: true })
  const every = { frames: Math.max(1, Math.floor(frames / (columns * WINDOWS))) }
  const windows: Level['channels'][] = []
  const stage = meter(input.format, { every })
  stage.on('level', ({ channels }: Level) => windows.push(channels))
  const hide = showProgress(input, 'read')
  try {
    await pipeline(input.source, stage, new Writable({ write: (_chunk, _encoding, done) => done() }))
  } finally {
    hide()
  }
  return Array.from({ length: input.format.channels }, (_, channel) => toColumns(windows, channel, columns))
}

function toColumns(windows: Level['channels'][], channel: number, columns: number): Envelope {
  const envelope = {
    low: new Float32Array(columns),
    high: new Float32Array(columns),
    rms: new Float32Array(columns),
  }
  for (let column = 0; column < columns; column++) {
    const first = Math.floor((column * windows.length) / columns)
    const levels = windows
      .slice(first, Math.ceil(((column + 1) * windows.length) / columns))
      .map((channels) => channels[channel]!)
    if (levels.length === 0) continue
    envelope.low[column] = Math.min(...levels.map(({ min }) => min))
    envelope.high[column] = Math.max(...levels.map(({ max }) => max))
    const power = levels.reduce((sum, { rms }) => sum + 10 ** (rms / 10), 0)
    envelope.rms[column] = Math.sqrt(power / levels.length)
  }
  return envelope
}

/** Full scale is 1. */
export function peakOf(envelopes: Envelope[]): number {
  let peak = 0
  for (const { low, high } of envelopes) {
    for (const value of low) peak = Math.max(peak, -value)
    for (const value of high) peak = Math.max(peak, value)
  }
  return peak
}

/** The factor by which the loudest sample fills the picture; audio below -40 dBFS, mere noise, stays small. */
export function scaleOf(envelopes: Envelope[]): number {
  return 1 / Math.max(0.01, peakOf(envelopes))
}
