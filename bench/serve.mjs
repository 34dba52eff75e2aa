// The page's server while one recording goes on: 200 followers that take all of it, and ten pages that take its events
// and hear it live. Shown: how late the event loop of the recorder is, and what its memory does.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { pcmFormat } from 'wavespool'
import { pageServer, recordingPage } from 'wavespool/serve'
import { assertRamp, ramp } from 'wavespool/testing'

const SECONDS = Number(process.argv[2] ?? 20)
const FOLLOWERS = 200
const PAGES = 10

const folder = await mkdtemp(join(tmpdir(), 'wavespool-bench-'))
const page = recordingPage(folder, { microphone: (format) => ramp(format, { pace: 'realtime' }) })
const server = pageServer(page).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/`
const post = (path, body) =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).then((response) => response.json())

const { name } = await post('recordings', { microphone: 'computer' })
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))
/** Those who listen are programs of their own, as they are elsewhere. */
const listeners = [
  curl(
    ['--parallel', '--parallel-max', String(FOLLOWERS), `${url}recordings/${name}?n=[1-${FOLLOWERS}]`],
    '%{size_download}\n',
  ),
  curl(['--parallel', '--parallel-max', String(PAGES), `${url}events?of=${name}&n=[1-${PAGES}]`], ''),
]
function curl(args, format) {
  const child = spawn('curl', ['-s', '-o', '/dev/null', '-w', format, ...args])
  const told = []
  child.stdout.on('data', (bytes) => told.push(bytes))
  const ended = once(child, 'close').then(() => Buffer.concat(told).toString().trim().split('\n').map(Number))
  return { child, ended }
}

await sleep(2) // until all are there
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
// Beside it a process that does nothing: how late that one is, is the machine's doing.
const idle = spawn(process.execPath, [
  '-e',
  `const delay = require('node:perf_hooks').monitorEventLoopDelay({ resolution: 5 }); delay.enable()
  setTimeout(() => console.log([delay.percentile(99), delay.max].map((late) => (late / 1e6 - 5).toFixed(1)).join(' ms late at p99, at most ')), ${SECONDS * 1000})`,
])
const idleLate = once(idle.stdout, 'data').then(([text]) => String(text).trim())
const memory = []
const cpu = process.cpuUsage()
for (let second = 0; second < SECONDS; second++) {
  await sleep(1)
  memory.push(process.memoryUsage())
}
delay.disable()
const { user, system } = process.cpuUsage(cpu)
await post(`recordings/${name}/stop`, {})
const sizes = await listeners[0].ended
listeners[1].child.kill()
const bytes = await readFile(join(folder, name))
assertRamp(bytes.subarray(44), pcmFormat())
const whole = sizes.filter((size) => size === bytes.length).length
const mebibytes = (key) =>
  [memory[2], memory.at(-1)].map((each) => (each[key] / 2 ** 20).toFixed(1)).join(' → ')
console.log(
  `${FOLLOWERS} followers and ${PAGES} pages for ${SECONDS} s: event loop p50 ${(delay.percentile(50) / 1e6 - 5).toFixed(1)} ms late, p99 ${(delay.percentile(99) / 1e6 - 5).toFixed(1)}, at most ${(delay.max / 1e6 - 5).toFixed(1)}, where an idle process is ${await idleLate}; ${((user + system) / SECONDS / 1e4).toFixed(0)} % of a core; RSS ${mebibytes('rss')} MiB, heap ${mebibytes('heapUsed')}; ${whole} of ${sizes.length} followers got all ${bytes.length} bytes`,
)
await page.close()
server.close()
server.closeAllConnections()
await rm(folder, { recursive: true })
