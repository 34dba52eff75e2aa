import { pcmFormat } from '../format/pcmFormat.ts'
import type { Source } from '../sources/source.ts'
import { PageMicrophone } from './pageMicrophone.ts'
import type { CheckedOptions } from './recordingPageOptions.ts'
import { Refusal } from './refusal.ts'

/** The microphone that a page asks for. @throws {Refusal} where there is none */
export function openMicrophone(
  { microphone, format, limits }: CheckedOptions,
  wanted: unknown,
  sampleRate: unknown,
): Source {
  if (wanted === 'computer' && microphone !== false) return microphone(format)
  if (wanted !== 'browser') throw new Refusal(400, 'there is no such microphone here')
  const rate = sampleRate as number
  if (!Number.isInteger(rate) || rate < 8000 || rate > 384_000) {
    throw new Refusal(400, 'a browser says its sampleRate, in Hz')
  }
  return new PageMicrophone(pcmFormat({ sampleRate: rate }), limits.patience * 1000)
}
