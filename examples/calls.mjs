// Many phone calls recorded at once, spread over worker threads: node examples/calls.mjs [calls] [threads] [seconds]
// The main thread stands for a switch: it brings 20 ms of each call (160 bytes of µ-law) fifty times a second. A message
// to a thread costs more than a packet, so the packets of a millisecond travel in one. Each thread records its calls.
// They begin one after another, and are measured once all of them go on.
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { limit, pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { chain } from 'wavespool/chain'

const PACKET = 160
const PERIOD = 20
/** calls that begin in a millisecond */
const STARTS = 2

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
  const all = Array.from({ length: calls }, (_, id) => ({ id, begins: id / STARTS, packets: 0 }))
  const groups = workers.map((_, thread) =>
    Array.from({ length: PERIOD }, (_, turn) =>
      all.filter(({ id }) => id % threads === thread && Math.floor(id / threads) % PERIOD === turn),
    ),
  )
  const begun = Math.ceil(calls / STARTS)
  let before = process.cpuUsage()
  const start = now()
  for (let turn = 0; turn < begun + seconds * 1000; turn++) {
    if (now() - start < turn) await wait(1)
    if (turn === begun) before = process.cpuUsage()
    for (const [thread, worker] of workers.entries()) {
      const group = groups[thread]?.[turn % PERIOD] ?? []
      const due = turn < begun ? group.filter(({ begins }) => begins <= turn) : group
      if (due.length === 0) continue
      const ids = Uint32Array.from(due, ({ id }) => id)
      const bytes = new Uint8Array(due.length * PACKET)
      for (const [i, call] of due.entries()) bytes.set(said(call.id, call.packets++), i * PACKET)
      const at = turn < begun ? undefined : start + turn
      worker.postMessage({ ids, bytes, at }, [ids.buffer, bytes.buffer])
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
  /** @type {Map<number, { row: import('node:stream').Writable, file: VirtualFile, done: Promise<void>, packets: number }>} */
  const calls = new Map()
  /** @type {number[]} */
  const lateness = []

  function answer(/** @type {number} */ id) {
    const file = new VirtualFile({ name: 'call.wav' })
    const row = chain([limit(phone, { seconds: 7200 }, { source: null }), wavHeader(phone), file])
    const call = { row, file, done: finished(row), packets: 0 }
    calls.set(id, call)
    return call
  }

  parentPort?.on('message', async (message) => {
    if (message !== 'end') {
      const { ids, at } = message
      const bytes = Buffer.from(message.bytes.buffer)
      for (let i = 0; i < ids.length; i++) {
        const call = calls.get(ids[i]) ?? answer(ids[i])
        call.packets++
        call.row.write(bytes.subarray(i * PACKET, (i + 1) * PACKET))
      }
      if (at !== undefined) lateness.push(now() - at) // a write into memory can be read at once
      return
    }
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
