/** Checked by `tsc --noEmit`: right code compiles, and wrong code is refused. Nothing here is run. */
import { PassThrough, type Readable, type Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Chain, chain } from '../../src/chain/index.ts'
import {
  chunk,
  convert,
  decode,
  type Level,
  limit,
  measureLevels,
  meter,
  type PcmFormat,
  pcmFormat,
  portAudio,
  replay,
  type Segment,
  type SegmentBegin,
  type Stoppable,
  segment,
  timeline,
  VirtualFile,
  type VoiceDetector,
  wavHeader,
  wavReader,
} from '../../src/index.ts'
import { twilioMedia } from '../../src/telephony/index.ts'

const format = pcmFormat()
const source: Readable = new PassThrough()
const stages: (Transform & Stoppable)[] = [
  limit(format, { seconds: 30 }, { onLimit: 'error', source }),
  limit(format, { bytes: 320 }, { source: null }),
  limit(format, { frames: 1 }, { source: { stop() {} } }),
  chunk(format, { milliseconds: 20 }, { hop: { milliseconds: 10 }, tail: 'pad' }),
  wavHeader(format, { dataBytes: 320, rf64: true }),
  wavReader({ onTruncated: 'error' }),
  convert(format, pcmFormat({ encoding: 'f32le' }), { channel: 0, dither: 'tpdf' }),
  meter(format, { every: { seconds: 1 } }).on('level', ({ start, channels }: Level) => [
    start,
    channels[0]?.peak,
  ]),
]
export const done: Promise<void> = pipeline(source, wavHeader(format), new VirtualFile())
for (const stage of stages) stage.stop()

const joined: Chain = chain([limit(format, { seconds: 30 }), wavHeader(format)])
joined.pipe(new PassThrough())
const recorder: Writable & Stoppable = chain([limit(format, { seconds: 30 }), new VirtualFile()])
export const recorded: Promise<void> = pipeline(source, recorder)
export const measured = pipeline(source, chain([joined, new Writable()]))
// @ts-expect-error nothing comes out of a chain that ends in a sink
chain([joined, new VirtualFile()]).read()
const list: (Transform | Writable)[] = stages
export const unknownEnd: Chain = chain(list)

const reader = wavReader()
export const found: [PcmFormat | undefined, string | undefined] = [reader.format, reader.tags.INAM]
export const loud: boolean = measureLevels(new Uint8Array(2), format).rms > -40
// @ts-expect-error a file that is cut short is kept, or an error
wavReader({ onTruncated: 'ignore' })
// @ts-expect-error both formats are asked for
convert(format)
// @ts-expect-error a channel is a number, the first is 0
convert(format, format, { channel: 'left' })
// @ts-expect-error dither is triangular or none
convert(format, format, { dither: true })
// @ts-expect-error how often is asked for
meter(format)
// @ts-expect-error a span, not a number
meter(format, { every: 1 })

// @ts-expect-error the format comes first
limit({ seconds: 30 })
// @ts-expect-error a cap is asked for
limit(format)
// @ts-expect-error a span, not a number
limit(format, 30)
// @ts-expect-error onLimit is 'stop' or 'error'
limit(format, { seconds: 1 }, { onLimit: 'end' })
// @ts-expect-error a source is a stream, or has a stop()
limit(format, { seconds: 1 }, { source: 'microphone' })
// @ts-expect-error a tail is kept, padded or dropped
chunk(format, { frames: 1 }, { tail: 'cut' })
// @ts-expect-error a hop is a span
chunk(format, { frames: 1 }, { hop: 1 })
// @ts-expect-error a length is a number
wavHeader(format, { dataBytes: '320' })
// @ts-expect-error an option that is none
wavHeader(format, { size: 320 })
// @ts-expect-error a format says everything
wavHeader({ sampleRate: 8000 })

