// The engine is real, its recogniser needs a model: the replacement passes the samples to the engine's buffer.
import sherpa from 'sherpa-onnx-node'
import { said } from './line.mjs'
import { pcmOfFloats } from './oracles/engine.mjs'

/** @param {Omit<import('./line.mjs').Line, 'takes' | 'open'>} line @returns {import('./line.mjs').Line} */
const recognition = (line) => ({
  ...line,
  takes: 'pcm',
  async open() {
    const buffer = new sherpa.CircularBuffer(160_000)
    const recognizer = {
      createStream: () => ({
        /** @param {{ samples: Float32Array, sampleRate: number }} wave */
        acceptWaveform({ samples, sampleRate }) {
          if (sampleRate === 16_000) buffer.push(samples)
        },
      }),
      isReady: () => false,
      decode() {},
      getResult: () => ({ text: said }),
    }
    // The engine's own get() gives no usable array for no samples.
    const samples = () => (buffer.size() === 0 ? new Float32Array(0) : buffer.get(0, buffer.size()))
    const arrived = () => [{ bytes: pcmOfFloats(samples()) }]
    return { options: recognizer, says: said, arrived, close() {} }
  },
})

/** @type {[string, string]} */
const offline = ['new sherpa.OfflineRecognizer({ modelConfig })', 'service']
/** @type {[string, string]} */
const online = [
  "new sherpa.OnlineRecognizer({ modelConfig: { transducer, tokens: 'tokens.txt' } })",
  'service',
]

export const lines = [
  recognition({
    block: 'sherpa-onnx',
    replace: [offline],
    moments: ['whole', 'snapshot'],
    faults: ['header', 'doubled', 'sample'],
  }),
  recognition({
    block: 'sherpa-onnx-path',
    replace: [offline],
    moments: ['whole', 'snapshot'],
    faults: ['header', 'doubled', 'sample'],
    refuses: /^Failed to read/,
  }),
  recognition({
    block: 'sherpa-onnx-live',
    replace: [online],
    moments: ['whole', 'follow'],
    faults: ['doubled', 'sample'],
  }),
]
