/** A program of a user, which is compiled in every way that TypeScript has to find a package. */
import { meter, pcmFormat, portAudio, type Segment, segment, VirtualFile, wavReader } from 'wavespool'
import { chain } from 'wavespool/chain'
import { twilioMedia } from 'wavespool/telephony'
import { tone } from 'wavespool/testing'

const format = pcmFormat()
const memo = new VirtualFile({ name: 'memo.wav' })

export async function read(): Promise<[Float32Array, Int16Array, Buffer, Uint8Array]> {
  return [await memo.toFloat32(), await memo.toInt16({ format }), await memo.toBuffer(), memo.view()]
}
export const streams: NodeJS.ReadWriteStream[] = [chain([wavReader()]), twilioMedia()]
tone(format).pipe(streams[0]!)

portAudio(format).on('gap', ({ at, frames }) => at + frames)
meter(format, { every: { seconds: 1 } }).on('level', ({ rms }) => rms.toFixed())
segment(format, { every: { seconds: 1 } }).on('data', ({ file, end }) => [file.size, end])
export const listener = (one: Segment) => one.end
// @ts-expect-error a level has no such part
meter(format, { every: { seconds: 1 } }).on('level', (level) => level.nonsense)
// @ts-expect-error nor has a segment
segment(format, { every: { seconds: 1 } }).on('data', (one) => one.nonsense)
