import { Readable } from 'node:stream'
import type { EncodeStage } from '../../src/codec/encode.ts'
import { encodeSamples } from '../../src/dsp/encode.ts'
import type { PcmFormat } from '../../src/format/pcmFormat.ts'

/** A chord that moves, so that no two places are alike, in any format. */
export function chord(format: PcmFormat, frames: number): Buffer {
  const { channels, sampleRate, bytesPerSample } = format
  const samples = new Float32Array(frames * channels)
  for (let i = 0; i < frames; i++) {
    const t = i / sampleRate
    for (let channel = 0; channel < channels; channel++) {
      const low = Math.sin(2 * Math.PI * (200 + 60 * channel + 40 * t) * t)
      const high = Math.sin(2 * Math.PI * (900 + 300 * Math.sin(t)) * t)
      samples[i * channels + channel] = 0.3 * low + 0.15 * high
    }
  }
  const bytes = Buffer.alloc(samples.length * bytesPerSample)
  encodeSamples(samples, format, bytes)
  return bytes
}

/** The same bytes in pieces whose sizes repeat in turn. */
export function inPieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

export async function through(
  stage: NodeJS.ReadWriteStream & AsyncIterable<Buffer>,
  pieces: readonly Uint8Array[],
): Promise<Buffer> {
  const out: Buffer[] = []
  for await (const chunk of Readable.from(pieces, { objectMode: false }).pipe(stage))
    out.push(chunk as Buffer)
  return Buffer.concat(out)
}

/** The file as a sink that can seek would hold it. */
export async function fileOf(stage: EncodeStage, pieces: readonly Uint8Array[]): Promise<Buffer> {
  const file = await through(stage, pieces)
  if (stage.head) file.set(stage.head)
  return file
}

/** 10 · log10 of signal by difference: how far two recordings agree, in dB. */
export function agreement(ours: Buffer, theirs: Buffer): number {
  const a = new Float32Array(Uint8Array.from(ours).buffer)
  const b = new Float32Array(Uint8Array.from(theirs).buffer)
  let difference = 0
  let signal = 0
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    difference += (a[i]! - b[i]!) ** 2
    signal += b[i]! ** 2
  }
  return 10 * Math.log10(signal / difference)
}

/** Serial numbers are random, and the CRC is over them. */
export function withoutSerial(ogg: Buffer): Buffer {
  const bytes = Buffer.from(ogg)
  for (let at = bytes.indexOf('OggS'); at >= 0; at = bytes.indexOf('OggS', at + 27)) {
    bytes.fill(0, at + 14, at + 18).fill(0, at + 22, at + 26)
  }
  return bytes
}
