// The package's own code runs and checks what it is given, and the compiled engine gives the length of a frame; the
// function that would check a key over the network keeps the frames instead.
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { temporaryFolder } from './oracles/engine.mjs'

/** @type {Map<string, Buffer[]>} the frames, by the key */
const frames = new Map()
Object.assign(globalThis, { cobraFrames: frames })

const SUCCESS = 0
const { getSystemLibraryPath } = createRequire(import.meta.url)('@picovoice/cobra-node/dist/platforms.js')
const library = `const engine = require(${JSON.stringify(getSystemLibraryPath())})
module.exports = {
  set_sdk() {},
  init: (key) => ({ status: ${SUCCESS}, handle: key }),
  sample_rate: () => engine.sample_rate(),
  frame_length: () => engine.frame_length(),
  version: () => engine.version(),
  process(key, pcm) {
    globalThis.cobraFrames.get(key).push(Buffer.from(pcm.slice().buffer))
    return { status: ${SUCCESS}, is_voiced: 1 }
  },
  delete() {},
}`

let keys = 0

/** @type {import('./line.mjs').Line[]} */
export const lines = [
  {
    block: 'picovoice-live',
    replace: [
      [
        "new Cobra(process.env.PICOVOICE_KEY ?? '')",
        'new Cobra(service.key, { libraryPath: service.libraryPath })',
      ],
    ],
    takes: 'pcm',
    moments: ['whole', 'follow'],
    faults: ['doubled', 'sample'],
    async open() {
      const { path, remove } = temporaryFolder()
      const libraryPath = join(path, 'library.cjs')
      writeFileSync(libraryPath, library)
      const key = String(++keys)
      /** @type {Buffer[]} */
      const pieces = []
      frames.set(key, pieces)
      return {
        options: { key, libraryPath },
        arrived: () => [{ bytes: Buffer.concat(pieces) }],
        says: undefined,
        close: remove,
      }
    },
  },
]
