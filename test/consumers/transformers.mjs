import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './oracles/engine.mjs'
import { checksumModel, checksums } from './oracles/onnx.mjs'
import { samplesOf } from './recording.mjs'

/** The samples for which the model gives one word. */
const BLOCK = 250

/** A model as the engine loads it from a folder: real, but so small that it can be written here. */
function writeModel() {
  const { path, remove } = temporaryFolder()
  mkdirSync(join(path, 'onnx'))
  writeFileSync(join(path, 'onnx', 'model.onnx'), checksumModel(BLOCK))
  const vocab = Object.fromEntries(Array.from({ length: 256 }, (_, token) => [String(token), token]))
  const files = {
    'config.json': { model_type: 'wav2vec2', architectures: ['Wav2Vec2ForCTC'] },
    'preprocessor_config.json': {
      feature_extractor_type: 'Wav2Vec2FeatureExtractor',
      processor_class: 'Wav2Vec2Processor',
      do_normalize: false,
      sampling_rate: 16_000,
    },
    'tokenizer_config.json': { tokenizer_class: 'Wav2Vec2CTCTokenizer' },
    'tokenizer.json': {
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      model: { type: 'WordLevel', vocab, unk_token: '0' },
    },
  }
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(path, name), JSON.stringify(content))
  return { path, remove }
}

/** @type {import('./line.mjs').Line[]} */
export const lines = [
  {
    block: 'transformers',
    replace: [["'onnx-community/whisper-tiny.en'", 'service']],
    takes: 'nothing else',
    moments: ['whole', 'snapshot'],
    faults: ['header', 'doubled', 'sample'],
    // The model hears whole blocks only. Behind a doubled header of unknown length it hears none.
    refuses: /Reshape node|token_ids must be a non-empty array/,
    async open() {
      const { path, remove } = writeModel()
      const says = (/** @type {number} */ seconds) => checksums(samplesOf(seconds), BLOCK)
      return { options: path, says, arrived: () => [], close: remove }
    },
  },
]
