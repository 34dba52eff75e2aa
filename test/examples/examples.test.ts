import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { convert, pcmFormat, readWavHeader, wavHeader } from '../../src/index.ts'
import { speech, tone } from '../../src/testing/index.ts'
import { launchChromium } from '../browser/chromium.ts'
import { realTime } from '../realTime.ts'
import { Rig, whyNoRig } from '../rig/rig.ts'

const at48 = pcmFormat({ sampleRate: 48_000 })
const directory = new URL('../../examples/', import.meta.url)

interface Outcome {
  code: number | null
  signal: NodeJS.Signals | null
  lines: string[]
  stderr: string
}

/** Where an example takes its audio from. */
interface Source {
  env: NodeJS.ProcessEnv
  /** the words of the example about it */
  says: string
  /** milliseconds that it may take to begin */
  start: number
  /** dBFS by which the recorded level may differ from the tone of −12 */
  tolerance: number
}

const builtIn: Source = {
  env: { WAVESPOOL_SOURCE: 'built-in' },
  says: 'source: a built-in tone, no microphone\n',
  start: 0,
  tolerance: 0,
}

/** Runs an example, with the built-in source unless told otherwise; `during` may talk to it. */
function run(
  name: string,
  {
    source = builtIn,
    args = [] as string[],
    after = [] as string[],
    env = {},
    during = (_child: ReturnType<typeof spawn>) => {},
  } = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [...args, fileURLToPath(new URL(name, directory)), ...after], {
    env: { ...process.env, NO_COLOR: undefined, ...source.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const timeout = setTimeout(() => child.kill('SIGKILL'), 30_000)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (bytes) => {
    stdout += bytes
  })
  child.stderr.on('data', (bytes) => {
    stderr += bytes
  })
  during(child)
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timeout)
      resolve({ code, signal, lines: stdout.trimEnd().split('\n'), stderr })
    })
  })
}

type Vendor = 'twilio' | 'telnyx' | 'vonage'

/** How each vendor begins, and carries a packet: of µ-law, of L16 (little-endian) and of binary L16, at 8 kHz all. */
const vendors = {
  twilio: {
    format: pcmFormat({ sampleRate: 8000, encoding: 'mulaw' }),
    start: {
      event: 'start',
      start: {
        accountSid: 'AC1',
        callSid: 'CA1',
        tracks: ['inbound', 'outbound'],
        mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
      },
    },
  },
  telnyx: {
    format: pcmFormat({ sampleRate: 8000 }),
    start: {
      event: 'start',
      stream_id: '32DE',
      start: {
        call_control_id: 'CA1',
        media_format: { encoding: 'L16', sample_rate: 8000, channels: 1 },
      },
    },
  },
  vonage: {
    format: pcmFormat({ sampleRate: 8000 }),
    start: { event: 'websocket:connected', 'content-type': 'audio/l16;rate=8000', uuid: 'CA1' },
  },
}

/**
 * A service, calling: two voices as messages of 20 ms that overtake each other, of which the agent is silent for 12.4 s.
 * Vonage has one voice, whose packets carry no time: they come in order.
 */