// the segmenter
const detector: VoiceDetector = {
  sampleRate: 16_000,
  frameSamples: 512,
  isSpeech: async (frame) => frame.length > 0,
}
const segments: (Transform & Stoppable)[] = [
  segment(format, { every: { seconds: 2 }, name: 'talk.wav', storage: 'memory', highWaterMark: 4 }),
  segment(format, { silence: { seconds: 1 }, preRoll: { frames: 1 }, maxLength: { seconds: 30 }, detector }),
  segment(format, { every: { seconds: 2 }, storage: (name) => ({ path: `/tmp/${name}` }) }),
]
for (const stage of segments) stage.stop()
export const cutting: Promise<void> = pipeline(
  source,
  segment(format, { every: { seconds: 2 } }),
  async (all: AsyncIterable<Segment>) => {
    for await (const { file, start, end } of all) console.log(file.name, end - start)
  },
)
segment(format, { every: { seconds: 2 } }).on('begin', ({ file, start }: SegmentBegin) =>
  console.log(file, start),
)

// the events of each stream, beside those of Node
const everySecond = { every: { seconds: 1 } }
meter(format, everySecond)
  .on('level', ({ start, channels }) => [start, channels[0]?.peak])
  .once('close', () => {})
wavReader()
  .on('format', ({ sampleRate }) => sampleRate.toFixed())
  .on('truncated', ({ expectedBytes }) => expectedBytes.toFixed())
  .on('next', () => {})
segment(format, everySecond)
  .on('data', ({ file, end }) => [file.size, end])
  .on('begin', ({ start }) => start.toFixed())
timeline(format, { tracks: ['a'] })
  .on('gap', ({ track, frames }) => [track.length, frames])
  .on('late', ({ cause }) => cause === 'late')
portAudio(format).on('gap', ({ at, cause }) => [at.toFixed(), cause.length])
replay('memo.wav').once('format', ({ channels }) => channels.toFixed())
decode()
  .on('format', ({ channels }) => channels.toFixed())
  .on('gap', ({ at }) => at.toFixed())
twilioMedia()
  .on('start', ({ tracks }) => tracks.join())
  .on('data', ({ at, data }) => [at.toFixed(), data.length])
  .on('invalid', ({ message }) => message.length)
// @ts-expect-error a level has no such part
meter(format, everySecond).on('level', (level) => level.nonsense)
// @ts-expect-error nor is it had by another way to listen
meter(format, everySecond).prependOnceListener('level', (level) => level.nonsense)
// @ts-expect-error a format has none
wavReader().once('format', (found) => found.nonsense)
// @ts-expect-error nor has a truncation
wavReader().addListener('truncated', (truncation) => truncation.nonsense)
// @ts-expect-error a segment is no Buffer
segment(format, everySecond).on('data', (one) => one.length)
// @ts-expect-error 'begin' has no end yet
segment(format, everySecond).once('begin', ({ end }) => end)
// @ts-expect-error a gap of a timeline has no cause
timeline(format, { tracks: ['a'] }).on('gap', ({ cause }) => cause)
// @ts-expect-error a gap of a microphone has no track
portAudio(format).prependListener('gap', ({ track }) => track)
// @ts-expect-error a format has no such part
replay('memo.wav').on('format', (found) => found.nonsense)
// @ts-expect-error a gap has no such part
decode().on('gap', (gap) => gap.nonsense)
// @ts-expect-error 'start' has no such property
twilioMedia().on('start', (start) => start.nonsense)

// @ts-expect-error a rule is asked for
segment(format)
// @ts-expect-error by time or at pauses
segment(format, {})
// @ts-expect-error each segment needs a file of its own
segment(format, { every: { seconds: 2 }, storage: { path: '/tmp/x.wav' } })
// @ts-expect-error a detector says true or false
const wrong: VoiceDetector = { sampleRate: 8000, frameSamples: 80, isSpeech: () => 0.5 }
export const listening = segment(format, { silence: { seconds: 1 }, detector: wrong })
