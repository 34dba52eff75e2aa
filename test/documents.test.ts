import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { nodePrograms } from './nodes.ts'

const root = join(import.meta.dirname, '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
/**
 * The cookbook's blocks want the packages that they are about, and those about NATS, Redis, S3 and a WebSocket a server:
 * test/consumers, test/jetstream and test/recipes run them.
 */
const wantsServer = /^(bullmq-|s3-|reconnect$)/
const documents = [
  'README.md',
  'docs/streams.md',
  'docs/virtual-file.md',
  'docs/compressed.md',
  'docs/microphone.md',
  'docs/command.md',
  'docs/serve.md',
  'docs/recipes.md',
]
const texts = new Map(
  [
    ...documents,
    'docs/cookbook.md',
    'docs/jetstream.md',
    'docs/scale.md',
    'docs/install.md',
    'docs/reliability.md',
    'docs/stability.md',
  ].map((path) => [path, readFileSync(join(root, path), 'utf8')]),
)
const blocks = new Map(
  documents.flatMap((path) =>
    [...texts.get(path)!.matchAll(/^```ts ?(\S*)\n(.*?)^```$/gms)]
      .map(([, name, code]) => [name!, code!] as const)
      .filter(([name]) => !wantsServer.test(name)),
  ),
)

/** The code around a block: declarations before it, statements behind it that print the result, and their output. */
interface Setting {
  before?: string
  after?: string
  prints: string
}

const imports = `
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { convert, decode, encode, limit, listDevices, meter, pcmFormat, segment, VirtualFile, wavHeader, wavReader } from 'wavespool'
import { silence, speech, tone } from 'wavespool/testing'
`
const aFormat = `const format = pcmFormat()\n`
const aRecording = `${aFormat}
const memo = new VirtualFile({ name: 'memo.wav' })
const recording = pipeline(tone(format, { duration: { seconds: 2 } }), wavHeader(format), memo)
`
const recogniser = `import { parentPort, workerData } from 'node:worker_threads'
import { VirtualFile } from 'wavespool'
let heard = 0
const recognise = (bytes) => { heard += bytes.length }
${blocks.get('attach')}
parentPort.postMessage(heard)
`

const settings: Record<string, Setting> = {
  memo: {
    before: `
const openai = { audio: { transcriptions: { create: async ({ file }: { model: string, file: File }) =>
  ({ text: [file.constructor.name, file.name, file.size, file.type].join(' ') }) } } }
`,
    after: 'console.log(text)',
    prints: 'File memo.wav 960044 audio/wav',
  },
  'any-wav': {
    before: `${imports}
const phone = pcmFormat({ sampleRate: 8000, channels: 2, encoding: 'mulaw' })
const call = new VirtualFile()
const samples = pcmFormat({ ...phone, encoding: 's16le' })
const voice = tone(samples, { level: 0, duration: { seconds: 2 } })
await pipeline(voice, convert(samples, phone), wavHeader(phone), call)
await writeFile('call.wav', await call.toBuffer())
const memo = new VirtualFile()
const { log } = console
console.log = (...values) => log(values.map((value: number) => value.toFixed(1)).join(' '))
`,
    after: 'log(memo.format?.sampleRate, memo.format?.channels, memo.format?.encoding, memo.duration)',
    prints: '0.0 -0.0 -3.0 0.0\n1.0 -0.0 -3.0 0.0\n16000 1 s16le 2',
  },
  'call-into-file': {
    before: `${imports}import { chain } from 'wavespool/chain'
${aFormat}const phone = pcmFormat({ sampleRate: 8000 })
const source = tone(phone, { duration: { seconds: 2 } })
`,
    after: 'console.log(recorder.writableFinished, call.duration)',
    prints: 'true 2',
  },
  sentences: {
    before: `${imports}${aFormat}
const portAudio = (format: ReturnType<typeof pcmFormat>) => speech(format, { duration: { seconds: 8 }, pace: 'fast' })
let heard = 0
const transcribe = async (file: File) => { heard++; return file.name }
const { log } = console
console.log = () => {}
`,
    after: 'log(heard > 1)',
    prints: 'true',
  },
  response: {
    before: `${imports}${aRecording}
await recording
const request = { headers: { range: 'bytes=0-3' } }
`,
    after: 'console.log(response.status, await response.text())',
    prints: '206 RIFF',
  },
  worker: {
    before: `${imports}${aRecording}`,
    after: `console.log(await once(worker, 'message'))\nawait recording`,
    prints: '[ 64044 ]',
  },
  path: {
    before: `${imports}
import { mkdir, rm } from 'node:fs/promises'
await rm('calls', { recursive: true, force: true })
await mkdir('calls')
`,
    after: `await pipeline(silence(pcmFormat(), { duration: { seconds: 1 } }), wavHeader(pcmFormat()), call)
console.log((await VirtualFile.from('calls/0001.wav')).duration)`,
    prints: '1',
  },
  testing: {
    after: 'console.log(typeof assertRamp, typeof ramp, typeof speech, typeof tone)',
    prints: 'function function function function',
  },
  timeline: {
    before: `${imports}
import { timeline } from 'wavespool'
import { Readable } from 'node:stream'
const phone = pcmFormat({ sampleRate: 8000 })
const memo = new VirtualFile()
const data = Buffer.alloc(320, 1)
const packets = Readable.from([{ track: 'caller', at: 160, data }, { track: 'caller', at: 0, data }, { track: 'agent', at: 160, data }])
`,
    after: 'console.log(memo.duration, memo.format?.channels)',
    prints: 'agent sent nothing for 160 frames from 0\n0.04 2',
  },
  microphones: {
    before: `${imports}${aFormat}
import { timeline } from 'wavespool'
const memo = new VirtualFile()
const portAudio = (format: ReturnType<typeof pcmFormat>, _options: { device: string }) => tone(format, { pace: 'fast' })
`,
    after: 'console.log(memo.duration, memo.format?.channels)',
    prints: '30 2',
  },
  rolling: {
    before: `${imports}${aFormat}
import { RollingBuffer } from 'wavespool'
const portAudio = (format: ReturnType<typeof pcmFormat>) => tone(format, { duration: { milliseconds: 100 } })
`,
    after: `await recording\nconsole.log(moment.name, call.name, latest.duration)`,
    prints: 'moment.wav call.wav 0.1',
  },
  rotation: {
    before: `${imports}${aFormat}
import { mkdir, rm } from 'node:fs/promises'
await rm('recordings', { recursive: true, force: true })
await mkdir('recordings')
const portAudio = (format: ReturnType<typeof pcmFormat>) => tone(format, { duration: { seconds: 1500 }, pace: 'fast' })
`,
    after: `console.log((await VirtualFile.from('recordings/day-0003.wav')).duration)`,
    prints: 'recordings/day-0001.wav 0\nrecordings/day-0002.wav 600\nrecordings/day-0003.wav 1200\n300',
  },
  segments: {
    before: `${imports}${aFormat}
const portAudio = (format: ReturnType<typeof pcmFormat>) => tone(format, { duration: { seconds: 5 }, pace: 'fast' })
const begun: number[] = []
const follow = (_file: VirtualFile, start: number) => begun.push(start)
const process = async (file: VirtualFile, seconds: number) => console.log(file.name, file.duration, seconds)
`,
    after: 'console.log(begun)',
    prints: 'segment-0001.wav 2 0\nsegment-0002.wav 2 2\nsegment-0003.wav 1 4\n[ 0, 32000, 64000 ]',
  },
  share: {
    before: `${imports}${aRecording}`,
    after: `console.log(await once(worker, 'message'))\nawait recording`,
    prints: '[ 64044 ]',
  },
  attach: {
    before: `${imports}let heard = 0
const recognise = (bytes: Uint8Array) => { heard += bytes.length }
if (isMainThread) {
  ${aRecording.replaceAll('\n', '\n  ')}
  const worker = new Worker(new URL(import.meta.url), { workerData: memo.share() })
  console.log(await once(worker, 'message'))
  await recording
  process.exit()
}
`,
    after: 'parentPort?.postMessage(heard)',
    prints: '[ 64044 ]',
  },
  encode: {
    before: `${imports}
const portAudio = (format: ReturnType<typeof pcmFormat>) => tone(format, { duration: { seconds: 60 }, pace: 'fast' })
`,
    after: `console.log((await talk.toBuffer()).toString('latin1', 0, 4), talk.size > 50_000, talk.size < 200_000)`,
    prints: 'OggS true true',
  },
  compressed: {
    before: `${imports}${aRecording}
await recording
`,
    after: `console.log(file.name, file.type, file.size < memo.size / 2)`,
    prints: 'memo.mp3 audio/mpeg true',
  },
  decode: {
    before: `${imports}
const phone = pcmFormat({ sampleRate: 8000 })
const tape = new VirtualFile()
await pipeline(tone(phone, { duration: { seconds: 2 } }), encode(phone, { codec: 'flac' }), tape)
await writeFile('memo.flac', await tape.toBuffer())
`,
    after: 'console.log(memo.format?.sampleRate, memo.duration)',
    prints: '16000 2',
  },
  recorder: {
    before: `${imports}
import { EventEmitter } from 'node:events'
const recognizer = new VirtualFile()
type Socket = EventEmitter<{ message: [Uint8Array]; close: [] }>
const server = new EventEmitter<{ connection: [Socket] }>()
`,
    after: `const socket: Socket = new EventEmitter()
server.emit('connection', socket)
const phone = pcmFormat({ sampleRate: 8000 })
for await (const piece of tone(phone, { duration: { seconds: 2 } }).pipe(encode(phone, { codec: 'opus' }))) socket.emit('message', piece)
socket.emit('close')
await once(recognizer, 'finish')
console.log(recognizer.size)`,
    prints: '64000',
  },
  page: {
    before: `${imports}
const portAudio = (format: ReturnType<typeof pcmFormat>, _options: { device: string }) => tone(format, { pace: 'realtime' })
const recognise = async (file: File) => file.name
`,
    after: `await once(server, 'listening')
const { port } = server.address() as { port: number }
const response = await fetch(\`http://127.0.0.1:\${port}/recordings\`)
console.log(Object.keys((await response.json()) as object))
await page.close()
server.close()
server.closeAllConnections()`,
    prints: "[ 'microphones', 'recordings' ]",
  },
  'push-to-talk': {
    before: `${imports}${aFormat}
import { gate } from 'wavespool'
import { manualClock } from 'wavespool/testing'
import { EventEmitter } from 'node:events'
const memo = new VirtualFile()
const keyboard = new EventEmitter()
const clock = manualClock()
const portAudio = (format: ReturnType<typeof pcmFormat>) => tone(format, { pace: clock })
const hear = async (milliseconds: number) => {
  clock.advance(milliseconds)
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}
`,
    after: `await hear(0)
await hear(1000)
keyboard.emit('down')
await hear(2000)
keyboard.emit('up')
await hear(500)
keyboard.emit('escape')
await recording
console.log(memo.duration)`,
    prints: '2',
  },
  'phone-call': {
    before: `${imports}
import { Readable } from 'node:stream'
import { timeline } from 'wavespool'
import { twilioMedia } from 'wavespool/telephony'
const memo = new VirtualFile()
const payload = Buffer.alloc(160, 0xff).toString('base64')
const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 }
const media = (track: string, timestamp: string) => ({ event: 'media', streamSid: 'MZ1', media: { track, timestamp, payload, chunk: '1' } })
const messages = Readable.from([
  { event: 'connected', protocol: 'Call', version: '1.0.0' },
  { event: 'start', streamSid: 'MZ1', start: { streamSid: 'MZ1', callSid: 'CA1', tracks: ['inbound', 'outbound'], mediaFormat } },
  media('inbound', '0'),
  media('outbound', '20'),
  { event: 'stop', streamSid: 'MZ1', stop: {} },
].map((message) => JSON.stringify(message)))
`,
    after: 'console.log(tracks, memo.duration, memo.format?.channels)',
    prints: "[ 'caller', 'agent' ] 0.04 2",
  },
  ffmpeg: {
    // Node in the place of ffmpeg: a minute of silence out, or everything in.
    before: `${imports}${aFormat}
import { spawn as start } from 'node:child_process'
const memo = new VirtualFile()
const spawn = (_command: string, options: string[]) => start(process.execPath, ['-e', options.includes('pipe:1')
  ? 'for (let i = 0; i < 60; i++) process.stdout.write(Buffer.alloc(32000))'
  : 'let bytes = 0; process.stdin.on("data", (chunk) => { bytes += chunk.length }).on("end", () => { process.exitCode = bytes === 1920044 ? 0 : 1 })'])
`,
    after: 'console.log(code, memo.duration)',
    prints: '0 60',
  },
  'test-runner': {
    before: `${imports}${aFormat}
import assert from 'node:assert/strict'
import { assertRamp, ramp } from 'wavespool/testing'
const memo = new VirtualFile()
const test = (name: string, run: () => Promise<void>) => run().then(() => console.log(name))
`,
    prints: 'what a microphone delivers before it is unplugged is kept',
  },
  microphone: {
    before: `${imports}${aFormat}
import type { portAudio as PortAudio } from 'wavespool'
const fake = Object.assign(tone(format), { ready: Promise.resolve({ backend: 'koffi', device: {}, latency: 0.2, startedAt: {} }) })
const portAudio = ((_format: unknown, options: unknown) => { console.log(options); return fake }) as unknown as typeof PortAudio
`,
    after: `console.log(backend, device, latency, startedAt)\nsource.resume()\nawait once(source, 'end')`,
    prints: "{ device: 'Headset', onGap: 'fill' }\nkoffi {} 0.2 {}",
  },
}

describe('the code in the documents', () => {
  const folder = join(root, '.cache', 'documents')
  const moduleOf = (name: string) =>
    [settings[name]?.before, blocks.get(name), settings[name]?.after, 'export {}'].join('\n')

  beforeAll(() => {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'recogniser.mjs'), recogniser)
    for (const name of blocks.keys()) writeFileSync(join(folder, `${name}.ts`), moduleOf(name))
  })

  test('has a setting for each block, and a block for each setting', () => {
    expect([...blocks.keys()].sort()).toEqual(Object.keys(settings).sort())
  })

  test('compiles unchanged', () => {
    const options = {
      extends: '../../tsconfig.json',
      compilerOptions: { noUnusedLocals: false },
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...options, include: ['*.ts'] }))
    const typescript = createRequire(import.meta.url).resolve('typescript/package.json')
    const tsc = join(dirname(typescript), JSON.parse(readFileSync(typescript, 'utf8')).bin.tsc)
    const { stdout, stderr, status } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
    expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 })
  })

  test.each([...blocks.keys()])(
    '%s runs unchanged, except for the microphone and the service',
    async (name) => {
      const { transform } = await import('esbuild')
      const runnable = moduleOf(name).replace(
        'import { limit, pcmFormat, portAudio,',
        "import { tone as portAudio } from 'wavespool/testing'\nimport { limit, pcmFormat,",
      )
      const { code } = await transform(runnable, { loader: 'ts' })
      const program = join(folder, `${name}.mjs`)
      writeFileSync(program, code)
      // All at once, as they mostly wait; each in a folder of its own.
      await Promise.all(
        nodePrograms().map(async (node, i) => {
          const cwd = join(folder, `${name}-${i}`)
          mkdirSync(cwd)
          const { stdout, stderr } = await promisify(execFile)(node.path, [program], { cwd })
          expect(stderr, node.name).toBe('')
          expect(stdout.trim(), node.name).toBe(settings[name]!.prints)
        }),
      )
    },
  )
})

test('the commands that the README names exist', () => {
  for (const [, script] of texts.get('README.md')!.matchAll(/npm (?:run )?(demo|test|bench)\b/g)) {
    expect(manifest.scripts).toHaveProperty(script!)
  }
})

test.each([...texts])('every link of %s leads somewhere', (path, text) => {
  for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
    expect(existsSync(join(root, dirname(path), link!)), link).toBe(true)
  }
})

test('every example is linked from a document', () => {
  const examples = readdirSync(join(root, 'examples')).filter(
    (name) => !['source.mjs', 'terminal.mjs', 'demo.mjs'].includes(name),
  )
  const linked = [...texts.values()].join('')
  expect(examples.filter((name) => !linked.includes(`examples/${name})`))).toEqual([])
})
