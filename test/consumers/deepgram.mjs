import { said } from './line.mjs'
import { httpService } from './oracles/http.mjs'
import { webSocketService } from './oracles/websocket.mjs'

const results = { channels: [{ alternatives: [{ transcript: said }] }] }

/** @param {string} url */
const options = (url) => ({
  apiKey: 'key',
  environment: { base: url, production: url, agent: url, agentRest: url },
})

/** @param {Pick<import('./line.mjs').Line, 'block' | 'takes' | 'moments' | 'retries'>} line @returns {import('./line.mjs').Line} */
const upload = (line) => ({
  ...line,
  replace: [['new DeepgramClient()', 'new DeepgramClient(service)']],
  faults: ['header', 'sample'],
  async open(failures) {
    /** @type {import('./line.mjs').Arrival[]} */
    const arrivals = []
    const { url, close } = await httpService(({ headers, body }) => {
      const type = headers.get('content-type')
      arrivals.push({ bytes: body, ...(type && type !== 'application/octet-stream' && { type }) })
      if (arrivals.length <= failures) throw new Error('try again')
      return { metadata: {}, results }
    })
    return { arrived: () => arrivals, says: said, options: options(url), close }
  },
})

/** @type {import('./line.mjs').Line[]} */
export const lines = [
  upload({ block: 'deepgram', takes: 'wav', moments: ['whole', 'snapshot'], retries: true }),
  upload({ block: 'deepgram-follow', takes: 'open wav', moments: ['whole', 'follow'] }),
  {
    block: 'deepgram-live',
    replace: [['new DeepgramClient()', 'new DeepgramClient(service)']],
    takes: 'pcm',
    moments: ['whole', 'follow'],
    faults: ['doubled', 'sample'],
    async open() {
      /** @type {Buffer[]} */
      const pieces = []
      const { url, close } = await webSocketService({
        told(message, send, end) {
          if (Buffer.isBuffer(message)) pieces.push(message)
          if (message.type !== 'CloseStream') return
          send({ type: 'Results', is_final: true, channel: results.channels[0] })
          end()
        },
      })
      return { arrived: () => [{ bytes: Buffer.concat(pieces) }], says: said, options: options(url), close }
    },
  },
]
