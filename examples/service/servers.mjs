// Starts NATS servers with JetStream on loopback, each in a process of its own, with what they store in a folder of
// their own: one, or a cluster of three. It can kill, restart and stop the servers.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectSocket, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How long a server may take to answer. */
const START_MS = 30_000

/**
 * @typedef {object} Servers
 * @property {string[]} urls one for each server, for `connect({ servers })`
 * @property {string[]} names as they stand in a stream's `info.cluster.leader`
 * @property {(index: number, signal?: NodeJS.Signals) => Promise<void>} kill ends a server, by SIGKILL if not told otherwise
 * @property {(index: number) => Promise<void>} start starts one again that was killed, with what it had stored
 * @property {(index: number) => number | undefined} pid
 * @property {() => Promise<void>} stop ends all of them and removes what they stored
 */

/** @param {number} count @returns {Promise<Servers>} */
export async function startServers(count, { program = 'nats-server', folder = '' } = {}) {
  const home = folder || (await mkdtemp(join(tmpdir(), 'wavespool-nats-')))
  const ports = await freePorts(2 * count)
  const clients = ports.slice(0, count)
  const routes = ports.slice(count)
  const names = clients.map((_, index) => `n${index + 1}`)
  /** @type {(import('node:child_process').ChildProcess | undefined)[]} */
  const children = []

  for (const [index, name] of names.entries()) {
    const cluster = `cluster {
  name: wavespool
  listen: "127.0.0.1:${routes[index]}"
  routes: [${routes.map((port) => `"nats://127.0.0.1:${port}"`).join(', ')}]
}`
    await writeFile(
      join(home, `${name}.conf`),
      `server_name: ${name}
listen: "127.0.0.1:${clients[index]}"
jetstream { store_dir: "${join(home, name)}" }
${count > 1 ? cluster : ''}
`,
    )
  }

  /** @param {number} index */
  async function start(index) {
    const config = join(home, `${names[index]}.conf`)
    const child = spawn(program, ['--config', config, '--log', join(home, `${names[index]}.log`)], {
      stdio: 'ignore',
    })
    children[index] = child
    const failed = new Promise((_, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`${program} ended with ${code}: see ${config}`)))
    })
    failed.catch(() => {})
    await Promise.race([failed, answers(/** @type {number} */ (clients[index]))])
  }

  /** @param {number} index @param {NodeJS.Signals} [signal] */
  async function kill(index, signal = 'SIGKILL') {
    const child = children[index]
    children[index] = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }

  const killAll = () => {
    for (const child of children) child?.kill('SIGKILL')
  }
  process.once('exit', killAll) // none of them outlives this process, unless it is killed itself

  async function stop() {
    process.off('exit', killAll)
    await Promise.all(names.map((_, index) => kill(index)))
    await rm(home, { recursive: true, force: true })
  }

  try {
    await Promise.all(names.map((_, index) => start(index)))
  } catch (error) {
    await stop()
    throw error
  }
  const urls = clients.map((port) => `127.0.0.1:${port}`)
  return { urls, names, kill, start, pid: (index) => children[index]?.pid, stop }
}

/** @param {number} count @returns {Promise<number[]>} */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => server.listening || once(server, 'listening')))
  const ports = servers.map((server) => /** @type {import('node:net').AddressInfo} */ (server.address()).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Resolves when a NATS server greets at this port. @param {number} port */
async function answers(port) {
  for (const end = performance.now() + START_MS; performance.now() < end; ) {
    const isThere = await new Promise((resolve) => {
      const socket = connectSocket(port, '127.0.0.1')
      socket.once('data', () => resolve(true)).once('error', () => resolve(false))
      socket.once('data', () => socket.destroy())
    })
    if (isThere) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`no NATS server answers at port ${port}`)
}
