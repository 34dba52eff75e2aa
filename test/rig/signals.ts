import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PcmFormat } from '../../src/format/pcmFormat.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'

/** Samples in the range −1 to 1, mono. */
export type Signal = Float64Array

/** A tone of constant frequency in Hz and amplitude 0 to 1. */
export function tone(sampleRate: number, seconds: number, hertz: number, amplitude = 0.5): Signal {
  return Float64Array.from(
    { length: Math.round(sampleRate * seconds) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * i) / sampleRate),
  )
}

export function silence(sampleRate: number, seconds: number): Signal {
  return new Float64Array(Math.round(sampleRate * seconds))
}

/** Writes a mono s16le WAV file into `directory`. */
export async function writeWav(
  directory: string,
  name: string,
  sampleRate: number,
  ...parts: Signal[]
): Promise<string> {
  const samples = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) for (const x of part) samples[at++] = Math.round(x * 32767)
  return writePcm(directory, name, sampleRate, samples)
}

async function writePcm(
  directory: string,
  name: string,
  sampleRate: number,
  samples: Int16Array,
): Promise<string> {
  const format = {
    sampleRate,
    channels: 1,
    encoding: 's16le',
    bytesPerSample: 2,
    bytesPerFrame: 2,
  } as PcmFormat
  const header = makeWavHeader(
    { ...format, bytesPerSecond: sampleRate * 2 },
    { dataBytes: samples.byteLength },
  )
  const path = join(directory, name)
  await writeFile(path, Buffer.concat([header, Buffer.from(samples.buffer)]))
  return path
}

/** A mono s16le ramp: every sample is one more than the last, from 1 to 32,000 and round again; 0 is silence. */
export async function writeRamp(
  directory: string,
  name: string,
  sampleRate: number,
  seconds: number,
): Promise<string> {
  const samples = Int16Array.from({ length: Math.round(sampleRate * seconds) }, (_, i) => (i % RAMP) + 1)
  return writePcm(directory, name, sampleRate, samples)
}

const RAMP = 32_000

/** Where a recorded ramp breaks: each place, and how many samples are missing there (modulo 32,000). */
export function rampBreaks(pcm: Buffer): { at: number; missing: number }[] {
  const samples = new Int16Array(
    pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.length - (pcm.length % 2)),
  )
  const first = samples.findIndex((x) => x !== 0)
  const last = samples.findLastIndex((x) => x !== 0)
  const breaks: { at: number; missing: number }[] = []
  for (let i = first + 1; i <= last; i++) {
    const expected = (samples[i - 1]! % RAMP) + 1
    if (samples[i] !== expected) breaks.push({ at: i, missing: (samples[i]! - expected + RAMP) % RAMP })
  }
  return breaks
}

/** How strongly a tone of this frequency is present in s16le mono PCM: its amplitude, 0 to 1 (Goertzel). */
export function toneLevel(pcm: Buffer, sampleRate: number, hertz: number): number {
  const count = Math.floor(pcm.length / 2)
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / sampleRate)
  let [s1, s2] = [0, 0]
  for (let i = 0; i < count; i++) {
    const s0 = pcm.readInt16LE(i * 2) / 32768 + coefficient * s1 - s2
    s2 = s1
    s1 = s0
  }
  return (2 * Math.sqrt(Math.max(0, s1 * s1 + s2 * s2 - coefficient * s1 * s2))) / count
}

/**
 * Where a recording of one continuous tone is not continuous: a sinusoid obeys `x[n] = 2cos(ω)x[n−1] − x[n−2]`, and
 * any jump in its phase or amplitude breaks that. Leading and trailing silence is left out. Full scale is 1.
 */
export function toneBreaks(pcm: Buffer, sampleRate: number, hertz: number, tolerance = 0.01): number[] {
  const samples = new Int16Array(
    pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.length - (pcm.length % 2)),
  )
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / sampleRate)
  // The ends of the tone ring in the sound server's resampler: 20 ms of them are left out.
  const margin = Math.round(sampleRate / 50)
  const first = samples.findIndex((x) => Math.abs(x) > 3000) + margin
  const last = samples.findLastIndex((x) => Math.abs(x) > 3000) - margin
  const breaks: number[] = []
  for (let i = first + 2; i <= last; i++) {
    const residue = samples[i]! - coefficient * samples[i - 1]! + samples[i - 2]!
    if (Math.abs(residue) > tolerance * 32768) breaks.push(i)
  }
  return breaks
}

/** One channel of interleaved s16le PCM. */
export function channelOf(pcm: Buffer, channels: number, channel: number): Buffer {
  const mono = Buffer.alloc(Math.floor(pcm.length / channels / 2) * 2)
  for (let i = 0; i * 2 < mono.length; i++)
    mono.writeInt16LE(pcm.readInt16LE((i * channels + channel) * 2), i * 2)
  return mono
}

/** Turns a text into sound: a 48 kHz mono WAV file at 300 baud. */
export async function encodeText(path: string, text: string): Promise<void> {
  await run('minimodem', ['--tx', '300', '--volume', '0.7', '-f', path], text)
}

/** The text that a mono WAV file on disk holds. */
export async function decodeText(path: string): Promise<string> {
  return run('minimodem', ['--rx', '300', '--quiet', '-f', path])
}

/** Runs a program to its end; its stdout. */
export function run(program: string, args: string[], input = '', env = process.env): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env })
    const out: Buffer[] = []
    child.stdout.on('data', (bytes) => out.push(bytes))
    child.stderr.resume()
    child.once('error', reject)
    child.once('close', () => resolve(Buffer.concat(out).toString()))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

/** The bytes of a WAV file of ours behind its 44-byte header. */
export async function samplesOf(path: string): Promise<Buffer> {
  return (await readFile(path)).subarray(44)
}
