import { createServer } from 'node:http2'
import { EventStreamCodec } from '@smithy/core/event-streams'
import { said } from './line.mjs'

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text, 'utf8'),
)

/** An event as the service sends it. @param {string} type @param {unknown} body */
const event = (type, body) =>
  codec.encode({
    headers: {
      ':message-type': { type: 'string', value: 'event' },
      ':event-type': { type: 'string', value: type },
      ':content-type': { type: 'string', value: 'application/json' },
    },
    body: Buffer.from(JSON.stringify(body)),
  })

/** The audio of a request: messages with a signature, each with an audio event in it. @param {Buffer} bytes */
function audioOf(bytes) {
  const pieces = []
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at)) {
    const { body } = codec.decode(bytes.subarray(at, at + bytes.readUInt32BE(at)))
    if (body.length === 0) continue // the last one, which ends the stream
    const audio = codec.decode(body)
    if (audio.headers[':event-type']?.value !== 'AudioEvent') throw new Error('no audio event')
    if (audio.body.length > 32_000) throw new Error('more than a second of audio in an event')
    pieces.push(audio.body)
  }
  return Buffer.concat(pieces)
}

/** @type {import('./line.mjs').Line[]} */
export const lines = [
  {
    block: 'aws-live',
    replace: [['new TranscribeStreamingClient()', 'new TranscribeStreamingClient(service)']],
    takes: 'pcm',
    moments: ['whole', 'follow'],
    faults: ['doubled', 'sample'],
    async open() {
      /** @type {Buffer[]} */
      const pieces = []
      const server = createServer()
      server.on('stream', (/** @type {import('node:http2').ServerHttp2Stream} */ stream, headers) => {
        const { 'x-amzn-transcribe-media-encoding': encoding, 'x-amzn-transcribe-sample-rate': rate } =
          headers
        stream.respond({ ':status': encoding === 'pcm' && rate === '16000' ? 200 : 400 })
        stream.on('data', (/** @type {Buffer} */ piece) => pieces.push(piece))
        stream.on('end', () => {
          const result = { IsPartial: false, Alternatives: [{ Transcript: said }] }
          stream.end(event('TranscriptEvent', { Transcript: { Results: [result] } }))
        })
      })
      /** @type {Set<import('node:http2').ServerHttp2Session>} */
      const sessions = new Set()
      server.on('session', (session) => sessions.add(session))
      await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
      return {
        options: {
          region: 'us-east-1',
          endpoint: `http://127.0.0.1:${port}`,
          credentials: { accessKeyId: 'id', secretAccessKey: 'key' },
        },
        arrived: () => [{ bytes: audioOf(Buffer.concat(pieces)) }],
        says: said,
        close() {
          for (const session of sessions) session.destroy()
          server.close()
        },
      }
    },
  },
]
