import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { decode } from '../../src/codec/decode.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { launchChromium } from '../browser/chromium.ts'
import { recorderPage } from '../browser/recorderPage.mjs'
import { hasTool, run } from '../oracles/tools.ts'
import { realTime } from '../realTime.ts'
import { agreement } from './signal.ts'

const directory = mkdtempSync(join(tmpdir(), 'wavespool-recorder-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const format = pcmFormat({ sampleRate: 48_000 })
const STEP_SECONDS = 0.1
const steps = Array.from({ length: 20 }, (_, i) => 400 + 150 * i)

/** Twenty rising tones, by which a test finds the place of a sound. */
function scale(): string {
  const length = STEP_SECONDS * format.sampleRate
  const samples = Int16Array.from({ length: length * steps.length }, (_, i) =>
    Math.round(12_000 * Math.sin((2 * Math.PI * steps[Math.floor(i / length)]! * i) / format.sampleRate)),
  )
  const path = join(directory, 'scale.wav')
  const pcm = Buffer.from(samples.buffer)
  writeFileSync(path, Buffer.concat([makeWavHeader(format, { dataBytes: pcm.length }), pcm]))
  return path
}

/** Which of the tones is the loudest in some samples. */
function loudest(samples: Float32Array, sampleRate: number): number {
  const powers = steps.map((hertz) => {
    const w = (2 * Math.PI * hertz) / sampleRate
    let [re, im] = [0, 0]
    samples.forEach((sample, i) => {
      re += sample * Math.cos(w * i)
      im += sample * Math.sin(w * i)
    })
    return re * re + im * im
  })
  return powers.indexOf(Math.max(...powers))
}

test.runIf(hasTool('chromium') && hasTool('ffmpeg'))(
  "the pieces of Chromium's MediaRecorder are decoded as they come, completely and in order",
  { ...realTime, timeout: 60_000 },
  async () => {
    const http = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end(recorderPage)
    }).listen(0, '127.0.0.1')
    await once(http, 'listening')
    const { port } = http.address() as AddressInfo
    const sockets = new WebSocketServer({ server: http })
    const stage = decode()
    const out: Buffer[] = []
    stage.on('data', (chunk) => out.push(chunk))
    const pieces: Buffer[] = []
    /** bytes of PCM that were out once a piece had been taken */
    const progress: Promise<number>[] = []
    const outBytes = () => out.reduce((sum, { length }) => sum + length, 0)
    sockets.on('connection', (socket) => {
      socket.on('message', (piece: Buffer) => {
        pieces.push(piece)
        const taken = new Promise((resolve) => stage.write(piece, resolve))
        progress.push(taken.then(() => setImmediate()).then(outBytes))
      })
      socket.on('close', () => stage.end())
    })
    const browser = await launchChromium({ microphone: scale() })
    try {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${port}/`)
      const sent = (await page.evaluate(`record('ws://127.0.0.1:${port}', 60, 4)`)) as {
        pieces: number
        hash: string
      }
      if (!stage.readableEnded) await once(stage, 'end')
      const stream = Buffer.concat(pieces)
      expect(pieces.length).toBe(sent.pieces)
      expect(pieces.length).toBeGreaterThan(20)
      expect(createHash('sha256').update(stream).digest('hex')).toBe(sent.hash)

      const { sampleRate, channels, bytesPerFrame } = stage.format!
      const heard = (bytes: Buffer) =>
        run('ffmpeg', ['-v', 'fatal', '-c:a', 'libopus', '-i', '-', '-f', 'f32le', '-'], bytes)
      const pcm = Buffer.concat(out)
      const theirs = heard(stream)
      expect(pcm.length).toBe(theirs.length)
      expect(agreement(pcm, theirs)).toBeGreaterThan(60)
      expect(stage.gaps).toEqual([])

      // Each piece is decoded as far as possible: no block waits for the next piece, or for its cluster's end.
      const behind = await Promise.all(progress)
      for (let i = 5; i < pieces.length; i += 9) {
        const whole = heard(Buffer.concat(pieces.slice(0, i + 1))).length
        expect([i, behind[i]! >= whole - 0.02 * sampleRate * bytesPerFrame]).toEqual([i, true])
      }

      const samples = new Float32Array(Uint8Array.from(pcm).buffer).filter((_, i) => i % channels === 0)
      const window = STEP_SECONDS * sampleRate
      const tones = Array.from({ length: Math.floor(samples.length / window) }, (_, i) =>
        loudest(samples.subarray((i + 0.25) * window, (i + 0.75) * window), sampleRate),
      ).slice(5) // the device may begin with silence
      const rises = tones.filter((tone, i) => i > 0 && tone === (tones[i - 1]! + 1) % steps.length)
      expect(tones.length).toBeGreaterThan(25)
      // at the seam of its loop the device may leave something out
      expect(tones.length - 1 - rises.length, tones.join()).toBeLessThanOrEqual(4)
    } finally {
      await browser.close()
      sockets.close()
      http.close()
    }
  },
)
