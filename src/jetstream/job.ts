import { pipeline } from 'node:stream/promises'
import type { JetStreamClient, JsMsg } from '@nats-io/jetstream'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { VirtualFile } from '../sinks/virtualFile.ts'
import { wavHeader } from '../streams/wavHeader.ts'
import { followRecording } from './followRecording.ts'
import { type Place, readFormat, readPlace } from './message.ts'
import type { Names } from './names.ts'

/** The job in a message of the stream of segments. */
export interface Job extends Place {
  id: string
  format: PcmFormat
}

/** A recording of which nothing comes for so long has been removed. */
const IDLE_SECONDS = 30

export function readJob({ subject, headers, seq }: JsMsg): Job {
  const [, , id] = subject.split('.')
  return { id: id!, ...readPlace({ headers, seq }), format: readFormat({ headers, seq }) }
}

/** The audio of a job: the body of the message, or the bytes of the recording at its place. */
export async function openJob(
  js: JetStreamClient,
  names: Names,
  job: Job,
  carried: Uint8Array,
): Promise<VirtualFile> {
  const { id, start, end, format } = job
  const name = `${id}-${start}-${end}.wav`
  if (carried.length > 0) return VirtualFile.from(carried, { name, storage: 'memory' })
  const { bytesPerFrame } = format
  const file = new VirtualFile({ name })
  const part = followRecording(js, id, {
    prefix: names.prefix,
    start: start * bytesPerFrame,
    end: end * bytesPerFrame - 1,
    onGap: 'fill',
    idleSeconds: IDLE_SECONDS,
  })
  try {
    await pipeline(part, wavHeader(format), file)
  } catch (error) {
    await file.dispose()
    throw error
  }
  return file
}
