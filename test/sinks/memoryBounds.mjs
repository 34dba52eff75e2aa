// Records 1.5 GiB at the defaults, makes a File of it and uploads it; prints by how many MB each raised the peak of the
// memory of the process; then the same for a File of 256 MB in memory. Usage: node --expose-gc memoryBounds.mjs URL
import { readFileSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pcmFormat, VirtualFile, wavHeader } from 'wavespool'

const [url = ''] = process.argv.slice(2)
const BYTES = 1.5 * 2 ** 30
const format = pcmFormat({ sampleRate: 48_000, channels: 2 })

/** @param {'VmRSS' | 'VmHWM'} field */
function status(field) {
  const [, kibibytes] =
    new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return (Number(kibibytes) * 1024) / 1e6
}

/** @param {() => unknown} work */
async function raisedBy(work) {
  global.gc?.()
  writeFileSync('/proc/self/clear_refs', '5') // the peak begins anew
  const before = status('VmRSS')
  await work()
  return Math.round(status('VmHWM') - before)
}

function* source() {
  const block = Buffer.alloc(65_536, 7)
  for (let bytes = 0; bytes < BYTES; bytes += block.length) yield block
}

const file = new VirtualFile()
/** @type {import('node:buffer').File | undefined} */
let whole
const recording = await raisedBy(() =>
  pipeline(Readable.from(source()), wavHeader(format, { rf64: true }), file),
)
const toFile = await raisedBy(async () => {
  whole = await file.toFile()
})
const { size } = /** @type {import('node:buffer').File} */ (/** @type {unknown} */ (whole))
const upload = await raisedBy(async () => {
  const form = new FormData()
  form.set('file', /** @type {any} */ (whole))
  await fetch(url, { method: 'POST', body: form, redirect: 'error' })
})
await file.dispose()

const inMemory = new VirtualFile({ storage: 'memory' })
for (let i = 0; i < 256; i++) inMemory.write(Buffer.alloc(1e6, i))
const copy = await raisedBy(async () => {
  whole = await inMemory.toFile()
})
console.log(JSON.stringify({ recording, toFile, upload, size, copy }))
