import { encodings } from '../format/encoding.ts'
import type { PcmFormat } from '../format/pcmFormat.ts'
import {
  checkArguments,
  type MockSource,
  type MockSourceOptions,
  mockSourceOptions,
  pcmSource,
} from './mockSource.ts'

/**
 * Digital silence, in any encoding.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format or option
 *
 * @example
 * const microphone = silence(format, { pace: 'realtime', stallAfter: { seconds: 2 } })
 */
export function silence(format: PcmFormat, options: MockSourceOptions = {}): MockSource {
  const checked = checkArguments(format, options, 'silence()', mockSourceOptions)
  const { silentByte } = encodings[checked.encoding]
  return pcmSource(checked, options, 'silence()', (from, to) =>
    Buffer.alloc((to - from) * checked.bytesPerFrame, silentByte),
  )
}
