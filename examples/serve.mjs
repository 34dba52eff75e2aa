// Records three seconds and serves them over HTTP: a player or a service that takes a URL hears the recording while it
// goes on, and seeks in it afterwards. Ctrl-C ends it.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { limit, pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { pickSource } from './source.mjs'

const format = pcmFormat()
const memo = new VirtualFile({ name: 'memo.wav' })

// A server that speaks `fetch` returns `memo.toResponse(request)` as it is; node:http wants these lines around it.
const server = createServer(async (request, answer) => {
  const { status, headers, body } = await memo.toResponse(request)
  answer.writeHead(status, Object.fromEntries(headers)).flushHeaders() // not only with the first byte
  if (body)
    await pipeline(body, answer).catch(() => {}) // the client may go away
  else answer.end()
})
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1')
await once(server, 'listening')
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
console.log(`http://127.0.0.1:${port}/${memo.name}`)

const source = await pickSource(format)
process.once('SIGINT', () => {
  source.stop()
  server.close()
  server.closeIdleConnections()
})
await pipeline(source, limit(format, { seconds: 3 }), wavHeader(format), memo)
console.log(`recorded ${memo.size} bytes; Ctrl-C ends it`)
