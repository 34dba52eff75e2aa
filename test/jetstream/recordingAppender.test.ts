import type { JetStreamClient } from '@nats-io/jetstream'
import type { MsgHdrs } from '@nats-io/transport-node'
import { expect, test } from 'vitest'
import { pcmFormat } from '../../src/index.ts'
import { Retrying, WRONG_LAST_SEQUENCE } from '../../src/jetstream/client.ts'
import { readEntry } from '../../src/jetstream/message.ts'
import { RecordingAppender } from '../../src/jetstream/recordingAppender.ts'
import { type LogEntry, RecordingLog } from '../../src/jetstream/recordingLog.ts'
import type { RecordingSubject } from '../../src/jetstream/recordingSubject.ts'

const format = pcmFormat({ sampleRate: 8000 })

interface Options {
  headers: MsgHdrs
  expect: { lastSubjectSequence?: number }
}

/**
 * A server that can accept messages that it should refuse, as the servers of a cluster do that check in different
 * orders.
 */
class Server {
  readonly entries: LogEntry[] = []
  /** entries that another recorder stores just before the next message */
  unseen: LogEntry[] = []

  readonly js = {
    publish: async (_subject: string, data: Uint8Array, options: Options) => {
      const { lastSubjectSequence = this.entries.length } = options.expect
      if (lastSubjectSequence !== this.entries.length) {
        throw Object.assign(new Error('wrong last sequence'), { code: WRONG_LAST_SEQUENCE })
      }
      this.entries.push(...this.unseen.splice(0))
      const seq = this.entries.length + 1
      this.entries.push(readEntry({ headers: options.headers, data, seq }).entry)
      return { seq, duplicate: false }
    },
  } as unknown as JetStreamClient

  readonly subject = {
    subject: 'subject',
    stream: 'stream',
    next: async (sequence: number) => {
      const entry = this.entries[sequence - 1]
      return entry && { entry, sequence, format }
    },
    known: async () => {
      const log = new RecordingLog()
      for (const entry of this.entries) log.take(entry)
      return this.entries.length > 0 ? { log, format, sequence: this.entries.length } : undefined
    },
  } as unknown as RecordingSubject

  appender(recorder: string): RecordingAppender {
    return new RecordingAppender(this.js, this.subject, new Retrying(1), 'id', recorder, format)
  }
}

const audio = (recorder: string, position: number): LogEntry => ({
  kind: 'audio',
  recorder,
  position,
  bytes: 100,
})

test('a recorder that another one has superseded unseen learns it from the later messages of that one', async () => {
  const server = new Server()
  const zombie = server.appender('zombie')
  await zombie.begin(undefined)
  await zombie.append(Buffer.alloc(100))
  // accepted, although the turn has gone over in front of it
  server.unseen = [{ kind: 'begin', recorder: 'rival', position: 100, bytes: 0, follows: 'zombie' }]
  await zombie.append(Buffer.alloc(100))
  server.entries.push(audio('rival', 100))
  await expect(zombie.append(Buffer.alloc(100))).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_SUPERSEDED' })
})

test('messages of a recorder that came too late do not disturb the current one', async () => {
  const server = new Server()
  const first = server.appender('first')
  await first.begin(undefined)
  server.unseen = [{ kind: 'begin', recorder: 'late', position: 0, bytes: 0, follows: '' }]
  for (let position = 0; position < 500; position += 100) {
    await first.append(Buffer.alloc(100))
    server.entries.push(audio('late', position))
  }
  await first.end()
  expect(first.position).toBe(500)
})
