import { once } from 'node:events'
import { WebSocketServer } from 'ws'

/** Connections that break, the fourth of them before it is open. */
const BREAKS = 10
const REFUSED = 4
/** Frames in an answer. */
const WORD = 800
const SAMPLE_RATE = 16_000

/**
 * A live speech-to-text service whose first connections break, each with audio that it has heard and not answered. It
 * answers each stretch of audio with the times since its connection began, and with its first and last sample and length.
 */
export async function startListening() {
  let connections = 0
  let breaks = 0
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    verifyClient: () => {
      if (++connections !== REFUSED) return true
      breaks++
      return false
    },
  })
  server.on('connection', (socket) => {
    const breakAt = breaks < BREAKS ? 2 * WORD + 137 * (breaks + 1) : Number.POSITIVE_INFINITY
    let heard = Buffer.alloc(0)
    let answered = 0
    const answer = (/** @type {number} */ frames) => {
      const [first, last] = [heard.readInt16LE(2 * answered), heard.readInt16LE(2 * (answered + frames - 1))]
      const [start, end] = [answered / SAMPLE_RATE, (answered + frames) / SAMPLE_RATE]
      socket.send(JSON.stringify({ start, end, text: `${first} ${last} ${frames}` }))
      answered += frames
    }
    socket.on('message', (data, isBinary) => {
      if (!isBinary) {
        while (heard.length / 2 > answered) answer(Math.min(WORD, heard.length / 2 - answered))
        socket.close(1000)
        return
      }
      heard = Buffer.concat([heard, /** @type {Buffer} */ (data)])
      // It answers a word late, as services do.
      while (heard.length / 2 >= answered + 2 * WORD && answered < breakAt) answer(WORD)
      if (heard.length / 2 < breakAt || socket.readyState !== socket.OPEN) return
      breaks++
      socket.terminate()
    })
  })
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { url: `ws://127.0.0.1:${port}`, stop: () => server.close(), breaks: () => breaks }
}
