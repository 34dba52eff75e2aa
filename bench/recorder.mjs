// The delay from the microphone of a real Chromium, by MediaRecorder, a WebSocket on loopback and decode(), to PCM:
// node bench/recorder.mjs [timeslice in ms …]. Wants /usr/bin/chromium.
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { chromium } from 'playwright-core'
import { decode, pcmFormat, wavHeader } from 'wavespool'
import { WebSocketServer } from 'ws'
import { recorderPage } from '../test/browser/recorderPage.mjs'
import { median } from './measure.mjs'

/** From a beep in the microphone to the same beep in the PCM. */
const MOST_MS = 300
const SECONDS = 15
const given = process.argv.slice(2).map(Number)
const slices = given.length > 0 ? given : [20, 60, 100]

/** A tone of 0.2 s each 0.7 s. */
const format = pcmFormat({ sampleRate: 48_000 })
const beeps = Int16Array.from({ length: 7 * format.sampleRate }, (_, i) => {
  const seconds = i / format.sampleRate
  return seconds % 0.7 < 0.2 ? 12_000 * Math.sin(2 * Math.PI * 1000 * seconds) : 0
})
const folder = mkdtempSync(join(tmpdir(), 'wavespool-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true }))
const microphone = join(folder, 'beeps.wav')
const bytes = Buffer.from(beeps.buffer)
const source = Readable.from([bytes], { objectMode: false })
await pipeline(source, wavHeader(format, { dataBytes: bytes.length }), createWriteStream(microphone))

const http = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html').end(recorderPage)
}).listen(0, '127.0.0.1')
await once(http, 'listening')
const { port } = http.address()
const sockets = new WebSocketServer({ server: http })
/** by Date.now() */
let arrived = []
sockets.on('connection', (socket) => {
  const stage = decode({ to: format })
  let quiet = 0
  stage.on('data', (pcm) => {
    for (let i = 0; i < pcm.length; i += 2) {
      const isLoud = Math.abs(pcm.readInt16LE(i)) > 3277
      if (isLoud && quiet > format.sampleRate / 10) arrived.push(Date.now())
      quiet = isLoud ? 0 : quiet + 1
    }
  })
  socket.on('message', (piece) => stage.write(piece)).on('close', () => stage.end())
})

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${microphone}`,
  ],
})
for (const slice of slices) {
  arrived = []
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${port}/`)
  const { heard } = await page.evaluate(`record('ws://127.0.0.1:${port}', ${slice}, ${SECONDS})`)
  await page.close()
  // each beep in the page and the next one that came out; the first ones belong to the start of the recorder
  const delays = heard
    .slice(3, -1)
    .map((at) => arrived.find((each) => each >= at) - at)
    .sort((a, b) => a - b)
  const [middle, most] = [median(delays), delays.at(-1)]
  console.log(
    `  pieces of ${String(slice).padStart(3)} ms: ${middle.toFixed(0).padStart(4)} ms from the microphone to PCM, at most ${most} ms, of ${delays.length} beeps   (median at most ${MOST_MS})`,
  )
  if (!(middle <= MOST_MS)) process.exitCode = 1
}
await browser.close()
sockets.close()
http.close()
