// Makes, writes, reads and disposes of many short VirtualFiles on one storage, and compares the resources of the
// process before and after. Usage: node --expose-gc manyFiles.mjs STORAGE COUNT
import { createHook } from 'node:async_hooks'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { pcmFormat, VirtualFile, wavHeader } from 'wavespool'

const [kind = '', count = '0'] = process.argv.slice(2)
const directory = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
const parts = join(directory, 'parts')
mkdirSync(parts)
let paths = 0

/** @type {Record<string, () => any>} */
const storages = {
  memory: () => 'memory',
  spill: () => 'spill',
  'spilled early': () => ({ spill: { after: 100, directory: parts } }),
  path: () => ({ path: join(directory, `${paths++ % 100}.wav`) }),
  overwrite: () => {
    const path = join(directory, `${paths++ % 100}.wav`)
    writeFileSync(path, 'what was there before')
    return { path, overwrite: true }
  },
  own: () => {
    let bytes = Buffer.alloc(0)
    return {
      get size() {
        return bytes.length
      },
      /** @param {Uint8Array[]} chunks */
      async append(chunks) {
        bytes = Buffer.concat([bytes, ...chunks])
      },
      /** @param {Uint8Array} target @param {number} position */
      read: async (target, position) => bytes.copy(target, 0, position),
      /** @param {Uint8Array} data @param {number} position */
      async write(data, position) {
        bytes.set(data, position)
      },
      /** @param {number} size */
      async truncate(size) {
        bytes = bytes.subarray(0, size)
      },
      async dispose() {
        bytes = Buffer.alloc(0)
      },
    }
  },
}
const make = storages[kind]
if (make === undefined) throw new Error(`no such storage: ${kind}`)

const header = /** @type {Buffer} */ (wavHeader(pcmFormat()).end().read())
const samples = Buffer.alloc(501, 7)

/** One of four short lives. @param {number} i */
async function live(i) {
  const storage = make?.()
  const file = new VirtualFile({ storage })
  file.on('error', () => {})
  file.write(header)
  file.write(samples)
  if (i % 4 === 0) {
    await new Promise((resolve) => file.end(resolve))
    await file.toBuffer()
    await file.cursor().write(header)
  } else if (i % 4 === 1) {
    const follower = file.createReadStream({ follow: true })
    follower.on('error', () => {}).resume()
    await turn()
    file.destroy(new Error('the microphone is gone'))
  } else if (i % 4 === 2) {
    await new Promise((resolve) => file.end(resolve))
    await file.toFile()
  }
  await file.dispose()
  if (storage.path) rmSync(storage.path, { force: true })
}

let timers = 0
/** @type {Set<number>} */
const alive = new Set()
createHook({
  init(id, type) {
    if (type === 'Timeout') alive.add(id)
  },
  destroy(id) {
    alive.delete(id)
  },
}).enable()

async function held() {
  for (let i = 0; i < 6; i++) {
    global.gc?.()
    await turn()
  }
  timers = alive.size
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    timers,
    files: readdirSync(directory, { recursive: true }).length,
    heapUsed,
    arrayBuffers,
  }
}

/** @param {number} lives */
async function liveMany(lives) {
  for (let done = 0; done < lives; done += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, i) => live(done + i)))
  }
}

/** @type {string[]} */
const warnings = []
process.on('warning', ({ message }) => warnings.push(message))
await liveMany(500)
const before = await held()
await liveMany(Number(count))
const after = await held()
rmSync(directory, { recursive: true })
console.log(`${count} on ${kind}: ${JSON.stringify({ before, after })}`)

/** @type {(keyof typeof before)[]} */
const counted = ['descriptors', 'listeners', 'timers', 'files']
const left = counted.filter((what) => after[what] > before[what])
// feedback of the engine grows by some 100 bytes each; an object that leaks has some thousands
if (after.heapUsed > before.heapUsed + 500e3 + 250 * Number(count)) left.push('heapUsed')
if (after.arrayBuffers > before.arrayBuffers + 1e5) left.push('arrayBuffers')
for (const what of left) console.error(`${kind}: ${what} ${before[what]} before, ${after[what]} after`)
for (const warning of new Set(warnings)) console.error(`${kind}: ${warning}`)
process.exitCode = left.length + warnings.length > 0 ? 1 : 0
