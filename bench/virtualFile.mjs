// The VirtualFile against what else a program could record into, and read from: Python's io.BytesIO, memory-streams, a
// temporary file, and chunks joined by Buffer.concat. Everything holds the same bytes; every figure is in MB/s, or in
// milliseconds for a snapshot. A dash says that the peer has nothing like it.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  createReadStream,
  createWriteStream,
  mkdtempSync,
  openAsBlob,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import streams from 'memory-streams'
import { VirtualFile } from 'wavespool'
import { alternate, median } from './measure.mjs'

const MB = 1e6
const CHUNK = 1920
const BYTES = 100 * 2 ** 20 - ((100 * 2 ** 20) % CHUNK)
const READS = 20_000
const folder = mkdtempSync(join(tmpdir(), 'wavespool-bench-'))
const path = join(folder, 'peer.raw')
const block = Buffer.alloc(CHUNK, 7)
const chunks = Array.from({ length: BYTES / CHUNK }, () => block)
const positions = Array.from({ length: READS }, (_, i) => (Math.imul(i, 2654435761) >>> 0) % (BYTES - 4096))
const target = Buffer.alloc(65_536)

async function appendTo(file) {
  for (const chunk of chunks) if (!file.write(chunk)) await once(file, 'drain')
  file.end()
  await finished(file)
  return file
}

function appendToDisk() {
  const file = openSync(path, 'w')
  for (const chunk of chunks) writeSync(file, chunk)
  closeSync(file)
}

function appendToMemoryStream() {
  const stream = new streams.WritableStream()
  for (const chunk of chunks) stream.write(chunk)
  return stream
}

const memory = await appendTo(new VirtualFile({ storage: 'memory' }))
const spilled = await appendTo(new VirtualFile())
const joined = Buffer.concat(chunks)
const memoryStream = appendToMemoryStream()
appendToDisk()
const disk = openSync(path, 'r')

async function drain(stream) {
  let bytes = 0
  for await (const piece of stream) bytes += piece.length
  if (bytes !== BYTES) throw new Error(`${bytes} bytes instead of ${BYTES}`)
}

/** memory-streams delivers every byte and then nothing, not even an end. */
function drainMemoryStream() {
  const stream = new streams.ReadableStream(joined)
  for (let bytes = 0; bytes < BYTES; ) bytes += stream.read()?.length ?? 0
}

/** @param {import('wavespool').Cursor} cursor */
const readThrough = (cursor) => {
  while (cursor.readIntoSync(target) > 0);
}

const readAtRandom = (read) => {
  for (const position of positions) read(position)
}
const page = target.subarray(0, 4096)

/** Eight readers while the bytes come in as fast as they are taken. */
async function followVirtualFile(storage) {
  const file = new VirtualFile({ storage })
  const readers = Array.from({ length: 8 }, () => drain(file.createReadStream({ follow: true })))
  await appendTo(file)
  await Promise.all(readers)
  await file.dispose()
}

/** A pipe for each reader: nothing is kept, and a late reader gets nothing. */
async function followPipes() {
  const source = new PassThrough()
  const readers = Array.from({ length: 8 }, () => drain(source.pipe(new PassThrough())))
  await appendTo(source)
  await Promise.all(readers)
}

/** A file that is looked at again and again, as `tail -f` does. */
async function followDisk() {
  const followed = join(folder, 'followed.raw')
  const sink = createWriteStream(followed)
  await once(sink, 'open')
  const readers = Array.from({ length: 8 }, async () => {
    const file = openSync(followed, 'r')
    const piece = Buffer.alloc(65_536)
    for (let at = 0; at < BYTES; ) {
      const count = readSync(file, piece, 0, piece.length, at)
      at += count
      if (count === 0) await sleep(1)
      else await new Promise(setImmediate)
    }
    closeSync(file)
  })
  await appendTo(sink)
  await Promise.all(readers)
}

const tasks = {
  'append in chunks of 1,920 bytes': {
    bytes: BYTES,
    memory: async () => void (await appendTo(new VirtualFile({ storage: 'memory' }))),
    spilled: async () => (await appendTo(new VirtualFile())).dispose(),
    disk: appendToDisk,
    'memory-streams': () => void appendToMemoryStream(),
    'Buffer.concat': () => void Buffer.concat(chunks),
  },
  'read 4 KiB at random': {
    bytes: READS * 4096,
    memory: () => readAtRandom((position) => memory.readSync(page, position)),
    spilled: () => readAtRandom((position) => spilled.readSync(page, position)),
    disk: () => readAtRandom((position) => readSync(disk, page, 0, 4096, position)),
    'Buffer.concat': () => readAtRandom((position) => joined.copy(page, 0, position, position + 4096)),
  },
  'read in pieces of 64 KiB': {
    bytes: BYTES,
    memory: () => readThrough(memory.cursor()),
    spilled: () => readThrough(spilled.cursor()),
    disk() {
      for (let at = 0, count = 1; count > 0; at += count) count = readSync(disk, target, 0, target.length, at)
    },
    'Buffer.concat'() {
      for (let at = 0; at < BYTES; ) at += joined.copy(target, 0, at)
    },
  },
  'the same as a stream': {
    bytes: BYTES,
    memory: () => drain(memory.createReadStream()),
    spilled: () => drain(spilled.createReadStream()),
    disk: () => drain(createReadStream(path)),
    'memory-streams': drainMemoryStream,
  },
  'follow, 8 readers at once': {
    bytes: 8 * BYTES,
    rounds: 2,
    memory: () => followVirtualFile('memory'),
    spilled: () => followVirtualFile('spill'),
    disk: followDisk,
    'memory-streams': followPipes,
  },
  'snapshot of 100 MiB in one Buffer': {
    memory: () => memory.toBuffer(),
    spilled: () => spilled.toBuffer(),
    disk: () => readFileSync(path),
    'memory-streams': () => memoryStream.toBuffer(),
    'Buffer.concat': () => Buffer.concat(chunks),
  },
  'snapshot of 100 MiB as a File': {
    memory: () => memory.toFile(),
    spilled: () => spilled.toFile(),
    disk: () => openAsBlob(path),
    'Buffer.concat': () => new File([joined], 'peer.wav'),
  },
}

const columns = ['memory', 'spilled', 'BytesIO', 'memory-streams', 'disk', 'Buffer.concat']
const program = fileURLToPath(new URL('bytesIO.py', import.meta.url))
const python = spawnSync('python3', [program, String(CHUNK), String(BYTES), String(READS)], {
  encoding: 'utf8',
})
const bytesIO = python.status === 0 ? JSON.parse(python.stdout) : {}

const titles = ['VirtualFile', 'spilled', 'BytesIO', 'memory-streams', 'a file', 'Buffer.concat']
console.log(`${' '.repeat(36)}${titles.map((title) => title.padStart(15)).join('')}`)
for (const [title, { bytes, rounds = 3, ...candidates }] of Object.entries(tasks)) {
  const seconds = await alternate(rounds, candidates)
  const cells = columns.map((column) => {
    const time = column === 'BytesIO' ? bytesIO[title] : seconds[column] && median(seconds[column])
    if (time === undefined) return '–'
    return bytes ? `${Math.round(bytes / time / MB)} MB/s` : `${(time * 1000).toFixed(1)} ms`
  })
  console.log(`${title.padEnd(36)}${cells.map((cell) => cell.padStart(15)).join('')}`)
}
console.log('(8 readers beside memory-streams: a PassThrough for each, which keeps nothing for later)')
closeSync(disk)
await spilled.dispose()
rmSync(folder, { recursive: true })
