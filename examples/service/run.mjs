// The whole service on this machine: three NATS servers, two ingests, two workers, and mock calls for a minute. In the
// middle one of the ingests is killed. In the end it prints what became of each call.
//
// npm run service -- --calls 4 --seconds 60 --servers 3 --no-kill --json
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { ensureStreams, followRecording, readTexts } from 'wavespool/jetstream'
import { makeCalls } from './callers.mjs'
import { lagOf } from './lag.mjs'
import { startServers } from './servers.mjs'
import { callFormat } from './twilio.mjs'
import { usageOf } from './usage.mjs'

const { values } = parseArgs({
  allowNegative: true,
  options: {
    calls: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '60' },
    servers: { type: 'string', default: '3' },
    kill: { type: 'boolean', default: true },
    json: { type: 'boolean', default: false },
  },
})
const calls = Number(values.calls)
const seconds = Number(values.seconds)
const serverCount = Number(values.servers)
/** How long the workers may take once all calls have ended. */
const PATIENCE_MS = 60_000
/** Calls whose delay is measured: each costs a reader. */
const MEASURED = 20

const folder = await mkdtemp(join(tmpdir(), 'wavespool-service-'))
/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set()
const servers = await startServers(serverCount)
try {
  await run()
} finally {
  for (const child of children) child.kill('SIGKILL')
  await servers.stop()
  await rm(folder, { recursive: true, force: true })
}

async function run() {
  const connection = await connect({ servers: servers.urls, maxReconnectAttempts: -1 })
  const js = jetstream(connection)
  const replicas = serverCount < 3 ? 1 : 3
  await ensureStreams(js, { replicas })
  const settings = {
    NATS_URLS: servers.urls.join(','),
    REPLICAS: `${replicas}`,
    DIRECTORY: folder,
    PORT: '0',
  }
  const transcriber = await start('transcriber.mjs', settings)
  const ingests = await Promise.all([1, 2].map(() => start('ingest.mjs', settings)))
  await Promise.all(
    [1, 2].map(() => start('worker.mjs', { ...settings, TRANSCRIPTION_URL: transcriber.says })),
  )
  console.log(`${serverCount} servers, 2 ingests, 2 workers; ${calls} calls of ${seconds} s`)

  const { calls: made, ended } = await makeCalls(
    ingests.map(({ says }) => says),
    { calls, seconds },
  )
  const lags = lagOf(js, made.slice(0, MEASURED))
  if (values.kill) {
    await sleep((seconds * 1000) / 2)
    ingests[0]?.child.kill('SIGKILL')
    console.log('one ingest was killed')
  }
  await ended

  const table = []
  for (const call of made) table.push(await outcome(call))
  const lag = await lags
  const usage = usages()
  if (values.json) {
    console.log(JSON.stringify({ table, lag, usage }))
  } else {
    console.table(table)
    console.table(usage)
    console.log(`delay from the phone to a reader: median ${lag.median} ms, p99 ${lag.p99} ms`)
  }
  await connection.close()

  /** @param {import('./callers.mjs').Call} call */
  async function outcome({ id, connections, missed }) {
    const audio = followRecording(js, id, { idleSeconds: 10 })
    let bytes = 0
    for await (const piece of audio) bytes += piece.length
    const lost = audio.gaps.reduce((sum, gap) => sum + gap.frames, 0) / callFormat.sampleRate
    await drained()
    const texts = await readTexts(js, id)
    return {
      call: id,
      connections,
      'recorded (s)': Number((bytes / callFormat.bytesPerSecond).toFixed(2)),
      'told as gaps (s)': Number(lost.toFixed(2)),
      'of them without a connection (s)': missed / 1000,
      texts: texts.length,
      last: texts.at(-1)?.text,
    }
  }

  /** The resources that each process has used so far; nothing where the system does not give them. */
  function usages() {
    const parts = [...children].map((child) => [child.spawnargs[1]?.match(/(\w+)\.mjs$/)?.[1], child.pid])
    const nats = servers.names.map((name, index) => [`server ${name}`, servers.pid(index)])
    const all = [['callers and readers', process.pid], ...parts, ...nats]
    return all.flatMap(([part, pid]) => {
      const usage = usageOf(/** @type {number} */ (pid))
      return usage ? [{ part, ...usage }] : []
    })
  }

  /** Waits until no job is left. */
  async function drained() {
    const manager = await js.jetstreamManager()
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(200)) {
      const { state } = await manager.streams.info('wavespool-segments')
      if (state.messages === 0) return
    }
  }
}

/** Starts a program of this folder; what it `says` is the address in its first line. @param {string} name @param {object} env */
async function start(name, env) {
  const child = spawn(process.execPath, [join(import.meta.dirname, name)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  const [line] = await Promise.race([
    once(createInterface({ input: /** @type {import('node:stream').Readable} */ (child.stdout) }), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(`${name} ended before it was ready`))),
  ])
  return { child, says: String(line).replace(/^\w+: /, '') }
}
