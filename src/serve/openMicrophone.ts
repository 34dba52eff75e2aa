import { pcmFormat } from '../format/pcmFormat.ts'
import type { Source } from '../sources/source.ts'
import { HttpError } from './httpError.ts'
import { PageMicrophone } from './pageMicrophone.ts'
import type { CheckedOptions } from './recordingPageOptions.ts'
import { loadSockets } from './sockets.ts'

/** The microphone that a page asks for, once it records. @returns a promise, rejected with a {@link HttpError} where it does not */
export async function openMicrophone(
  { microphone, format, limits }: CheckedOptions,
  wanted: unknown,
  sampleRate: unknown,
): Promise<Source> {
  if (wanted === 'computer' && microphone !== false) {
    try {
      const source = await microphone(format)
      source.on('error', () => {}) // the pipeline tells it, and `ready` before there is one
      await (source as { ready?: Promise<unknown> }).ready
      return source
    } catch (error) {
      throw new HttpError(503, `the microphone does not record: ${(error as Error).message}`)
    }
  }
  if (wanted !== 'browser') throw new HttpError(400, 'there is no such microphone here')
  const rate = sampleRate as number
  if (!Number.isInteger(rate) || rate < 8000 || rate > 384_000) {
    throw new HttpError(400, 'a browser says its sampleRate, in Hz')
  }
  await loadSockets() // a missing package is an error now, before there is audio to lose
  return new PageMicrophone(pcmFormat({ sampleRate: rate }), limits.reconnectSeconds * 1000)
}
