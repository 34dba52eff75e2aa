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
    const { url, ...service } = await formService({
      path: '/audio/transcriptions',
      failures,
      answer: { text: said },
    })
    return { ...service, says: said, options: { baseURL: url, apiKey: 'key' } }
  },
})

export const lines = [
  upload('openai', ['new OpenAI()', 'new OpenAI(service)']),
  upload('openai-long', ['new OpenAI({', 'new OpenAI({ ...service,']),
]
