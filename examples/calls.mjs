// Many phone calls recorded at once, spread over worker threads: node examples/calls.mjs [calls] [threads] [seconds]
// The main thread stands for a switch: it brings 20 ms of each call (160 bytes of µ-law) fifty times a second. A message
// to a thread costs more than a packet, so the packets of a millisecond travel in one. Each thread records its calls.
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { limit, pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { chain } from 'wavespool/chain'

const PACKET = 160
const PERIOD = 20

const now = () => performance.timeOrigin + performance.now() // the same in all threads

const noise = Uint8Array.from({ length: 2 ** 16 + PACKET }, (_, i) => (i * i) >> 7)

/** The audio of a call, by which the threads can check that they have all of it. */
function said(/** @type {number} */ call, /** @type {number} */ packet) {
  const at = (call * 1009 + packet * PACKET) % 2 ** 16
  return noise.subarray(at, at + PACKET)
}

async function bringCalls(calls = 200, threads = 2, seconds = 1) {
  const workers = Array.from({ length: threads }, () => new Worker(new URL(import.meta.url)))
  await Promise.all(workers.map((worker) => once(worker, 'message'))) // they are ready
  const all = Array.from({ length: calls }, (_, call) => call)
  const groups = workers.map((_, thread) =>
    Array.from({ length: PERIOD }, (_, turn) =>
      all.filter((call) => call % threads === thread && Math.floor(call / threads) % PERIOD === turn),
    ),
  )
  const before = process.cpuUsage()
  const start = now()
  for (let turn = 0; turn < seconds * 1000; turn++) {
    if (now() - start < turn) await wait(1)
    for (const [thread, worker] of workers.entries()) {
      const due = groups[thread]?.[turn % PERIOD] ?? []
      if (due.length === 0) continue
      const bytes = new Uint8Array(due.length * PACKET)
      for (const [i, call] of due.entries()) bytes.set(said(call, Math.floor(turn / PERIOD)), i * PACKET)
      worker.postMessage({ due, bytes, at: start + turn }, [bytes.buffer])
    }
  }
  const cpu = process.cpuUsage(before)
  const results = workers.map(async (worker) => {
    worker.postMessage('end')
    const [result] = await once(worker, 'message')
    return result
  })
  const ended = await Promise.all(results)
  const lateness = ended.flatMap((result) => result.lateness).sort((a, b) => a - b)
  const right = ended.reduce((sum, result) => sum + result.right, 0)
  const cores = (cpu.user + cpu.system) / 1e6 / seconds
  console.log(
    `${right} of ${calls} calls of ${seconds} s are recorded to the last sample, in ${threads} threads`,
  )
  console.log(
    `99 % of the packets within ${lateness[Math.floor(lateness.length * 0.99)].toFixed(1)} ms, ${cores.toFixed(2)} cores busy`,
  )
}

function recordCalls() {
  const phone = pcmFormat({ sampleRate: 8000, encoding: 'mulaw' })
  /** @type {Map<number, ReturnType<typeof answer>>} */
  const calls = new Map()
  /** @type {number[]} */
  const lateness = []

  function answer() {
    const file = new VirtualFile({ name: 'call.wav' })
    const row = chain([limit(phone, { seconds: 7200 }, { source: null }), wavHeader(phone), file])
    return { row, file, done: finished(row), packets: 0 }
  }

  parentPort?.on('message', async (message) => {
    if (message !== 'end') {
      const { due, bytes, at } = message
      for (const [i, id] of due.entries()) {
        const call = calls.get(id) ?? answer()
        calls.set(id, call)
        call.packets++
        call.row.write(bytes.subarray(i * PACKET, (i + 1) * PACKET))
      }
      setImmediate(() => lateness.push(now() - at)) // when all of it has gone through
      return
    }
    await new Promise((resolve) => setImmediate(resolve)) // for the last packets' lateness
    let right = 0
    for (const [id, { row, file, done, packets }] of calls) {
      row.end()
      await done
      const expected = Buffer.concat(Array.from({ length: packets }, (_, packet) => said(id, packet)))
      if ((await file.toBuffer()).subarray(-expected.length).equals(expected)) right++
      await file.dispose()
    }
    parentPort?.postMessage({ right, lateness })
    parentPort?.close()
  })
  parentPort?.postMessage('ready')
}

if (isMainThread) await bringCalls(...process.argv.slice(2).map(Number))
else recordCalls()
