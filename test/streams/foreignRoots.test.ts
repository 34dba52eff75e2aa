import { execFile } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { limit, meter, pcmFormat, portAudio, VirtualFile, wavHeader } from '../../src/index.ts'

const format = pcmFormat()

/** As naudiodon makes it: a Readable whose device is closed by `quit()`, and by nothing else. */
class DeviceStream extends Readable {
  isOpen = true
  quits = 0
  start() {}
  abort() {
    throw new Error('AudioIO Quit expects 1 argument')
  }
  async quit() {
    this.quits += 1
    this.isOpen = false
  }
  override _read() {
    setImmediate(() => this.push(Buffer.alloc(640)))
  }
}

test('the device of a stream of naudiodon is closed by a cap, by stop() and by an error', async () => {
  const capped = new DeviceStream()
  await pipeline(capped, limit(format, { milliseconds: 100 }), wavHeader(format), new VirtualFile())
  const stopped = new DeviceStream()
  const stage = meter(format, { every: { milliseconds: 20 } })
  stage.once('level', () => stage.stop())
  await pipeline(stopped, stage, new VirtualFile())
  const left = new DeviceStream()
  const failing = left.pipe(limit(format, { seconds: 1 }))
  failing.on('error', () => {}).destroy(new Error('enough'))
  await once(left, 'close')
  for (const { isOpen, quits, destroyed } of [capped, stopped, left]) {
    expect({ isOpen, quits, destroyed }).toEqual({ isOpen: false, quits: 1, destroyed: true })
  }
})

test('an upload that is capped can still be answered', async () => {
  const server = http.createServer(async (request, response) => {
    const memo = new VirtualFile()
    await pipeline(request, limit(format, { seconds: 1 }), wavHeader(format), memo)
    response.end(`${memo.duration} s`)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  // longer than the cap, and longer than any buffer
  const body = Buffer.alloc(4_000_000)
  const client = http.request({ port, host: '127.0.0.1', method: 'POST', agent: false })
  client.end(body)
  const [response] = await once(client, 'response')
  expect(response.statusCode).toBe(200)
  expect(Buffer.concat(await response.toArray()).toString()).toBe('1 s')
  client.on('error', () => {}) // it may still be sending the rest of its body
  server.closeAllConnections()
  await promisify(server.close.bind(server))()
})

test('a microphone that is stopped before any audio came is not ready, even without a reader', async () => {
  const source = portAudio(format)
  source.stop()
  await expect(source.ready).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_CAPTURE' })
  source.destroy()
})

test("an error that a listener of 'gap' throws is uncaught, and the timeline goes on", async () => {
  const program = `
    import { pcmFormat, timeline } from 'wavespool'
    let thrown = 0
    process.on('uncaughtException', () => { thrown += 1 })
    const calls = timeline(pcmFormat(), { tracks: ['a'], window: { frames: 1 } })
    calls.on('gap', () => { throw new Error('the listener fails') })
    calls.write({ track: 'a', at: 0, data: Buffer.alloc(200) })
    calls.write({ track: 'a', at: 1000, data: Buffer.alloc(200) })
    calls.end({ track: 'a', at: 3000, data: Buffer.alloc(200) })
    let bytes = 0
    for await (const pcm of calls) bytes += pcm.length
    setImmediate(() => console.log(bytes, thrown, calls.gaps.length))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  expect(stdout.trim()).toBe('6200 2 2')
})