async function callFrom(port: number, vendor: Vendor): Promise<void> {
  const { format, start } = vendors[vendor]
  const pcm = pcmFormat({ sampleRate: format.sampleRate })
  const samples = speech(pcm, { duration: { seconds: 20 } }).pipe(convert(pcm, format))
  const said = Buffer.concat(await samples.toArray())
  const socket = new WebSocket(`ws://127.0.0.1:${port}`)
  await once(socket, 'open')
  const send = (message: object) => socket.send(JSON.stringify(message))
  if (vendor !== 'vonage') send({ event: 'connected', version: '1.0.0' })
  send(start)
  socket.send('hello?')
  const packets = ['inbound', 'outbound'].flatMap((track) =>
    Array.from({ length: 1000 }, (_, n) => ({ track, at: n * 20 })).filter(
      ({ at }) => track === 'inbound' || (at >= 12_400 && vendor !== 'vonage'),
    ),
  )
  const late = (n: number) => (vendor === 'vonage' ? 0 : (n * 7919) % 100)
  const order = packets
    .map((packet, n) => ({ packet, arrival: packet.at + late(n) }))
    .sort((a, b) => a.arrival - b.arrival)
  const bytesPerMs = format.bytesPerSecond / 1000
  for (const { packet } of order) {
    const audio = said.subarray(packet.at * bytesPerMs, (packet.at + 20) * bytesPerMs)
    if (vendor === 'vonage') socket.send(audio)
    else {
      const media = { track: packet.track, timestamp: String(packet.at), payload: audio.toString('base64') }
      send({ event: 'media', media })
    }
  }
  if (vendor !== 'vonage') send({ event: 'stop' })
  socket.close()
}

async function recordsCallOf(vendor: Vendor): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wavespool-call-'))
  const says: string[] = []
  const { code, stderr } = await run('phone-call.mjs', {
    after: ['0', folder, vendor],
    during: (child) =>
      child.stdout?.on('data', (bytes: Buffer) => {
        says.push(...bytes.toString().trimEnd().split('\n'))
        const [, port] = /^listening on (\d+)$/m.exec(bytes.toString()) ?? []
        if (port !== undefined) callFrom(Number(port), vendor).catch(() => child.kill())
        if (/^recorded/m.test(bytes.toString())) child.kill('SIGTERM')
      }),
  })
  expect({ code, stderr }).toEqual({ code: null, stderr: '' })
  expect(says).toContain('call CA1')
  expect(says).toContain('skipped: a message is no JSON: "hello?"')
  const isAlone = vendor === 'vonage'
  if (!isAlone) expect(says).toContain('agent sent nothing for 12.4 s from 0 s')
  expect(says.at(-1)).toBe('recorded 20 s')
  const sentences = says.flatMap((line) => {
    const [, track, start, end] = /^(\w+) speaks from ([\d.]+) s to ([\d.]+) s$/.exec(line) ?? []
    return track === undefined ? [] : [{ track, start: Number(start), end: Number(end) }]
  })
  // a sentence of 1.6 s behind each pause of 0.8 s; those of the agent begin with the sixth
  for (const track of isAlone ? ['caller'] : ['caller', 'agent']) {
    const of = sentences.filter((sentence) => sentence.track === track)
    const first = track === 'caller' ? 0 : 5
    expect(of.length, says.join('\n')).toBe(8 - first)
    for (const [i, { start, end }] of of.entries()) {
      expect(Math.abs(start - ((i + first) * 2.4 + 0.8))).toBeLessThan(0.2)
      expect(Math.abs(end - (i + first + 1) * 2.4)).toBeLessThan(0.2)
    }
  }
  const bytes = await readFile(join(folder, 'call.wav'))
  const channels = isAlone ? 1 : 2
  const dataBytes = 20 * vendors[vendor].format.sampleRate * channels * 2
  expect(readWavHeader(bytes)).toMatchObject({ format: { channels }, dataBytes })
  await rm(folder, { recursive: true })
}

/** OpenAI's side of a conversation: when the user has spoken for a second, a reply of a second comes at once. */
async function startRealtime() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  server.on('connection', (socket) => {
    let appends = 0
    socket.on('message', () => {
      if (++appends !== 50) return
      const delta = Buffer.alloc(2 * 24_000, 2).toString('base64')
      const place = { response_id: 'r', item_id: 'a', output_index: 0, content_index: 0 }
      socket.send(JSON.stringify({ type: 'response.output_audio.delta', ...place, delta }))
    })
  })
  await once(server, 'listening')
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => server.close() }
}

