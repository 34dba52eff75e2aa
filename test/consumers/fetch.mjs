import { said } from './line.mjs'
import { formService } from './oracles/http.mjs'

/** @type {import('./line.mjs').Line[]} */
export const lines = [
  {
    block: 'fetch',
    replace: [["'https://example.com/transcribe'", 'service']],
    takes: 'wav',
    moments: ['whole', 'snapshot'],
    faults: ['name', 'header', 'sample'],
    async open(failures) {
      const { url, ...service } = await formService({ path: '/transcribe', failures, answer: { text: said } })
      return { ...service, says: said, options: `${url}/transcribe` }
    },
  },
  {
    block: 'response',
    result: 'handler',
    takes: 'wav',
    moments: ['whole'],
    faults: ['name', 'header', 'sample'],
    open: async () => ({
      async arrived(handler) {
        /** @type {Response} */
        const response = await handler(new Request('http://127.0.0.1/'))
        const [, name] = /filename="(.*)"/.exec(response.headers.get('content-disposition') ?? '') ?? []
        const type = response.headers.get('content-type') ?? undefined
        return [{ name, type, bytes: Buffer.from(await response.arrayBuffer()) }]
      },
      close() {},
    }),
  },
]
