import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { loadPeer } from '../codec/peer.ts'
import { clearTimeout, setTimeout } from '../realTimers.ts'
import { HttpError } from './httpError.ts'
import type { PageMicrophone, PageSocket } from './pageMicrophone.ts'

/** Half a second of the fastest microphone. */
const MOST_BYTES = 2 ** 19
/** within which a page sends its key */
const PATIENCE_MILLISECONDS = 10_000

interface Acceptor {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    done: (socket: PageSocket) => void,
  ): void
}

let acceptor: Acceptor | undefined

/** Loads the package `ws`. @returns a promise, rejected with a {@link HttpError} where it is not installed */
export async function loadSockets(): Promise<Acceptor> {
  const { WebSocketServer } = await loadPeer('ws', 'the microphone of a browser', () => import('ws')).catch(
    ({ message }: Error) => {
      throw new HttpError(501, message)
    },
  )
  const options = { noServer: true, maxPayload: MOST_BYTES, perMessageDeflate: false }
  acceptor ??= new WebSocketServer(options) as Acceptor
  return acceptor
}

/**
 * Completes a WebSocket, whose first message says the key of a recording.
 *
 * @param find throws a {@link HttpError} for a wrong key
 */
export async function acceptSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  find: (key: string) => PageMicrophone,
): Promise<void> {
  socket.on('error', () => {})
  const accepting = await loadSockets()
  accepting.handleUpgrade(request, socket, head, (connection) => {
    connection.on('error', () => connection.terminate())
    const timer = setTimeout(() => connection.terminate(), PATIENCE_MILLISECONDS)
    connection.once('message', (data) => {
      clearTimeout(timer)
      try {
        find(data.toString()).connect(connection)
      } catch (error) {
        connection.close(1008, (error as Error).message)
      }
    })
    connection.on('close', () => clearTimeout(timer))
  })
}

/** Answers a request that is no WebSocket of ours. */
export async function refuseSocket(socket: Duplex, answer: Response): Promise<void> {
  const text = await answer.text()
  socket.on('error', () => {})
  socket.end(
    `HTTP/1.1 ${answer.status} Refused\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  )
}