async function speakTo(port: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`)
  const audio = Buffer.alloc(2 * 480, 1).toString('base64')
  const append = JSON.stringify({ type: 'input_audio_buffer.append', audio })
  const replied = once(socket, 'message')
  await once(socket, 'open')
  for (let n = 0; n < 50; n++) socket.send(append)
  await replied
  for (let n = 0; n < 100; n++) socket.send(append)
  socket.close()
}

/** One for each file in examples/. */
const checks: Record<string, (source: Source) => Promise<void>> = {
  async 'phone-call.mjs'() {
    await Promise.all((['twilio', 'telnyx', 'vonage'] as const).map(recordsCallOf))
  },

  async 'realtime-relay.mjs'() {
    const folder = await mkdtemp(join(tmpdir(), 'wavespool-relay-'))
    const service = await startRealtime()
    const { code, stderr, lines } = await run('realtime-relay.mjs', {
      after: ['0', folder],
      env: { REALTIME_URL: service.url },
      during: (child) =>
        child.stdout?.on('data', (bytes: Buffer) => {
          const [, port] = /^listening on (\d+)$/m.exec(bytes.toString()) ?? []
          if (port !== undefined) speakTo(Number(port)).catch(() => child.kill())
          if (/^recorded/m.test(bytes.toString())) child.kill('SIGTERM')
        }),
    })
    service.stop()
    expect({ code, stderr }).toEqual({ code: null, stderr: '' })
    expect(lines.at(-1)).toBe('recorded 3 s')
    const bytes = await readFile(join(folder, 'conversation.wav'))
    const expected = Buffer.alloc(3 * 24_000 * 4, Buffer.from([1, 1, 0, 0]))
    expected.fill(Buffer.from([1, 1, 2, 2]), 24_000 * 4, 2 * 24_000 * 4)
    expect(bytes.subarray(44).equals(expected)).toBe(true)
    await rm(folder, { recursive: true })
  },

  async 'record-until-enter.mjs'(source) {
    const outcome = await run('record-until-enter.mjs', {
      source,
      during: (child) =>
        child.stdout?.once('data', () => setTimeout(() => child.stdin?.write('\n'), source.start + 500)),
    })
    expect(outcome).toMatchObject({ code: 0, stderr: source.says })
    const [first, last] = outcome.lines
    expect(first).toBe('recording; Enter ends it')
    const [, bytes, seconds] = /^memo\.wav: (\d+) bytes, ([\d.]+) s of audio$/.exec(last ?? '') ?? []
    expect(Number(seconds)).toBeGreaterThan(0.3)
    expect(Math.abs((Number(bytes) - 44) / 32_000 - Number(seconds))).toBeLessThan(0.006)
  },

  async 'capped-buffer.mjs'(source) {
    const outcome = await run('capped-buffer.mjs', { source })
    expect(outcome).toMatchObject({ code: 0, stderr: source.says })
    expect(outcome.lines).toEqual(['64044 bytes in 63 pieces of at most 1024'])
  },

  async 'own-storage.mjs'(source) {
    const outcome = await run('own-storage.mjs', { source })
    expect(outcome).toMatchObject({ code: 0, stderr: source.says })
    expect(outcome.lines).toEqual(['96044 bytes in 2 pages; the header counts 96000 bytes of samples'])
  },

  async 'calls.mjs'() {
    const outcome = await run('calls.mjs', { after: ['60', '3', '0.3'] })
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    const [kept, speed] = outcome.lines
    expect(kept).toBe('60 of 60 calls of 0.3 s are recorded to the last sample, in 3 threads')
    expect(speed).toMatch(/^99 % of the packets within [\d.]+ ms, [\d.]+ cores busy$/)
  },

  async 'worker.mjs'(source) {
    const outcome = await run('worker.mjs', { source })
    expect(outcome).toMatchObject({ code: 0, stderr: source.says })
    expect(outcome.lines.at(-1)).toBe('memo.wav: 3 s')
    const peaks = outcome.lines.slice(0, -1).map((line) => /^([\d.]+) s: peak (\S+) dBFS$/.exec(line) ?? [])
    expect(peaks.map(([, at]) => Number(at))).toEqual([0, 0.5, 1, 1.5, 2, 2.5])
    for (const [, , peak] of peaks) expect(Math.abs(Number(peak) + 12)).toBeLessThanOrEqual(source.tolerance)
  },

  async 'every-two-seconds.mjs'(source) {
    const outcome = await run('every-two-seconds.mjs', {
      source,
      during: (child) =>
        child.stdout?.once('data', () => setTimeout(() => child.kill('SIGINT'), source.start + 2700)),
    })
    expect(outcome).toMatchObject({ code: 0, stderr: source.says })
    const line = /^([\d.]+) s to ([\d.]+) s: segment-(\d+)\.wav, (\d+) bytes, (-[\d.]+) dBFS$/
    const segments = outcome.lines.slice(1, -1).map((text) => (line.exec(text) ?? []).slice(1).map(Number))
    expect(segments.length).toBeGreaterThanOrEqual(2)
    const loudness = segments[0]?.pop() ?? 0
    expect(segments[0]).toEqual([0, 2, 1, 64_044])
    expect(Math.abs(loudness + 15)).toBeLessThanOrEqual(source.tolerance) // a sine whose peak is -12 dBFS
    const [start = 0, end = 0, number, bytes = 0] = segments.at(-1) ?? []
    expect([start, number]).toEqual([2 * (segments.length - 1), segments.length])
    expect(Math.abs((bytes - 44) / 32_000 - (end - start))).toBeLessThan(0.006)
    expect(outcome.lines.at(-1)).toBe(`processed ${end.toFixed(2)} s`)
  },

  async 'energy-detector.mjs'() {
    const outcome = await run('energy-detector.mjs')
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    expect(outcome.lines).toEqual([
      'segment-0001.wav: 0.64 s to 2.54 s, said from 0.80 s to 2.40 s',
      'segment-0002.wav: 3.04 s to 4.94 s, said from 3.20 s to 4.80 s',
      'segment-0003.wav: 5.44 s to 7.34 s, said from 5.60 s to 7.20 s',
      'segment-0004.wav: 7.84 s to 9.74 s, said from 8.00 s to 9.60 s',
    ])
  },

  async 'transcribe.mjs'(source) {
    const alone = run('transcribe.mjs', { source })
    const forms: FormData[] = []
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const part of request) chunks.push(part)
      const headers = { 'content-type': request.headers['content-type'] ?? '' }
      forms.push(await new Response(Buffer.concat(chunks), { headers }).formData())
      response.setHeader('connection', 'close')
      response.end(JSON.stringify({ text: 'what was said' }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const outcome = await run('transcribe.mjs', { source, env: { TRANSCRIPTION_URL: url } })
    server.close()
    expect(outcome).toMatchObject({ code: 0, stderr: source.says, lines: ['what was said'] })
    const file = forms[0]?.get('file') as File
    expect(file).toMatchObject({ name: 'memo.wav', type: 'audio/wav', size: 96_044 })
    const header = readWavHeader(new Uint8Array(await file.arrayBuffer()))
    expect(header).toMatchObject({ dataBytes: 96_000, riffBytes: 96_036 })
    expect(await alone).toMatchObject({
      code: 0,
      lines: ['(a local server) got memo.wav, audio/wav, 96044 bytes'],
    })
  },

  async 'serve.mjs'(source) {
    const answers: Promise<Response>[] = []
    const outcome = await run('serve.mjs', {
      source,
      during: (child) => {
        child.stdout?.once('data', (line) => {
          const url = String(line).trim()
          answers.push(fetch(url)) // while it records
          child.stdout?.once('data', () => {
            const end = () => child.kill('SIGINT')
            answers.push(fetch(url, { headers: { range: 'bytes=44-', connection: 'close' } }))
            Promise.all(answers.map((answer) => answer.then((response) => response.clone().blob()))).then(
              end,
              end,
            )
          })
        })
      },
    })
    expect(outcome).toMatchObject({ code: 0, stderr: source.says })
    expect(outcome.lines).toEqual([
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/memo\.wav$/),
      'recorded 96044 bytes; Ctrl-C ends it',
    ])
    const [live, after] = await Promise.all(answers)
    const bytes = Buffer.from(await live!.arrayBuffer())
    expect(bytes).toHaveLength(96_044)
    expect(readWavHeader(bytes)).toMatchObject({ dataBytes: 0xffffffff })
    expect(after).toMatchObject({ status: 206 })
    expect(Buffer.from(await after!.arrayBuffer()).equals(bytes.subarray(44))).toBe(true)
  },

  async 'serve-in-hono.mjs'() {
    await withFolder(async (folder) => {
      const outcome = await run('serve-in-hono.mjs', {
        after: [folder],
        during: whenServing(async (url) => {
          const page = await fetch(url)
          expect(page.url).toBe(`${url}studio/`)
          expect(await page.text()).toContain('<title>Wavespool</title>')
          const name = await recordFor(`${url}studio/`, 0.5)
          const file = await fetch(`${url}studio/recordings/${name}`)
          expect(readWavHeader(new Uint8Array(await file.arrayBuffer()))?.dataBytes).toBeGreaterThan(8000)
          const socket = new WebSocket(`${url.replace('http', 'ws')}studio/recordings/${name}/microphone`)
          await once(socket, 'open')
          socket.send('a wrong key')
          expect((await once(socket, 'close'))[0]).toBe(1008)
          expect(
            (await fetch(`${url}studio/recordings`, { headers: { origin: 'http://evil.example' } })).status,
          ).toBe(403)
        }),
      })
      expect(outcome).toMatchObject({ code: 0, stderr: builtIn.says })
    })
  },

  async 'serve-transcribed.mjs'() {
    const names: string[] = []
    const service = createServer(async (request, response) => {
      const headers = { 'content-type': request.headers['content-type'] ?? '' }
      const form = await new Response(Readable.toWeb(request) as ReadableStream<Uint8Array>, {
        headers,
      }).formData()
      names.push((form.get('file') as File).name)
      response.setHeader('connection', 'close').end(JSON.stringify({ text: 'what was said' }))
    })
    service.listen(0, '127.0.0.1')
    await once(service, 'listening')
    const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`
    const browser = await launchChromium()
    await withFolder(async (folder) => {
      const outcome = await run('serve-transcribed.mjs', {
        after: [folder],
        env: { TRANSCRIPTION_URL: url },
        during: whenServing(async (page) => {
          const tab = await browser.newPage()
          await tab.goto(page)
          const name = await recordFor(page, 1, () => tab.getByRole('heading', { name: /wav$/ }).waitFor())
          await tab.getByRole('button', { name: '0:00 what was said' }).waitFor()
          expect(names).toEqual([`${name.slice(0, -4)}-0001.wav`])
        }),
      })
      expect(outcome.code).toBe(0)
    })
    await browser.close()
    service.close()
  },

  async 'mocked-source.test.mjs'() {
    const { code, lines } = await run('mocked-source.test.mjs', { args: ['--test', '--test-reporter=tap'] })
    expect(lines).toContain('# pass 3')
    expect(lines).toContain('# fail 0')
    expect(code).toBe(0)
  },

  async 'demo.mjs'() {
    const started = performance.now()
    const { code, lines, stderr } = await run('demo.mjs', { env: { COLUMNS: '40' } })
    expect(performance.now() - started).toBeLessThan(10_000)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const text = lines.join('\n')
    expect(text).not.toContain('\x1b') // piped: no colours, no cursor movements
    expect(text).toContain('File      demo.wav, 96044 bytes, 3 s')
    expect(text).toContain('Seek      1 s from the end: 32000 bytes')
    expect(text).toMatch(/^Read {6}\d+: (-?\d+ ){3}…$/m)
    expect(lines.filter((line) => /^[\u2800-\u28ff]{39}$/.test(line))).toHaveLength(5)
    const path = lines.at(-1)?.replace(/^Saved +/, '') ?? ''
    for (const line of lines.slice(0, -1)) expect([...line].length).toBeLessThanOrEqual(40)
    const saved = await readFile(path)
    await rm(path)
    expect(saved).toHaveLength(96_044)
    expect(readWavHeader(saved)).toMatchObject({ dataBytes: 96_000 })
    const line = '"$0" "$1" | head -1; echo $PIPESTATUS'
    const head = await promisify(execFile)('bash', [
      '-c',
      line,
      process.execPath,
      fileURLToPath(new URL('demo.mjs', directory)),
    ])
    expect(head).toMatchObject({ stdout: 'Recording a built-in voice (or --mic)\n0\n', stderr: '' })
  },

  // modules of the other examples: they do nothing when they are loaded
  'source.mjs': () => loads('source.mjs'),
  'terminal.mjs': () => loads('terminal.mjs'),
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wavespool-page-'))
  await use(folder)
  await rm(folder, { recursive: true })
}

