// Records three seconds and sends them to a speech-to-text service as a native File in a form.
// TRANSCRIPTION_URL names the service; without it, a server in this program answers with what it got.
import { createServer } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { limit, pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { pickSource } from './source.mjs'

const format = pcmFormat()
const memo = new VirtualFile({ name: 'memo.wav' })
await pipeline(await pickSource(format), limit(format, { seconds: 3 }), wavHeader(format), memo)

const form = new FormData()
form.set('model', 'whisper-1')
form.set('file', await memo.toFile())

const local = process.env.TRANSCRIPTION_URL ? undefined : await startServer()
const url = process.env.TRANSCRIPTION_URL ?? `http://127.0.0.1:${local?.port}/`
const headers = process.env.OPENAI_API_KEY ? { authorization: `Bearer ${process.env.OPENAI_API_KEY}` } : {}
const response = await fetch(url, { method: 'POST', body: form, headers, redirect: 'error' })
if (!response.ok) throw new Error(`the service answered ${response.status}: ${await response.text()}`)
const { text } = /** @type {{ text: string }} */ (await response.json())
console.log(text)
local?.server.close()
await memo.dispose()

/** Stands for the service. @returns {Promise<{ server: import('node:http').Server, port: number }>} */
function startServer() {
  const server = createServer(async (request, answer) => {
    const chunks = []
    for await (const part of request) chunks.push(part)
    const type = request.headers['content-type'] ?? ''
    const sent = await new Response(Buffer.concat(chunks), { headers: { 'content-type': type } }).formData()
    const file = /** @type {File} */ (sent.get('file'))
    answer.setHeader('connection', 'close')
    answer.end(
      JSON.stringify({ text: `(a local server) got ${file.name}, ${file.type}, ${file.size} bytes` }),
    )
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ server, port: /** @type {import('node:net').AddressInfo} */ (server.address()).port })
    })
  })
}
