// Transcribes what waits, by any server that speaks OpenAI's API. Any number of these run side by side.
//
// NATS_URLS  servers, with commas between them      TRANSCRIPTION_URL  where the API is      OPENAI_API_KEY  its key
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { ensureStreams, workSegments } from 'wavespool/jetstream'

const {
  NATS_URLS = '127.0.0.1:4222',
  TRANSCRIPTION_URL = 'https://api.openai.com/v1/audio/transcriptions',
  TRANSCRIPTION_MODEL = 'whisper-1',
  OPENAI_API_KEY,
  CONCURRENCY = '4',
  REPLICAS = '1',
} = process.env

const connection = await connect({
  servers: NATS_URLS.split(','),
  maxReconnectAttempts: -1,
  waitOnFirstConnect: true,
})
const js = jetstream(connection)
await ensureStreams(js, { replicas: Number(REPLICAS) })

const workers = workSegments(
  js,
  async ({ file, signal }) => {
    const form = new FormData()
    form.set('model', TRANSCRIPTION_MODEL)
    form.set('file', await file.toFile())
    const headers = OPENAI_API_KEY ? { authorization: `Bearer ${OPENAI_API_KEY}` } : {}
    const request = { method: 'POST', body: form, headers, signal, redirect: /** @type {const} */ ('error') }
    const response = await fetch(TRANSCRIPTION_URL, request)
    if (!response.ok) throw new Error(`the service answered ${response.status}: ${await response.text()}`)
    return /** @type {{ text: string }} */ (await response.json()).text
  },
  { concurrency: Number(CONCURRENCY) },
)
workers.on('retry', ({ id, start, error }) => console.error(`${id} at ${start}: ${error.message}`))
workers.on('failed', ({ id, start, error }) => console.error(`${id} at ${start} failed: ${error.message}`))
console.log(`worker: ${CONCURRENCY} at a time`)

process.once('SIGTERM', async () => {
  await workers.stop()
  await connection.drain()
})
await workers.finished
