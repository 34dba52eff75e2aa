// @ts-nocheck: run as it is by every Node version
// Every kind of stream that can stand at the head of a recording: endless, unless its name says otherwise.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compose, PassThrough, Readable } from 'node:stream'
import tls from 'node:tls'
import { Worker } from 'node:worker_threads'
import { createGunzip, createGzip } from 'node:zlib'
import streamChain from 'stream-chain'
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws'

const period = Buffer.from(Array.from({ length: 65536 }, (_, i) => (i * 31 + (i >> 8)) & 0xff))
const twice = Buffer.concat([period, period])

/** The bytes that every root delivers, from a position on. */
export const pattern = (at, length) => twice.subarray(at % 65536, (at % 65536) + length)

/** Writes for ever, until the other side has had enough. */
function feed(writable) {
  let at = 0
  const timer = setInterval(() => {
    writable.write(pattern(at, 640))
    at += 640
  }, 2)
  writable.on('error', () => clearInterval(timer))
  writable.on('close', () => clearInterval(timer))
  return writable
}

function timerSource() {
  let at = 0
  let timer
  return new Readable({
    read() {
      timer ??= setInterval(() => {
        this.push(pattern(at, 640))
        at += 640
      }, 2)
    },
    destroy(error, callback) {
      clearInterval(timer)
      callback(error)
    },
  })
}

/** Pushes up to `total` bytes, then calls `atEnd`. */
function bounded(total, atEnd) {
  let at = 0
  return new Readable({
    read() {
      const length = Math.min(640, total - at)
      if (length === 0) return
      const bytes = pattern(at, length)
      at += length
      setTimeout(() => {
        if (this.destroyed) return
        this.push(bytes)
        if (at === total) atEnd(this)
      }, 1)
    },
  })
}

const closed = (stream) => (stream.closed ? undefined : once(stream, 'close').catch(() => {}))
const plain = (stream) => ({ stream, freed: () => closed(stream) })

/** Things that all cases of one root share; `close()` gives them back. */
const cleanups = []
export const cleanUp = () => Promise.all(cleanups.map((cleanup) => cleanup()))

async function listening(server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  return server.address().port
}

const lazily = (make) => {
  let made
  return () => {
    made ??= make()
    return made
  }
}

/** One client connection a case; freed when the server's end of it is gone. */
function connections(makeServer, connect) {
  const peers = []
  const port = lazily(() =>
    listening(
      makeServer((peer) => {
        peers.shift()(feed(peer))
      }),
    ),
  )
  return async () => {
    const at = await port()
    const peer = new Promise((resolve) => peers.push(resolve))
    const stream = await connect(at)
    return { stream, freed: async () => Promise.all([closed(stream), closed(await peer)]) }
  }
}

const psk = Buffer.alloc(16, 7)
const pskOptions = { ciphers: 'PSK', maxVersion: 'TLSv1.2' }

