import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodePrograms } from '../nodes.ts'
import { type Nats, startNats, whyNoNats } from './nats.ts'

const root = join(import.meta.dirname, '..', '..')
const folder = join(root, '.cache', 'jetstream')
const document = readFileSync(join(root, 'docs', 'jetstream.md'), 'utf8')
const blocks = new Map(
  [...document.matchAll(/^```ts (\S+)\n(.*?)^```$/gms)].map(([, name, code]) => [name!, code!] as const),
)

const imports = `
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { pcmFormat, segment, VirtualFile, wavHeader } from 'wavespool'
import { ensureStreams, followRecording, publishRecording, queueSegments, readTexts, resumeRecording, workSegments } from 'wavespool/jetstream'
import { ramp, speech } from 'wavespool/testing'
const format = pcmFormat()
`
const client = `${imports}
const connection = await connect({ servers: process.argv[2]! })
const js = jetstream(connection)
await ensureStreams(js)
`
const aRecording = `${client}
await pipeline(ramp(format, { duration: { seconds: 1 }, pace: 'fast' }), publishRecording(js, 'call-1', format))
`
const close = '\nawait connection.close()'
const openai = `const openai = { audio: { transcriptions: { create: async ({ file }: { model: string, file: File }) =>
  ({ text: file.type }) } } }
`
const aSegment = `
await pipeline(ramp(format, { duration: { seconds: 1 }, pace: 'fast' }), segment(format, { every: { seconds: 1 } }),
  queueSegments(js, 'call-1'))
`

/** The code around a block, and its output. */
const settings: Record<string, { before: string; after: string; prints: string }> = {
  record: {
    before: `
import { pipeline } from 'node:stream/promises'
import { limit, pcmFormat } from 'wavespool'
import { resumeRecording } from 'wavespool/jetstream'
import { ramp } from 'wavespool/testing'
const format = pcmFormat()
const servers = process.argv[2]!
const portAudio = (format: ReturnType<typeof pcmFormat>) => ramp(format, { pace: 'fast' })
`,
    after: `console.log((await resumeRecording(js, 'call-1'))?.position)${close}`,
    prints: '960000',
  },
  follow: {
    before: aRecording
      .replace('const format', 'const recorded')
      .replaceAll(/\(format,|, format\)/g, (found) => found.replace('format', 'recorded')),
    after: `console.log(memo.duration, format === call.format)${close}`,
    prints: '1 true',
  },
  resume: {
    before: `${client}
await rm('calls', { recursive: true, force: true })
await mkdir('calls')
const call = new VirtualFile({ storage: { path: 'calls/call-1.wav' } })
const died = publishRecording(js, 'call-1', format)
const source = ramp(format, { duration: { seconds: 1 }, pace: 'fast' })
source.once('data', (bytes) => { died.write(bytes); died.destroy() })
await Promise.all([pipeline(source, wavHeader(format), call), once(died, 'close')])

`,
    after: `console.log(position > 0 && position < 32_000, (await resumeRecording(js, 'call-1'))?.position)${close}`,
    prints: 'true 32000',
  },
  queue: {
    before: `${client}
const call = speech(format, { duration: { seconds: 8 }, pace: 'fast' })
`,
    after: `const { state } = await (await js.jetstreamManager()).streams.info('wavespool-segments')
console.log(state.messages)${close}`,
    prints: '2',
  },
  work: {
    before: `${client}${openai}${aSegment}`,
    after: `console.log(await once(workers, 'text'))\nawait workers.stop()${close}\nprocess.exit()`,
    prints: "[ { id: 'call-1', start: 0, end: 16000, text: 'audio/wav' } ]",
  },
  texts: {
    before: `${client}${openai}${aSegment}
const workers = workSegments(js, async ({ id }) => 'said in ' + id)
await once(workers, 'text')
await workers.stop()
`,
    after: close,
    prints: '0 said in call-1',
  },
}

describe.skipIf(whyNoNats)('the code in docs/jetstream.md', () => {
  let nats: Nats
  const moduleOf = (name: string) =>
    [settings[name]?.before, blocks.get(name), settings[name]?.after, 'export {}'].join('\n')

  beforeAll(async () => {
    nats = await startNats(1)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    for (const name of blocks.keys()) writeFileSync(join(folder, `${name}.ts`), moduleOf(name))
  })
  afterAll(() => nats?.stop())

  test('has a setting for each block, and compiles unchanged', () => {
    expect([...blocks.keys()]).toEqual(Object.keys(settings))
    const compilerOptions = { noUnusedLocals: false, noImplicitAny: false }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }),
    )
    const typescript = createRequire(import.meta.url).resolve('typescript/package.json')
    const tsc = join(dirname(typescript), JSON.parse(readFileSync(typescript, 'utf8')).bin.tsc)
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
    expect(stdout).toBe('')
  })

  test.each([...blocks.keys()])(
    '%s runs unchanged, except for the microphone and the service',
    async (name) => {
      const { transform } = await import('esbuild')
      const { code } = await transform(moduleOf(name), { loader: 'ts' })
      const program = join(folder, `${name}.mjs`)
      writeFileSync(program, code)
      for (const node of nodePrograms()) {
        const manager = await nats.js.jetstreamManager()
        for await (const { config } of manager.streams.list()) await manager.streams.delete(config.name)
        const child = spawn(node.path, [program, nats.servers.urls[0]!], {
          cwd: folder,
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
        expect(stderr, node.name).toBe('')
        expect(stdout.trim(), node.name).toBe(settings[name]!.prints)
      }
    },
  )
})
