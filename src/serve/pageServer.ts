import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { PassThrough, Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { clearTimeout, setTimeout } from '../realTimers.ts'
import type { RecordingPage } from './recordingPage.ts'

/** The time in milliseconds within which a request must arrive. */
const REQUEST_TIMEOUT = 15_000
const MOST_CONNECTIONS = 2000
/** The time in milliseconds that a client which still sends has to read its answer. */
const LINGER = 500

/** A server of `node:http` around a page: call its `listen()`. */
export function pageServer(page: RecordingPage): Server {
  const limits = {
    headersTimeout: REQUEST_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    connectionsCheckingInterval: 5000,
  }
  const server = createServer(limits, (request, answer) => {
    serve(page, request, answer).catch(() => answer.destroy())
  })
  server.maxConnections = MOST_CONNECTIONS
  server.on('upgrade', page.upgrade)
  return server
}

async function serve(page: RecordingPage, incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
  const request = requestOf(incoming)
  const response = request ? await page.fetch(request) : new Response(null, { status: 400 })
  const { status, headers, body } = response
  const isSending = !incoming.complete
  // The unread body would have to be read to its end before the next request.
  if (isSending) headers.set('connection', 'close')
  answer.writeHead(status, Object.fromEntries(headers)).flushHeaders()
  if (body === null) {
    if (isSending) await discard(incoming)
    answer.end()
  } else if (isSending) await pipeline(body, untilDiscarded(incoming), answer)
  else await pipeline(body, answer)
}

/** Passes all on, and ends once the rest of the request has been discarded. */
function untilDiscarded(incoming: IncomingMessage): Transform {
  return new Transform({
    transform: (bytes, _encoding, callback) => callback(null, bytes),
    flush: (callback) => void discard(incoming).then(() => callback()),
  })
}

/** A connection that is closed while more comes is reset, which takes the answer from a client that has not read it yet. */
async function discard(incoming: IncomingMessage): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LINGER)
    incoming.once('end', resolve).once('close', resolve).resume()
  })
  clearTimeout(timer)
}

/** undefined for a request that `fetch` does not know */
function requestOf(incoming: IncomingMessage): Request | undefined {
  const { method = 'GET', url = '', rawHeaders } = incoming
  if (!url.startsWith('/')) return undefined
  try {
    const headers = new Headers()
    for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!)
    const body =
      method === 'GET' || method === 'HEAD' ? null : Readable.toWeb(incoming.pipe(new PassThrough()))
    return new Request(`http://${headers.get('host')}${url}`, {
      method,
      headers,
      body,
      duplex: 'half',
    } as RequestInit)
  } catch {
    return undefined
  }
}
