// The package's own code runs, down to the command line; in place of whisper.cpp, which it would build and which wants
// a model, a script keeps the file that it was told to transcribe.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { said } from './line.mjs'
import { temporaryFolder } from './oracles/engine.mjs'

const bin = join(
  dirname(createRequire(import.meta.url).resolve('nodejs-whisper')),
  '../cpp/whisper.cpp/build/bin',
)
mkdirSync(bin, { recursive: true })
writeFileSync(
  join(bin, 'whisper-cli'),
  `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in -m) model=$2 ;; -f) file=$2 ;; esac
  shift
done
cp "$file" "$(dirname "$model")/heard.wav"
basename "$file" > "$(dirname "$model")/name"
echo ${JSON.stringify(said)}
`,
)
chmodSync(join(bin, 'whisper-cli'), 0o755)

/** @type {import('./line.mjs').Line[]} */
export const lines = [
  {
    block: 'nodejs-whisper',
    replace: [["{ modelName: 'base.en' }", "{ modelName: 'base.en', ...service }"]],
    takes: 'wav',
    moments: ['whole', 'snapshot'],
    faults: ['doubled', 'sample'],
    async open() {
      const { path, remove } = temporaryFolder()
      writeFileSync(join(path, 'ggml-base.en.bin'), '')
      const logger = { debug() {}, log() {}, error() {} }
      return {
        options: { modelRootPath: path, logger },
        says: `${said}\n`,
        arrived: () =>
          existsSync(join(path, 'name'))
            ? [
                {
                  name: readFileSync(join(path, 'name'), 'utf8').trim(),
                  bytes: readFileSync(join(path, 'heard.wav')),
                },
              ]
            : [],
        close: remove,
      }
    },
  },
]
