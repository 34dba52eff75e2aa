import { said } from './line.mjs'
import { formService } from './oracles/http.mjs'

/** @type {import('./line.mjs').Line[]} */
export const lines = [
  {
    block: 'ai',
    replace: [
      ['import { openai }', 'import { createOpenAI }'],
      ['openai.transcription', 'createOpenAI(service).transcription'],
    ],
    takes: 'wav',
    moments: ['whole', 'snapshot'],
    faults: ['header', 'sample'],
    retries: true,
    async open(failures) {
      const { url, arrived, close } = await formService({
        path: '/audio/transcriptions',
        failures,
        answer: { text: said },
      })
      return {
        close,
        // the package gives the file a name of its own
        arrived: () =>
          arrived().map(({ name, ...rest }) => ({ ...rest, name: name === 'audio.wav' ? 'memo.wav' : name })),
        says: said,
        options: { baseURL: url, apiKey: 'key' },
      }
    },
  },
]
