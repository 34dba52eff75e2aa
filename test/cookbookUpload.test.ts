import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { pcmFormat } from '../src/format/pcmFormat.ts'
import { makeWavHeader } from '../src/format/wavHeader.ts'
import { VirtualFile } from '../src/sinks/virtualFile.ts'
import { finish, storages, write } from './sinks/storageContract.ts'

describe.each(storages)('an upload during a recording: $label', (storage) => {
  test('sends exactly the bytes that were there, while 100 more chunks arrive', async () => {
    const forms: FormData[] = []
    const server = createServer(async (request, response) => {
      const pieces: Buffer[] = []
      for await (const piece of request) {
        pieces.push(piece)
        await wait(1) // slower than the recording
      }
      const headers = { 'content-type': request.headers['content-type'] ?? '' }
      forms.push(await new Response(Buffer.concat(pieces), { headers }).formData())
      response.end()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

    const file = new VirtualFile({ name: 'memo.wav', storage: storage.make() })
    const chunkOf = (n: number) => Buffer.alloc(6400, n)
    await write(file, makeWavHeader(pcmFormat()))
    for (let n = 0; n < 100; n++) await write(file, chunkOf(n))

    const form = new FormData()
    form.set('file', (await file.toFile()) as unknown as Blob)
    const sent = fetch(url, { method: 'POST', body: form, redirect: 'error' })
    for (let n = 100; n < 200; n++) {
      await write(file, chunkOf(n))
      await wait(0)
    }
    expect((await sent).status).toBe(200)
    await finish(file)
    server.close().closeAllConnections()

    const snapshot = Buffer.concat([
      makeWavHeader(pcmFormat(), { dataBytes: 640_000 }),
      ...Array.from({ length: 100 }, (_, n) => chunkOf(n)),
    ])
    const arrived = forms[0]!.get('file') as File
    expect(arrived).toMatchObject({ name: 'memo.wav', type: 'audio/wav' })
    expect(Buffer.from(await arrived.arrayBuffer()).equals(snapshot)).toBe(true)
    expect(file.size).toBe(44 + 1_280_000)
    await file.dispose()
  })
})

test('a long upload does not hold the recording in memory where a redirect is an error', () => {
  const program = `
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { VirtualFile } from 'wavespool'
const MiB = 2 ** 20
const server = spawn(process.execPath, ['-e', \`
  const server = require('node:http').createServer((request, answer) => {
    request.resume().on('end', () => answer.end())
  })
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
\`])
const [port] = await once(server.stdout, 'data')
const memo = new VirtualFile({ name: 'memo.wav', storage: { spill: { after: 4 * MiB } } })
for (let i = 0; i < 256; i++) await new Promise((done) => memo.write(Buffer.alloc(MiB), done))
await new Promise((done) => memo.end(done))
const before = process.memoryUsage.rss()
let most = before
setInterval(() => { most = Math.max(most, process.memoryUsage.rss()) }, 2)
const body = new FormData()
body.set('file', await memo.toFile())
await fetch('http://127.0.0.1:' + Number(port), { method: 'POST', body, ...REDIRECT })
console.log(Math.round((most - before) / MiB))
server.kill()
await memo.dispose()
process.exit()
`
  const growth = (redirect: string) => {
    const script = program.replace('...REDIRECT', redirect)
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script])
    expect(String(stderr)).toBe('')
    return Number(stdout)
  }
  expect(growth("redirect: 'error'")).toBeLessThan(128)
  expect(growth('')).toBeGreaterThan(200) // else the advice is of no use any more
})
