// Debian's redis-server on loopback, as the recipe wants it: its data is on the disk within a second.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export async function startRedis() {
  const folder = await mkdtemp(join(tmpdir(), 'wavespool-redis-'))
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (free.address())
  await new Promise((resolve) => free.close(resolve))
  /** @type {import('node:child_process').ChildProcess} */
  let child
  process.once('exit', () => child.kill('SIGKILL'))

  async function start() {
    const options = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction', '--save', '']
    child = spawn('redis-server', ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', folder, ...options], {
      stdio: 'ignore',
    })
    for (let attempt = 0; attempt < 200; attempt++) {
      const isThere = await new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
        socket.once('data', (bytes) => {
          resolve(String(bytes).startsWith('+PONG'))
          socket.destroy()
        })
        socket.once('error', () => resolve(false))
      })
      if (isThere) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`no redis-server answers at port ${port}`)
  }

  async function kill() {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  await start()
  return {
    connection: { host: '127.0.0.1', port },
    /** Kills it once all that it has taken is on the disk, and starts it again. */
    async restart() {
      await new Promise((resolve) => setTimeout(resolve, 1500))
      await kill()
      await start()
    },
    /** Runs a program that kills itself, and says by which signal it ended. @param {string} program */
    async runUntilKilled(program) {
      const [, signal] = await once(
        spawn(process.execPath, [program, `${port}`], { stdio: 'inherit' }),
        'exit',
      )
      return signal
    },
    async stop() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
