// Live calls in one process: each brings 20 ms of a phone's audio (160 bytes of µ-law) fifty times a second, on a wheel
// of timers, and is recorded: behind a Readable, or written into directly, as the 'message' handler of a socket does it.
// Against as many Readables with three identity Transforms and a plain sink in the same run:
// node --expose-gc bench/calls.mjs [calls at once …]
import { Readable, Transform, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { convert, limit, meter, pcmFormat, segment, VirtualFile, wavHeader } from 'wavespool'
import { chain } from 'wavespool/chain'
import { median, ratio } from './measure.mjs'

const counts = process.argv.slice(2).map(Number)
if (counts.length === 0) counts.push(100, 1000, 2500, 5000)
const [ROUNDS, SECONDS] = [3, 1]
/** ms from one chunk of a call to the next; in each of them a twentieth of the calls is due */
const PERIOD = 20
const CHUNK_BYTES = 160

const phone = pcmFormat({ sampleRate: 8000, encoding: 'mulaw' })
const speech = pcmFormat({ sampleRate: 16_000 })
const audio = Buffer.from(Uint8Array.from({ length: CHUNK_BYTES * 64 }, (_, i) => i * 167 + (i >> 6)))
const block = (index) => audio.subarray((index % 64) * CHUNK_BYTES, ((index % 64) + 1) * CHUNK_BYTES)

const identity = () => new Transform({ transform: (bytes, _encoding, callback) => callback(null, bytes) })
const sink = () => new Writable({ write: (_bytes, _encoding, callback) => callback() })
const cap = (options) => limit(phone, { seconds: 3600 }, options)
/** A call behind a Readable. */
const piped = (...row) => {
  const source = new Readable({ read() {} })
  const done = pipeline(source, ...row)
  return { bring: (bytes) => source.push(bytes), end: () => source.push(null), done }
}
const recorded = (...stages) => {
  const file = new VirtualFile({ name: 'call.wav' })
  return { ...piped(chain([...stages, file])), file }
}
const written = (...stages) => {
  const file = new VirtualFile({ name: 'call.wav' })
  const recorder = chain([...stages, file])
  return {
    bring: (bytes) => recorder.write(bytes),
    end: () => recorder.end(),
    done: finished(recorder),
    file,
  }
}

const kinds = {
  floor: () => piped(identity(), identity(), identity(), sink()),
  plain: () => recorded(cap(), wavHeader(phone)),
  metered: () => recorded(cap(), meter(phone, { every: { milliseconds: 100 } }), wavHeader(phone)),
  converted: () => recorded(cap(), convert(phone, speech), wavHeader(speech)),
  'plain, written': () => written(cap({ source: null }), wavHeader(phone)),
  'converted, written': () => written(cap({ source: null }), convert(phone, speech), wavHeader(speech)),
  segmented: () =>
    piped(chain([cap()]), segment(phone, { every: { seconds: 1 }, storage: 'memory' }), async (segments) => {
      for await (const { file } of segments) await file.dispose()
    }),
}

/** Brings the calls their audio from chunk `first` on; resolves with how late each group was through, in ms. */
function play(calls, first, chunks) {
  const start = performance.now()
  const lateness = []
  let turn = 0
  return new Promise((resolve) => {
    const bring = () => {
      const bytes = block(first + Math.floor(turn / PERIOD))
      for (let i = turn % PERIOD; i < calls.length; i += PERIOD) calls[i].bring(bytes)
      setImmediate(next) // behind all that these chunks have set going
    }
    const next = () => {
      lateness.push(performance.now() - start - turn)
      if (++turn === chunks * PERIOD) return resolve(lateness)
      if (performance.now() - start < turn) setTimeout(bring, 1)
      else bring()
    }
    bring()
  })
}

/** Without the audio: it lies in shared memory, in blocks of 4 KiB, which neither figure counts. */
function memory() {
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function run(kind, count) {
  const chunks = SECONDS * 50
  const before = memory()
  const calls = Array.from({ length: count }, () => kinds[kind]())
  // Calls do not begin at once, and so do not ask for memory at once.
  for (let i = 0; i < count; i++) for (let chunk = 0; chunk < i % 26; chunk++) calls[i].bring(block(chunk))
  await play(calls, 0, 25) // as long as it takes to compile, and for what a call sets up at its first chunk
  const from = process.cpuUsage()
  const lateness = await play(calls, 25, chunks)
  const { user, system } = process.cpuUsage(from)
  const bytes = (memory() - before) / count
  for (const { end } of calls) end()
  await Promise.all(calls.map(({ done }) => done))
  await Promise.all(calls.map(({ file }) => file?.dispose()))
  const sorted = lateness.toSorted((a, b) => a - b)
  return { micros: (user + system) / (count * chunks), p99: sorted[Math.floor(sorted.length * 0.99)], bytes }
}

const largest = {}
/** kinds that fell behind at a smaller number, which are not tried at a larger one */
const hopeless = new Set()
for (const count of counts) {
  const left = Object.keys(kinds).filter((kind) => !hopeless.has(kind))
  const runs = Object.fromEntries(left.map((kind) => [kind, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of left) runs[kind].push(await run(kind, count))
  }
  console.log(`  ${count} calls at once`)
  const floor = runs.floor.map(({ micros }) => micros)
  for (const kind of left) {
    const of = (name) => runs[kind].map((result) => result[name])
    const [micros, p99, bytes] = ['micros', 'p99', 'bytes'].map((name) => median(of(name)))
    if (p99 < 20) largest[kind] = count
    if (p99 > 500 && kind !== 'floor') hopeless.add(kind)
    const factor = ratio(of('micros'), floor)
    console.log(
      `    ${kind.padEnd(18)} ${micros.toFixed(1).padStart(6)} µs of CPU a chunk  ${factor.toFixed(2).padStart(5)} × the floor   99 % within ${p99.toFixed(1).padStart(6)} ms   ${(bytes / 1000).toFixed(1).padStart(6)} kB a call beside its audio`,
    )
  }
}
const most = Object.entries(largest).map(([kind, count]) => `${kind} ${count}`)
console.log(`  the most of these with 99 % within 20 ms: ${most.join(', ')}`)
