import type { PcmFormat } from '../format/pcmFormat.ts'
import { checkArguments, type MockSource, type MockSourceOptions, pcmSource } from './mockSource.ts'

/** Digital silence, in any encoding: the middle of u8, the zeros of ITU-T G.711, 0 for all that have a sign. */
export function silence(format: PcmFormat, options: MockSourceOptions = {}): MockSource {
  const checked = checkArguments(format, options, 'silence()')
  const byte = { u8: 0x80, mulaw: 0xff, alaw: 0xd5 }[checked.encoding as string] ?? 0
  return pcmSource(checked, options, 'silence()', (from, to) =>
    Buffer.alloc((to - from) * checked.bytesPerFrame, byte),
  )
}
