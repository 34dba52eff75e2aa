// Takes calls over WebSockets, as Twilio's media streams bring them: each is recorded into a file and to JetStream, and
// cut into sentences that wait for a worker. Any number of these run side by side; a call whose ingest died goes on with
// another one, at the place that it has come to.
//
// NATS_URLS  servers, with commas between them      DIRECTORY  where the files go      PORT  where calls come in
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { chunk, convert, pcmFormat, segment, VirtualFile, wavHeader } from 'wavespool'
import {
  ensureStreams,
  followRecording,
  publishRecording,
  queueSegments,
  resumeSegments,
} from 'wavespool/jetstream'
import { WebSocketServer } from 'ws'
import { callFormat, twilioCall } from './twilio.mjs'

const {
  NATS_URLS = '127.0.0.1:4222',
  DIRECTORY = 'calls',
  PORT = '8080',
  HOST = '127.0.0.1',
  REPLICAS = '1',
} = process.env
/** The format for the search for speech, and for the service: both voices, mixed. */
const spoken = pcmFormat({ sampleRate: 8000 })

const connection = await connect({
  servers: NATS_URLS.split(','),
  maxReconnectAttempts: -1,
  waitOnFirstConnect: true,
  noAsyncTraces: true, // a stack trace for each request costs more than the request
})
const js = jetstream(connection)
await ensureStreams(js, { replicas: Number(REPLICAS) })
await mkdir(DIRECTORY, { recursive: true })

const server = new WebSocketServer({ host: HOST, port: Number(PORT) })
server.on('connection', (socket) => {
  record(socket).catch((error) => {
    console.error(error.message)
    socket.close(1011) // the caller connects again, perhaps to another ingest
  })
})
await once(server, 'listening')
console.log(`ingest: ws://${HOST}:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`)

/** @param {import('ws').WebSocket} socket */
async function record(socket) {
  const { call, id, at } = await twilioCall(socket)
  const file = new VirtualFile({ name: `${id}.wav`, storage: { path: join(DIRECTORY, `${id}-${at}.wav`) } })
  const published = publishRecording(js, id, callFormat, {
    position: at * callFormat.bytesPerFrame,
    message: { milliseconds: 200 },
  })
  const cutting = new AbortController()
  try {
    await Promise.all([
      pipeline(call, chunk(callFormat, { milliseconds: 200 }), wavHeader(callFormat), file), // few writes
      pipeline(call, published),
      cut(id, cutting.signal),
    ])
  } finally {
    cutting.abort()
    await file.dispose() // the file on the disk stays
  }
}

/**
 * Cuts what has been recorded, from the end of the last sentence on: also what an ingest had recorded that died before
 * it could cut it.
 *
 * @param {string} id @param {AbortSignal} signal
 */
async function cut(id, signal) {
  const from = await resumeSegments(js, id)
  const audio = followRecording(js, id, { start: from * callFormat.bytesPerFrame, onGap: 'fill' })
  await pipeline(
    audio,
    convert(callFormat, spoken),
    segment(spoken, { silence: { seconds: 0.5 }, maxLength: { seconds: 30 }, storage: 'memory' }),
    queueSegments(js, id, { offset: from }),
    { signal },
  )
}

process.once('SIGTERM', async () => {
  for (const socket of server.clients) socket.close(1012) // the audio so far is recorded
  server.close()
  await connection.drain()
})
