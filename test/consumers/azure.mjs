import { said } from './line.mjs'
import { webSocketService } from './oracles/websocket.mjs'
import { wavOf } from './recording.mjs'

/** The headers in front of the body of a message, in the form of HTTP. @param {string} text */
const headersOf = (text) =>
  new Map(
    text
      .split('\r\n')
      .map((line) => [line.split(':')[0]?.toLowerCase() ?? '', line.slice(line.indexOf(':') + 1).trim()]),
  )

/** @param {Buffer} message @returns {{ headers: Map<string, string>, body: Buffer }} */
function parse(message) {
  const end = 2 + message.readUInt16BE(0)
  return { headers: headersOf(message.toString('utf8', 2, end)), body: message.subarray(end) }
}

/** @param {import('./line.mjs').Line['block']} block @param {import('./line.mjs').Moment[]} moments @returns {import('./line.mjs').Line} */
const recognition = (block, moments) => ({
  block,
  replace: [
    [
      "SpeechConfig.fromSubscription(process.env.AZURE_SPEECH_KEY ?? '', 'westeurope')",
      'SpeechConfig.fromEndpoint(service, "key")',
    ],
  ],
  // The client reads a file's header and sends one of its own; that of a stream it makes up.
  takes: 'pcm',
  moments,
  faults: block === 'azure' ? ['header', 'doubled', 'sample'] : ['doubled', 'sample'],
  async open() {
    /** @type {Buffer[]} */
    const pieces = []
    let id = ''
    const { url, close } = await webSocketService({
      told(message, send) {
        if (!Buffer.isBuffer(message)) return
        const { headers, body } = parse(message)
        if (headers.get('path') !== 'audio') return
        const tell = (/** @type {string} */ path, /** @type {unknown} */ content) =>
          send(
            `X-RequestId:${id}\r\nPath:${path}\r\nContent-Type:application/json\r\n\r\n${JSON.stringify(content)}`,
          )
        if (pieces.length === 0) {
          id = headers.get('x-requestid') ?? ''
          tell('turn.start', { context: { serviceTag: '1' } })
        }
        pieces.push(body)
        if (body.length > 0) return
        tell('speech.phrase', {
          Id: '1',
          RecognitionStatus: 'Success',
          DisplayText: said,
          Offset: 0,
          Duration: 1,
          Channel: 0,
        })
        tell('speech.endDetected', { Offset: 0 })
        tell('turn.end', {})
      },
    })
    return {
      arrived() {
        const [header = Buffer.alloc(0), ...audio] = pieces
        // the format that the client says the audio has, as it stands in the header that it sends
        const isRight = header.subarray(20, 36).equals(wavOf().subarray(20, 36))
        return [{ bytes: Buffer.concat(isRight ? audio : pieces) }]
      },
      says: said,
      options: new URL(`${url}/speech`),
      close,
    }
  },
})

/** @type {import('./line.mjs').Line[]} */
export const lines = [
  recognition('azure', ['whole', 'snapshot']),
  recognition('azure-push', ['whole', 'follow']),
  recognition('azure-pull', ['whole']),
]
