// Stands for a server with OpenAI's API: it says how much sound is in what it gets.
import { createServer } from 'node:http'
import { readWavHeader } from 'wavespool'

const server = createServer(async (request, answer) => {
  const chunks = []
  for await (const part of request) chunks.push(part)
  const headers = { 'content-type': request.headers['content-type'] ?? '' }
  const form = await new Response(Buffer.concat(chunks), { headers }).formData()
  const file = /** @type {File} */ (form.get('file'))
  const header = readWavHeader(new Uint8Array(await file.arrayBuffer()))
  const seconds = (header?.dataBytes ?? 0) / (header?.format?.bytesPerSecond ?? 1)
  await new Promise((resolve) => setTimeout(resolve, 100))
  answer.setHeader('content-type', 'application/json')
  answer.end(JSON.stringify({ text: `${seconds.toFixed(2)} s of speech` }))
})
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  console.log(`transcriber: http://127.0.0.1:${port}/v1/audio/transcriptions`)
})
process.once('SIGTERM', () => server.close().closeAllConnections())
