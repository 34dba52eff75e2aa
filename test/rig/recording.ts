import { finished } from 'node:stream/promises'
import type { PcmFormat } from '../../src/format/pcmFormat.ts'
import { type PortAudioSource, portAudio } from '../../src/sources/portAudio.ts'
import type { PortAudioOptions } from '../../src/sources/portAudioOptions.ts'

/** A microphone with a listener of its errors: without one, an error would fail the run even where a retry passes. */
export function openMicrophone(format: PcmFormat, options: PortAudioOptions = {}): PortAudioSource {
  return portAudio(format, options).on('error', () => {})
}

export type Recording = ReturnType<typeof record>

/** Records from a microphone into memory; `done` resolves at its end, and rejects with its error. */
export function record(format: PcmFormat, options: PortAudioOptions = {}) {
  const source = openMicrophone(format, options)
  const chunks: Buffer[] = []
  source.on('data', (bytes: Buffer) => chunks.push(bytes))
  const done = finished(source)
  done.catch(() => {})
  return { format, source, chunks, done, pcm: () => Buffer.concat(chunks) }
}
