// Stands between a client and OpenAI's Realtime API: hands each message on, both ways, and records the user and the
// assistant into one stereo WAV, in step: a reply lies where it was heard, and ends where it was interrupted.
// npm install ws, then: OPENAI_API_KEY=… node examples/realtime-relay.mjs [port] [folder]
import { once } from 'node:events'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { pcmFormat, timeline, VirtualFile, wavHeader } from 'wavespool'
import { openaiRealtime } from 'wavespool/telephony'
import { WebSocket, WebSocketServer } from 'ws'

const [port = '8080', folder = '.'] = process.argv.slice(2)
const { REALTIME_URL = 'wss://api.openai.com/v1/realtime?model=gpt-realtime', OPENAI_API_KEY = '' } =
  process.env
const server = new WebSocketServer({ port: Number(port), host: '127.0.0.1' })
server.on('connection', (client) => relay(client).catch((error) => console.error(error.message)))
await once(server, 'listening')
const address = server.address()
console.log(`listening on ${typeof address === 'object' ? address?.port : address}`)

/** @param {WebSocket} client */
async function relay(client) {
  client.pause() // until the service can take its messages
  const service = new WebSocket(REALTIME_URL, { headers: { authorization: `Bearer ${OPENAI_API_KEY}` } })
  client.once('close', () => service.terminate())
  await once(service, 'open')

  const parser = openaiRealtime({ invalid: 'skip' })
  const call = timeline(pcmFormat({ sampleRate: 24_000 }), { tracks: ['user', 'assistant'] })
  const path = join(folder, 'conversation.wav')
  const file = new VirtualFile({ name: 'conversation.wav', storage: { path, overwrite: true } })
  const recording = pipeline(parser, call, wavHeader(call.format), file)
  /** @param {WebSocket} from @param {WebSocket} to */
  const handOn = (from, to) => {
    from.on('message', (data, isBinary) => {
      to.send(data, { binary: isBinary }, () => {}) // an error of a closed socket is ignored
      if (!parser.writableEnded) parser.write(String(data))
    })
    from.on('error', () => {}) // 'close' follows
    from.once('close', () => {
      to.close()
      parser.end()
    })
  }
  handOn(client, service)
  handOn(service, client)
  client.resume()
  await recording
  console.log(`recorded ${file.duration} s`)
  await file.dispose()
}
