// The engine is real, its recogniser wants a model: what stands in its place hands the samples to the engine's buffer.
import sherpa from 'sherpa-onnx-node'
import { pcmOfFloats } from './judges/engine.mjs'
import { said } from './line.mjs'

/** @param {string} block @returns {import('./line.mjs').Line} */
const recognition = (block) => ({
  block,
  replace: [['new sherpa.OfflineRecognizer({ modelConfig })', 'service']],
  takes: 'pcm',
  moments: ['whole', 'snapshot'],
  faults: ['header', 'doubled', 'sample'],
  refuses: /^Failed to read/,
  async open() {
    const buffer = new sherpa.CircularBuffer(160_000)
    const recognizer = {
      createStream: () => ({
        /** @param {{ samples: Float32Array, sampleRate: number }} wave */
        acceptWaveform({ samples, sampleRate }) {
          if (sampleRate === 16_000) buffer.push(samples)
        },
      }),
      decode() {},
      getResult: () => ({ text: said }),
    }
    const arrived = () => [{ bytes: pcmOfFloats(buffer.get(0, buffer.size())) }]
    return { options: recognizer, says: said, arrived, close() {} }
  },
})

export const lines = [recognition('sherpa-onnx'), recognition('sherpa-onnx-path')]
