import { said } from './line.mjs'
import { arrivedFile, httpService } from './oracles/http.mjs'
import { webSocketService } from './oracles/websocket.mjs'

/** @type {[string, string][]} */
const replace = [["{ apiKey: process.env.ASSEMBLYAI_API_KEY ?? '' }", 'service']]

/** @param {Pick<import('./line.mjs').Line, 'block' | 'takes' | 'moments'>} line @returns {import('./line.mjs').Line} */
const upload = (line) => ({
  ...line,
  replace,
  faults: ['header', 'sample'],
  async open() {
    /** @type {import('./line.mjs').Arrival[]} */
    const arrivals = []
    const { url, close } = await httpService(({ path, body, json }) => {
      if (path === '/v2/upload') {
        arrivals.push({ bytes: body })
        return { upload_url: 'https://example.com/upload/1' }
      }
      if (path === '/v2/transcript') return { id: '1', status: 'queued', audio_url: json().audio_url }
      return { id: '1', status: 'completed', text: said }
    })
    return { arrived: () => arrivals, says: said, options: { apiKey: 'key', baseUrl: url }, close }
  },
})

/** @type {import('./line.mjs').Line[]} */
export const lines = [
  upload({ block: 'assemblyai', takes: 'wav', moments: ['whole', 'snapshot'] }),
  upload({ block: 'assemblyai-follow', takes: 'open wav', moments: ['whole', 'follow'] }),
  {
    block: 'assemblyai-sync',
    replace,
    takes: 'pcm',
    moments: ['whole', 'follow'],
    faults: ['doubled', 'sample'],
    async open() {
      /** @type {import('./line.mjs').Arrival[]} */
      const arrivals = []
      const { url, close } = await httpService(async ({ path, form }) => {
        if (path !== '/v1/transcribe/live') throw new Error(path)
        const sent = await form()
        const config = JSON.parse(String(sent.get('config')))
        if (config.sample_rate !== 16_000 || config.channels !== 1) throw new Error('a wrong format')
        arrivals.push({ bytes: (await arrivedFile(sent.get('audio'))).bytes })
        return { text: said }
      })
      return { arrived: () => arrivals, says: said, options: { apiKey: 'key', syncBaseUrl: url }, close }
    },
  },
  {
    block: 'assemblyai-live',
    replace: [...replace, ['{ sampleRate: 16000 }', '{ sampleRate: 16000, ...service }']],
    takes: 'pcm',
    moments: ['whole', 'follow'],
    faults: ['doubled', 'sample'],
    async open() {
      /** @type {Buffer[]} */
      const pieces = []
      const { url, close } = await webSocketService({
        isSecure: true, // the client takes no other
        opened(send, { url }) {
          const rate = new URL(url ?? '', 'wss://localhost').searchParams.get('sample_rate')
          if (rate === '16000') send({ type: 'Begin', id: '1', expires_at: 0 })
        },
        told(message, send) {
          if (Buffer.isBuffer(message)) pieces.push(message)
          if (message.type !== 'Terminate') return
          send({ type: 'Turn', turn_order: 0, end_of_turn: true, transcript: said, words: [] })
          send({ type: 'Termination', audio_duration_seconds: 4, session_duration_seconds: 4 })
        },
      })
      return {
        // the service refuses pieces shorter than 50 ms and longer than a second
        arrived: () => [
          { bytes: Buffer.concat(pieces.filter(({ length }) => length >= 1600 && length <= 32_000)) },
        ],
        says: said,
        options: { apiKey: 'key', websocketBaseUrl: `${url}/v3/ws`, connectTimeout: 30_000 },
        close,
      }
    },
  },
]
