// The package is C++ that is compiled when it is installed, and needs a model: here the layer beneath its own code is
// replaced.
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { said } from './line.mjs'
import { pcmOfFloats } from './oracles/engine.mjs'

const built = join(dirname(createRequire(import.meta.url).resolve('smart-whisper')), '../build/Release')
mkdirSync(built, { recursive: true })
writeFileSync(join(built, 'smart-whisper.js'), 'module.exports = globalThis.smartWhisperBinding')

/** @type {Map<string, Float32Array>} the transcribed samples, by the file of the model */
const heard = new Map()

class WhisperModel {
  freed = false
  /** @param {string} handle */
  constructor(handle) {
    this.handle = handle
  }
  /** @param {string} file */
  static async load(file) {
    return new WhisperModel(file)
  }
  async free() {
    this.freed = true
  }
}

Object.assign(globalThis, {
  smartWhisperBinding: {
    WhisperModel,
    /** @param {string} handle @param {Float32Array} pcm @param {unknown} _params @param {(results: unknown) => void} finish */
    transcribe(handle, pcm, _params, finish) {
      heard.set(handle, pcm)
      setImmediate(finish, [{ from: 0, to: 4000, text: said }])
    },
  },
})

let models = 0

/** @type {import('./line.mjs').Line[]} */
export const lines = [
  {
    block: 'smart-whisper',
    replace: [["'ggml-base.en.bin'", 'service']],
    takes: 'pcm',
    moments: ['whole', 'snapshot'],
    faults: ['header', 'doubled', 'sample'],
    async open() {
      const model = `${++models}.bin`
      return {
        options: model,
        says: said,
        arrived: () => [{ bytes: pcmOfFloats(heard.get(model) ?? new Float32Array()) }],
        close() {},
      }
    },
  },
]
