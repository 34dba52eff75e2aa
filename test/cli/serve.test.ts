import { once } from 'node:events'
import { readFileSync, statSync, symlinkSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { pcmFormat } from '../../src/index.ts'
import { assertRamp, ramp } from '../../src/testing/index.ts'
import { ended, Packed } from './packed.ts'

const root = join(import.meta.dirname, '../..')
const format = pcmFormat({ sampleRate: 48_000 })
const soon = { timeout: 20_000 }
const type = { 'content-type': 'application/json' }

let packed: Packed
beforeAll(() => {
  packed = Packed.install()
})
afterAll(() => packed?.[Symbol.asyncDispose]())

/** Starts the command; resolves when it says where it listens. */
async function serving(args: string[], env: NodeJS.ProcessEnv = process.env) {
  const child = packed.start(['serve', ...args, '--port', '0'], env)
  const result = ended(child)
  const [url] = await new Promise<string[]>((resolve, reject) => {
    let told = ''
    child.stderr.on('data', (bytes) => {
      told += bytes
      const found = /http:\S+/.exec(told)
      if (found) resolve(found)
    })
    void result.then(() => reject(new Error(told)))
  })
  return { url: url!, child, result }
}

const begin = (url: string, headers = {}) => {
  const body = JSON.stringify({ microphone: 'browser', sampleRate: format.sampleRate, name: 'memo' })
  return fetch(`${url}recordings`, { method: 'POST', headers: { ...type, ...headers }, body })
}

test('without ws it prints how a browser could record, before anything is recorded', async () => {
  const { url, child, result } = await serving(['recordings', '--no-microphone'])
  const response = await begin(url)
  expect(response.status).toBe(501)
  expect(((await response.json()) as { error: string }).error).toContain('npm install ws')
  child.kill('SIGINT')
  expect((await result).code).toBe(0)
})

test('the packed page is complete, and the audio of a browser is in the folder when Ctrl-C ends it', async () => {
  symlinkSync(join(root, 'node_modules/ws'), packed.path('node_modules/ws'))
  const token = 'a-token-that-nobody-guesses'
  const { url, child, result } = await serving(['studio'], { ...process.env, WAVESPOOL_TOKEN: token })
  for (const [, name] of (await (await fetch(url)).text()).matchAll(/(?:src|href)="(\w+\.\w+)"/g)) {
    const file = await fetch(url + name)
    expect([name, file.status]).toEqual([name, 200])
    for (const [, imported] of (await file.text()).matchAll(
      /from ?["']\.\/([\w.]+)["']|addModule\(["']([\w.]+)/g,
    ))
      if (imported) expect((await fetch(url + imported)).status).toBe(200)
  }
  expect((await begin(url)).status).toBe(401)
  const authorization = `Bearer ${token}`
  const { name, key } = (await (await begin(url, { authorization })).json()) as { name: string; key: string }

  const address = `${url.replace('http', 'ws')}recordings/${name}/microphone`
  const refused = new WebSocket(address, { headers: { authorization, origin: 'http://evil.example' } })
  expect(String((await once(refused, 'error'))[0])).toContain('403')
  const wrong = new WebSocket(address, { headers: { authorization } })
  await once(wrong, 'open')
  wrong.send('a wrong key')
  expect((await once(wrong, 'close'))[0]).toBe(1008)

  const socket = new WebSocket(address, { headers: { authorization } })
  await once(socket, 'open')
  let received = -1
  socket.on('message', (data) => {
    received = JSON.parse(String(data)).received
  })
  socket.send(key)
  await expect.poll(() => received, soon).toBe(0)
  const pcm = Buffer.concat(await ramp(format, { duration: { seconds: 2 }, pace: 'fast' }).toArray())
  const send = (at: number, frames: number) => {
    const message = Buffer.alloc(8 + frames * 2)
    message.writeDoubleLE(at)
    pcm.copy(message, 8, at * 2)
    socket.send(message)
  }
  // each piece overlaps with the one before; the overlap is left out
  for (let at = 0; at < 96_000; at += 2000) {
    send(at, 2000)
    send(Math.max(0, at - 500), 1500)
  }
  await expect.poll(() => received, soon).toBe(96_000)
  child.kill('SIGINT')
  const { code, stdout, stderr } = await result
  expect({ code, stdout: stdout.length }).toEqual({ code: 0, stdout: 0 })
  expect(stderr).toContain('memo.wav: 2.0 s recorded')
  expect(stderr).not.toContain(token)
  const path = packed.path('studio/memo.wav')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  assertRamp(readFileSync(path).subarray(44), format, { duration: { frames: 96_000 } })
})

test.each([
  [['--host', '0.0.0.0'], 'token'],
  [['--token', 'short'], 'at least 16'],
  [['--port', '70000'], '65535'],
  [['--port', 'x'], 'whole number'],
])('%j is refused, with the remedy', async (args, told) => {
  const { code, stderr } = await packed.run(['serve', ...args])
  expect(code).toBe(2)
  expect(stderr).toContain(told)
})

test('on every address it answers only to names and addresses of the machine', async () => {
  const { url, child, result } = await serving(['studio', '--host', '0.0.0.0', '--name', 'studio.example'], {
    ...process.env,
    WAVESPOOL_TOKEN: 'a-token-that-nobody-guesses',
  })
  const { port } = new URL(url)
  const status = async (host: string) => {
    const [response] = await once(get({ host: '127.0.0.1', port, headers: { host } }), 'response')
    response.resume()
    return String(response.statusCode)
  }
  expect(await status(`127.0.0.1:${port}`)).toBe('200')
  expect(await status('studio.example')).toBe('200')
  expect(await status('evil.example')).toBe('403')
  child.kill('SIGTERM')
  expect((await result).code).toBe(0)
})
