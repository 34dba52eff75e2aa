// The page with what is said beside the waveform, while it is said, by any service that speaks OpenAI's API:
//   TRANSCRIPTION_URL=https://api.openai.com/v1/audio/transcriptions OPENAI_API_KEY=… node serve-transcribed.mjs
// It records into the folder that is named, else into recordings; Ctrl-C ends it.
import { once } from 'node:events'
import { pageServer, recordingPage } from 'wavespool/serve'
import { pickSource } from './source.mjs'

const url = process.env.TRANSCRIPTION_URL ?? 'http://127.0.0.1:8080/v1/audio/transcriptions'
const key = process.env.OPENAI_API_KEY

const page = recordingPage(process.argv[2] ?? 'recordings', {
  microphone: pickSource,
  log: console.error,
  // all of the audio, cut at pauses
  passages: { every: { seconds: 15 }, atPause: { silence: { seconds: 0.5 }, within: { seconds: 12 } } },
  async transcribe({ file }) {
    const form = new FormData()
    form.set('model', process.env.TRANSCRIPTION_MODEL ?? 'whisper-1')
    form.set('file', await file.toFile())
    const headers = key ? { authorization: `Bearer ${key}` } : {}
    const response = await fetch(url, { method: 'POST', body: form, headers, redirect: 'error' })
    if (!response.ok) throw new Error(`the service answered ${response.status}: ${await response.text()}`)
    const { text } = /** @type {{ text: string }} */ (await response.json())
    return text.trim()
  },
})
const server = pageServer(page).listen(Number(process.env.PORT ?? 0), '127.0.0.1')
await once(server, 'listening')
console.log(`http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/`)
process.once('SIGINT', async () => {
  await page.close()
  server.close()
})
