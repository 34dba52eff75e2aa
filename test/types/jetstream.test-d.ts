/** Checked by `tsc --noEmit`: right code compiles, and wrong code is refused. Nothing here is run. */
import type { Readable, Writable } from 'node:stream'
import type { JetStreamClient } from '@nats-io/jetstream'
import { pcmFormat, type Source } from '../../src/index.ts'
import {
  ensureStreams,
  followRecording,
  publishRecording,
  queueSegments,
  readTexts,
  resumeRecording,
  workSegments,
} from '../../src/jetstream/index.ts'

declare const js: JetStreamClient
const format = pcmFormat()
const streams: (Readable | Writable)[] = [
  publishRecording(js, 'call', format, {
    message: { milliseconds: 200 },
    buffer: { seconds: 5 },
    position: 0,
  }),
  followRecording(js, 'call', { start: 'live', end: 100, onGap: 'fill', idleSeconds: 5, prefix: 'mine' }),
  queueSegments(js, 'call', { audio: 'place', offset: 16_000, retrySeconds: 5 }),
]
const source: Source = followRecording(js, 'call')
const setUp: Promise<void> = ensureStreams(js, {
  replicas: 3,
  recordings: { maxAgeSeconds: 60, maxBytes: 1e9 },
})
const workers = workSegments(js, async ({ file, start }) => `${file.size} ${start}`, { concurrency: 2 })
workers.on('text', ({ id, start, end, text }) => console.log(id, start + end, text.length))
workers.on('failed', ({ error, attempt }) => console.log(error.message, attempt.toFixed()))

export const used = [streams, source, setUp, readTexts(js, 'call')]
export const position = async () => (await resumeRecording(js, 'call'))?.position.toFixed()

publishRecording(js, 'call', format)
  .on('begin', ({ position, gap }) => position + gap)
  .on('acknowledged', (bytes) => bytes.toFixed())
followRecording(js, 'call')
  .on('format', ({ sampleRate }) => sampleRate.toFixed())
  .on('gap', ({ at, bytes }) => at + bytes)
  .on('stray', ({ recorder }) => recorder.length)
// @ts-expect-error 'begin' has no such property
publishRecording(js, 'call', format).on('begin', (begin) => begin.nonsense)
// @ts-expect-error bytes are a number
publishRecording(js, 'call', format).on('acknowledged', (bytes) => bytes.length)
// @ts-expect-error a gap has no such part
followRecording(js, 'call').once('gap', (gap) => gap.nonsense)
// @ts-expect-error a text has no such part
workers.on('text', (text) => text.nonsense)

// @ts-expect-error a recording that does not exist has no position
export const nothing = async () => (await resumeRecording(js, 'call')).position
// @ts-expect-error the format is missing
publishRecording(js, 'call')
// @ts-expect-error no such answer to a gap
followRecording(js, 'call', { onGap: 'skip' })
// @ts-expect-error a text is a string
workSegments(js, async () => 7)
