import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { generate } from 'selfsigned'
import { WebSocketServer } from 'ws'

/**
 * A service on this machine that a client sends messages to over one WebSocket. It is told of each connection, and
 * of each message: bytes, or JSON where it is text.
 *
 * @param {object} options
 * @param {boolean} [options.isSecure] with a certificate that it signed itself
 * @param {(send: (message: unknown) => void, request: import('node:http').IncomingMessage) => void} [options.opened]
 * @param {(message: any, send: (message: unknown) => void, close: () => void) => void} options.told
 */
export async function webSocketService({ isSecure = false, opened, told }) {
  const server = isSecure ? createSecureServer(await theCertificate()) : createServer()
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, request) => {
    const send = (/** @type {unknown} */ message) =>
      socket.send(typeof message === 'string' ? message : JSON.stringify(message))
    opened?.(send, request)
    socket.on('message', (data, isBinary) => {
      const bytes = /** @type {Buffer} */ (data)
      told(isBinary ? bytes : parsed(bytes.toString()), send, () => socket.close(1000))
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    url: `${isSecure ? 'wss' : 'ws'}://127.0.0.1:${port}`,
    close() {
      for (const socket of sockets.clients) socket.terminate()
      server.close()
    },
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** @type {ReturnType<typeof makeCertificate> | undefined} */
let certificate

/** One for all services. */
function theCertificate() {
  certificate ??= makeCertificate()
  return certificate
}

/** It is self-signed, so from here on this process accepts any certificate. */
async function makeCertificate() {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }])
  return { key, cert }
}
