import { said } from './line.mjs'
import { formService } from './oracles/http.mjs'

/** @type {import('./line.mjs').Line[]} */
export const lines = [
  {
    block: 'groq',
    replace: [['new Groq()', 'new Groq(service)']],
    takes: 'wav',
    moments: ['whole', 'snapshot'],
    faults: ['name', 'header', 'sample'],
    retries: true,
    async open(failures) {
      const path = '/openai/v1/audio/transcriptions'
      const { url, ...service } = await formService({ path, failures, answer: { text: said } })
      return { ...service, says: said, options: { baseURL: url, apiKey: 'key' } }
    },
  },
]