const dataFile = lazily(() => {
  const folder = mkdtempSync(join(tmpdir(), 'wavespool-stopping-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'data')
  writeFileSync(path, twice)
  return { folder, path }
})
const loop = 'while cat "$0" 2>/dev/null; do :; done'
let fifos = 0

export const roots = {
  timer: () => plain(timerSource()),
  'synchronous pull': () => {
    let at = 0
    return plain(
      new Readable({
        read() {
          this.push(pattern(at, 640))
          at += 640
        },
      }),
    )
  },
  'asynchronous pull': () => {
    let at = 0
    return plain(
      new Readable({
        read() {
          setImmediate(() => {
            if (this.destroyed) return
            this.push(pattern(at, 640))
            at += 640
          })
        },
      }),
    )
  },
  socket: connections(net.createServer, (port) => net.connect(port, '127.0.0.1')),
  'half-open socket': connections(
    (listener) => net.createServer({ allowHalfOpen: true }, listener),
    (port) => net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }),
  ),
  TLS: connections(
    (listener) => tls.createServer({ ...pskOptions, pskCallback: () => psk }, listener),
    (port) =>
      tls.connect({
        ...pskOptions,
        port,
        host: '127.0.0.1',
        pskCallback: () => ({ psk, identity: 'test' }),
        checkServerIdentity: () => undefined,
      }),
  ),
  'WebSocket duplex': connections(
    (listener) => {
      const server = http.createServer()
      new WebSocketServer({ server }).on('connection', (socket) => listener(createWebSocketStream(socket)))
      return server
    },
    (port) => createWebSocketStream(new WebSocket(`ws://127.0.0.1:${port}`)),
  ),
  "child's stdout": () => {
    const child = spawn('sh', ['-c', loop, dataFile().path], { stdio: ['ignore', 'pipe', 'ignore'] })
    const exit = once(child, 'exit')
    return { stream: child.stdout, freed: () => Promise.all([closed(child.stdout), exit]) }
  },
  'http response': connections(
    (listener) => http.createServer((_request, response) => listener(response)),
    async (port) => (await once(http.get({ port, host: '127.0.0.1', agent: false }), 'response'))[0],
  ),
  'http request': (() => {
    const waiting = []
    const port = lazily(() => listening(http.createServer((...arrived) => waiting.shift()(arrived))))
    return async () => {
      const at = await port()
      const arrived = new Promise((resolve) => waiting.push(resolve))
      const client = http.request({ port: at, host: '127.0.0.1', method: 'POST', agent: false })
      feed(client)
      const answer = once(client, 'response')
      const [stream, response] = await arrived
      const freed = async () => {
        // A client that goes on sending may notice the closed connection before the answer.
        client.write = () => true
        response.end('enough') // the socket is still there
        const [{ statusCode }] = await answer
        if (statusCode !== 200) throw new Error(`answered with ${statusCode}`)
        client.destroy()
        await closed(client)
      }
      return { stream, freed }
    }
  })(),
  'fetch body': connections(
    (listener) => http.createServer((_request, response) => listener(response)),
    async (port) => Readable.fromWeb((await fetch(`http://127.0.0.1:${port}`)).body),
  ),
  'Readable.from a generator': () => {
    let isReturned = false
    async function* bytes() {
      try {
        for (let at = 0; ; at += 640) {
          yield pattern(at, 640)
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
      } finally {
        isReturned = true
      }
    }
    const stream = Readable.from(bytes(), { objectMode: false })
    return {
      stream,
      freed: async () => {
        await closed(stream)
        if (!isReturned) throw new Error('the generator was not returned')
      },
    }
  },
  'file stream': () => plain(createReadStream(dataFile().path, { highWaterMark: 640 })),
  FIFO: () => {
    const { folder, path } = dataFile()
    const fifo = join(folder, `fifo-${fifos++}`)
    execFileSync('mkfifo', [fifo])
    const child = spawn('sh', ['-c', `${loop} > "$1"`, path, fifo], { stdio: 'ignore' })
    const exit = once(child, 'exit')
    const stream = createReadStream(fifo)
    return { stream, freed: () => Promise.all([closed(stream), exit]) }
  },
  "worker's stdout": () => {
    const code = `let at = 0
      const twice = Buffer.concat([require('node:worker_threads').workerData, require('node:worker_threads').workerData])
      setInterval(() => { process.stdout.write(twice.subarray(at % 65536, at % 65536 + 640)); at += 640 }, 2)`
    const worker = new Worker(code, { eval: true, stdout: true, workerData: period })
    // its stdout is freed by the cap; the thread itself is its owner's
    return { stream: worker.stdout, freed: () => Promise.all([closed(worker.stdout), worker.terminate()]) }
  },
  'hand-written PassThrough': () => plain(feed(new PassThrough())),
  'hand-written gunzip': () => {
    const gzip = createGzip({ level: 0 })
    const gunzip = createGunzip()
    let at = 0
    const timer = setInterval(() => {
      gzip.write(pattern(at, 640))
      gzip.flush()
      at += 640
    }, 2)
    gzip.on('data', (bytes) => gunzip.destroyed || gunzip.write(bytes))
    gunzip.on('close', () => {
      clearInterval(timer)
      gzip.destroy()
    })
    return plain(gunzip)
  },
  'compose()': () => plain(compose(timerSource(), new PassThrough())),
  'stream-chain': () =>
    plain(
      streamChain([timerSource(), new PassThrough()], {
        readableObjectMode: false,
        writableObjectMode: false,
      }),
    ),
  'ends at the cap by itself': (cap) => plain(bounded(cap, (stream) => stream.push(null))),
  'idle once it delivered the cap': (cap) => plain(bounded(cap, () => {})),
  'errs at the cap': (cap) => ({
    ...plain(bounded(cap, (stream) => stream.destroy(new Error('errs at the cap')))),
    rejects: 'errs at the cap',
  }),
}