/** Talks to a server when it says where it listens, then ends it; an error is not caught, so that it fails the test. */
function whenServing(talk: (url: string) => Promise<void>): (child: ReturnType<typeof spawn>) => void {
  return (child) =>
    child.stdout?.once('data', async (line) => {
      await talk(String(line).trim()).finally(() => child.kill('SIGINT'))
    })
}

/** Records on a page for that time, and waits for `during`; returns the name of the recording. */
async function recordFor(page: string, seconds: number, during = async () => {}): Promise<string> {
  const post = (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    return fetch(page + path, { method: 'POST', headers, body: JSON.stringify(body) })
  }
  const begun = await post('recordings', { microphone: 'computer' })
  const { name } = (await begun.json()) as { name: string }
  await during()
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  expect((await post(`recordings/${name}/stop`, {})).status).toBe(200)
  return name
}

async function loads(name: string): Promise<void> {
  expect(await run(name)).toMatchObject({ code: 0, lines: [''], stderr: '' })
}

describe('examples', () => {
  // a folder of its own, as service/, has a test of its own
  const names = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort()

  it('are all checked here', () => {
    expect(Object.keys(checks).sort()).toEqual(names)
  })

  it.concurrent.each(names)('%s', async (name) => {
    await checks[name]?.(builtIn)
  })

  it.skipIf(whyNoRig)('use the microphone where there is one', realTime, async () => {
    await using rig = await Rig.start()
    const heard = join(rig.directory, 'tone.wav')
    await pipeline(tone(at48, { duration: { seconds: 120 } }), wavHeader(at48), createWriteStream(heard))
    const player = rig.play(heard)
    const microphone: Source = {
      env: { ...rig.env, WAVESPOOL_SOURCE: undefined },
      says: 'source: the microphone\n',
      start: 1500,
      tolerance: 0.5,
    }
    const texts = await Promise.all(names.map((name) => readFile(new URL(name, directory), 'utf8')))
    const listening = names.filter((_, i) => texts[i]!.includes('await pickSource('))
    expect(listening.length).toBe(7)
    for (const name of listening) await checks[name]!(microphone)
    const demo = await run('demo.mjs', { source: microphone, after: ['--mic'] })
    expect(demo).toMatchObject({ code: 0, stderr: '' })
    expect(demo.lines.join('\n')).toContain('File      demo.wav, 96044 bytes, 3 s')
    await rm(demo.lines.at(-1)?.replace(/^Saved +/, '') ?? '')
    player.stop()
  })
})
