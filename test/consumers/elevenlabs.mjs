import { said } from './line.mjs'
import { formService } from './oracles/http.mjs'

/** @param {string} block @param {[string, string]} replacement @returns {import('./line.mjs').Line} */
const upload = (block, replacement) => ({
  block,
  replace: [replacement],
  takes: 'wav',
  moments: ['whole', 'snapshot'],
  faults: ['name', 'header', 'sample'],
  retries: true,
  async open(failures) {
    const answer = { language_code: 'en', language_probability: 1, text: said, words: [] }
    const { url, ...service } = await formService({ path: '/v1/speech-to-text', failures, answer })
    return { ...service, says: said, options: { baseUrl: url, apiKey: 'key' } }
  },
})

export const lines = [
  upload('elevenlabs', ['new ElevenLabsClient()', 'new ElevenLabsClient(service)']),
  upload('elevenlabs-long', ['new ElevenLabsClient({', 'new ElevenLabsClient({ ...service,']),
]
