// The package wants a native bridge that today's Node does not compile, and a model: the replacement takes the
// arguments that its types and its documentation name.

import { said } from './line.mjs'
import { pcmOfInts } from './oracles/engine.mjs'

/** @param {string} block @param {import('./line.mjs').Moment[]} moments @returns {import('./line.mjs').Line} */
const recognition = (block, moments) => ({
  block,
  replace: [
    ["import vosk from 'vosk'", ''],
    ["new vosk.Recognizer({ model: new vosk.Model('model'), sampleRate: 16000 })", 'service'],
  ],
  takes: 'pcm',
  moments,
  faults: ['doubled', 'sample'],
  async open() {
    /** @type {Buffer[]} */
    const pieces = []
    const recognizer = {
      /** @param {Buffer} data */
      acceptWaveform(data) {
        if (!Buffer.isBuffer(data)) throw new TypeError('a Buffer')
        pieces.push(pcmOfInts(data))
        return false
      },
      finalResult: () => ({ text: said }),
      free() {},
    }
    return { options: recognizer, says: said, arrived: () => [{ bytes: Buffer.concat(pieces) }], close() {} }
  },
})

export const lines = [
  recognition('vosk', ['whole', 'snapshot']),
  recognition('vosk-live', ['whole', 'follow']),
]
